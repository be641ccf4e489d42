"""Metrics of flow runs."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from functools import wraps
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.monitoring import Unit
from slices.monitor.metrics.registering import labelled, metric, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from slices.domain.observations import Observation, RunFacts, ServerFacts
    from slices.monitor.metrics.registering import Reading

GOOD = frozenset({"Completed", "Degraded", "Cached"})
BAD = frozenset({"Failed", "Crashed", "TimedOut"})
WEEK = dt.timedelta(days=7)
ALIVE = frozenset({"RUNNING", "CANCELLING"})


def _runs(
    name: str, *, unit: Unit
) -> Callable[[Callable[[ServerFacts], Reading]], Callable[[ServerFacts], Reading]]:
    def registered(read: Callable[[ServerFacts], Reading]) -> Callable[[ServerFacts], Reading]:
        @metric(name, unit=unit, source="Prefect API")
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return () if seen.server is None else read(seen.server)

        return read

    return registered


@_runs("runs.by_state", unit=Unit.COUNT)
def _by_state(server: ServerFacts) -> Reading:
    """Flow runs of the last 24 hours by state."""
    return ((labelled(state=state), count) for state, count in server.states)


@_runs("runs.running", unit=Unit.COUNT)
def _running(server: ServerFacts) -> Reading:
    """Flow runs that have begun and not ended."""
    return (((), len(server.running)),)


@_runs("runs.late", unit=Unit.COUNT)
def _late(server: ServerFacts) -> Reading:
    """Flow runs that should have begun."""
    return (((), server.late),)


@_runs("runs.retries", unit=Unit.COUNT)
def _retries(server: ServerFacts) -> Reading:
    """Further attempts of flow and task runs in the last 24 hours."""
    return (((), server.retries),)


@_runs("runs.success_ratio", unit=Unit.FRACTION)
def _success_ratio(server: ServerFacts) -> Reading:
    """Share that ended well of the runs of the last 24 hours that ended well or badly."""
    good = sum(count for state, count in server.states if state in GOOD)
    bad = sum(count for state, count in server.states if state in BAD)
    return (((), ratio(good, good + bad)),)


@_runs("runs.degraded_ratio", unit=Unit.FRACTION)
def _degraded_ratio(server: ServerFacts) -> Reading:
    """Share that ended with caveats of the runs of the last 24 hours that ended well."""
    good = sum(count for state, count in server.states if state in GOOD)
    degraded = sum(count for state, count in server.states if state == "Degraded")
    return (((), ratio(degraded, good)),)


@_runs("runs.failed", unit=Unit.COUNT)
def _failed(server: ServerFacts) -> Reading:
    """Runs that failed, crashed or took too long among the fifty that ended last, by flow."""
    return _counted(server.recent, BAD)


@metric("runs.failed_of_five", unit=Unit.COUNT, source="Prefect API")
def _failed_of_five(seen: Observation) -> Reading:
    """Runs that ended badly among the last five of a deployment, of the last seven days."""
    if seen.server is None:
        return ()
    newest: defaultdict[str, list[str]] = defaultdict(list)
    for run in seen.server.recent:
        if run.ended and seen.at - run.ended <= WEEK:
            newest[f"{run.flow}/{run.deployment}".rstrip("/")].append(run.state)
    return (
        (labelled(deployment=name), sum(each in BAD for each in states[:5]))
        for name, states in sorted(newest.items())
    )


@_runs("runs.cancelled", unit=Unit.COUNT)
def _cancelled(server: ServerFacts) -> Reading:
    """Runs that were cancelled among the fifty that ended last, by flow."""
    return _counted(server.recent, frozenset({"Cancelled"}))


@_runs("runs.duration_p50", unit=Unit.SECONDS)
def _duration_p50(server: ServerFacts) -> Reading:
    """Time that half of a flow's completed runs of the last 24 hours did not take longer than."""
    return _percentiles(server, 50)


@_runs("runs.duration_p95", unit=Unit.SECONDS)
def _duration_p95(server: ServerFacts) -> Reading:
    """Time that 95 % of a flow's completed runs of the last 24 hours did not take longer than."""
    return _percentiles(server, 95)


@_runs("runs.duration_p99", unit=Unit.SECONDS)
def _duration_p99(server: ServerFacts) -> Reading:
    """Time that 99 % of a flow's completed runs of the last 24 hours did not take longer than."""
    return _percentiles(server, 99)


@_runs("runs.completed", unit=Unit.COUNT)
def _completed(server: ServerFacts) -> Reading:
    """Runs of the last 24 hours that completed, by flow."""
    counts = Counter(flow for flow, _ in server.durations)
    return ((labelled(flow=flow), count) for flow, count in sorted(counts.items()))


@_runs("runs.longest_running", unit=Unit.SECONDS)
def _longest_running(server: ServerFacts) -> Reading:
    """How long the oldest run of a flow has been running."""
    longest: defaultdict[str, float] = defaultdict(float)
    for run in server.running:
        longest[run.flow] = max(longest[run.flow], run.seconds)
    return ((labelled(flow=flow), seconds) for flow, seconds in sorted(longest.items()))


@_runs("runs.task_progress", unit=Unit.FRACTION)
def _task_progress(server: ServerFacts) -> Reading:
    """Share of task runs that ended, well or not, of the running runs of a flow."""
    ended: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for run in server.running:
        ended[run.flow] += run.tasks_done + run.tasks_failed
        known[run.flow] += run.tasks_all
    return ((labelled(flow=flow), ratio(ended[flow], known[flow])) for flow in sorted(known))


@_runs("runs.failed_tasks", unit=Unit.COUNT)
def _failed_tasks(server: ServerFacts) -> Reading:
    """Task runs that failed in running runs and in the fifty that ended last, by flow."""
    counts: Counter[str] = Counter()
    for run in (*server.running, *server.recent):
        counts[run.flow] += run.tasks_failed
    return ((labelled(flow=flow), count) for flow, count in sorted(counts.items()))


@metric("runs.stuck", unit=Unit.SECONDS, source="Prefect API")
def _stuck(seen: Observation) -> Reading:
    """How long nothing has been heard of the process of a run that is said to run."""
    silent: dict[tuple[str, str], float] = {}
    for run in seen.server.running if seen.server else ():
        heard = run.heard or run.started
        if run.kind in ALIVE:
            seconds = (seen.at - heard).total_seconds() if heard else math.nan
            silent[run.flow, run.name] = max(seconds, silent.get((run.flow, run.name), seconds))
    return ((labelled(flow=flow, run=run), seconds) for (flow, run), seconds in silent.items())


@metric("runs.since_ended", unit=Unit.SECONDS, source="Prefect API")
def _since_ended(seen: Observation) -> Reading:
    """Time since a run of a flow ended last, of those among the fifty that ended last."""
    if seen.server is None:
        return
    ended = {run.flow: run.ended for run in reversed(seen.server.recent) if run.ended}
    for flow, at in sorted(ended.items()):
        yield labelled(flow=flow), (seen.at - at).total_seconds()


def _counted(runs: Iterable[RunFacts], states: frozenset[str]) -> Reading:
    counts: Counter[str] = Counter()
    for run in runs:
        counts[run.flow] += run.state in states
    return ((labelled(flow=flow), count) for flow, count in sorted(counts.items()))


def _percentiles(server: ServerFacts, percent: float) -> Reading:
    by_flow: defaultdict[str, list[float]] = defaultdict(list)
    for flow, seconds in server.durations:
        by_flow[flow].append(seconds)
    return (
        (labelled(flow=flow), float(np.percentile(values, percent)))
        for flow, values in sorted(by_flow.items())
    )
