"""A known observation gives known values: machine, runs, server, data, models, alerts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from slices.domain.observations import (
    Observation,
    QueueFacts,
    RunFacts,
    WorkerFacts,
)
from slices.monitor.metrics import METRICS, metric_type
from tests.support.observed import (
    GIB,
    alert_facts,
    feed_facts,
    host_facts,
    model_facts,
    run_facts,
    server_facts,
)
from tests.support.observed_accounts import NOW

Values = dict[str, float]
PREFIXES = {
    "host", "runs", "server", "tasks", "automations", "workers", "queue", "data", "model",
    "alerts", "events", "watch",
}  # fmt: skip


def ago(**parts: float) -> dt.datetime:
    return NOW - dt.timedelta(**parts)


def host(**facts: object) -> Observation:
    return Observation(at=NOW, host=dataclasses.replace(host_facts(), **facts))  # type: ignore[arg-type]


def server(**facts: object) -> Observation:
    return Observation(at=NOW, server=dataclasses.replace(server_facts(), **facts))  # type: ignore[arg-type]


def run(flow: str, state: str, **facts: object) -> RunFacts:
    return dataclasses.replace(run_facts(1, flow=flow, state=state), **facts)  # type: ignore[arg-type]


def feeds(**facts: object) -> Observation:
    changed = dataclasses.replace(feed_facts()[1], **facts)  # type: ignore[arg-type]
    return Observation(at=NOW, data=(feed_facts()[0], changed))


def models(**facts: object) -> Observation:
    first, second = model_facts()
    changed = dataclasses.replace(first, **facts)  # type: ignore[arg-type]
    return Observation(at=NOW, models=(changed, second))


def alerts(**facts: object) -> Observation:
    return Observation(at=NOW, alerts=dataclasses.replace(alert_facts(), **facts))  # type: ignore[arg-type]


ENDED = (
    run("a", "Completed", ended=ago(minutes=1)),
    run("b", "Failed", ended=ago(minutes=2), tasks_failed=2),
    run("a", "Crashed", ended=ago(minutes=3), tasks_failed=1),
    run("a", "TimedOut", ended=ago(minutes=4), tasks_failed=0),
    run("b", "Cancelled", ended=ago(minutes=5)),
    run("a", "Degraded", ended=ago(minutes=6)),
    run("a", "Completed", ended=ago(minutes=7)),
    run("a", "Failed", ended=ago(minutes=8), tasks_failed=0),
    run("c", "Failed", ended=ago(days=8), deployment="", tasks_failed=0),
)
RUNNING = (
    run("a", "Running", name="x", seconds=50.0, heard=ago(seconds=7), tasks_done=1, tasks_failed=2,
        tasks_all=4),
    run("a", "Running", name="y", seconds=90.0, heard=None, started=ago(seconds=90), tasks_done=0,
        tasks_failed=0, tasks_all=2),
    run("b", "Running", name="x", heard=None, started=None, tasks_all=0, tasks_done=0),
    run("b", "Paused", kind="PAUSED", name="z", seconds=5.0, tasks_done=0, tasks_failed=0,
        tasks_all=0),
)  # fmt: skip
WORKERS = (
    WorkerFacts(name="one", pool="local", status="ONLINE", heard=ago(seconds=9)),
    WorkerFacts(name="two", pool="local", status="OFFLINE", heard=ago(seconds=400)),
    WorkerFacts(name="new", pool="far", status="online", heard=None),
)
QUEUES = (
    QueueFacts(pool="local", queue="default", is_paused=True, waiting=4),
    QueueFacts(pool="empty", queue="default", is_paused=False, waiting=0),
)
STATES = (("Completed", 6), ("Degraded", 2), ("Failed", 1), ("Crashed", 1), ("Running", 9))
DURATIONS = (("a", 10.0), ("a", 30.0), ("a", 20.0), ("b", 5.0))
NAN = math.nan
CHAMPION, CHALLENGER = "champion ranker 4", "challenger ranker 5"
LEVELS = {"info": 0, "warning": 1, "error": 0, "critical": 1}
PARTS = ("host", "orchestration", "data", "trading", "models", "alerting")

CASES: list[tuple[str, Observation, Values]] = [
    ("host.cpu", host(cpu=0.25), {"": 0.25}),
    ("host.load_per_core", host(load_1m=3.0, cores=4), {"": 0.75}),
    ("host.load_per_core", host(cores=0), {"": NAN}),
    ("host.memory_used", host(memory_used=0.5), {"": 0.5}),
    ("host.memory_available", host(memory_total=8 * GIB, memory_used=0.75), {"": 2 * GIB}),
    ("host.swap_used", host(swap_used=0.125), {"": 0.125}),
    ("host.disk_used", host(disk_used=0.9), {"": 0.9}),
    ("host.disk_free", host(disk_free=7), {"": 7}),
    ("host.home_size", host(home_size=9), {"": 9}),
    ("host.home_share", host(home_size=25, disk_total=100), {"": 0.25}),
    ("host.home_share", host(disk_total=0), {"": NAN}),
    ("host.open_files", host(open_files=12), {"": 12}),
    ("host.open_files_used", host(open_files=256, open_files_limit=1024), {"": 0.25}),
    ("host.open_files_used", host(open_files_limit=-1), {"": NAN}),
    ("host.processes", host(processes=5), {"": 5}),
    ("runs.by_state", server(states=STATES), dict(STATES)),
    ("runs.running", server(running=RUNNING), {"": 4}),
    ("runs.late", server(late=3), {"": 3}),
    ("runs.retries", server(retries=11), {"": 11}),
    ("runs.success_ratio", server(states=STATES), {"": 0.8}),
    ("runs.success_ratio", server(states=(("Running", 2),)), {"": NAN}),
    ("runs.degraded_ratio", server(states=STATES), {"": 0.25}),
    ("runs.degraded_ratio", server(states=()), {"": NAN}),
    ("runs.failed", server(recent=ENDED), {"a": 3, "b": 1, "c": 1}),
    ("runs.failed_of_five", server(recent=ENDED), {"a/daily": 2, "b/daily": 1}),
    ("runs.cancelled", server(recent=ENDED), {"a": 0, "b": 1, "c": 0}),
    ("runs.duration_p50", server(durations=DURATIONS), {"a": 20.0, "b": 5.0}),
    ("runs.duration_p95", server(durations=DURATIONS), {"a": 29.0, "b": 5.0}),
    ("runs.duration_p99", server(durations=DURATIONS), {"a": 29.8, "b": 5.0}),
    ("runs.duration_p50", server(durations=()), {}),
    ("runs.completed", server(durations=DURATIONS), {"a": 3, "b": 1}),
    ("runs.longest_running", server(running=RUNNING[:3]), {"a": 90.0, "b": 900.0}),
    ("runs.task_progress", server(running=RUNNING), {"a": 0.5, "b": NAN}),
    ("runs.failed_tasks", server(running=RUNNING, recent=ENDED), {"a": 3, "b": 2, "c": 0}),
    ("runs.stuck", server(running=RUNNING), {"a x": 7.0, "a y": 90.0, "b x": NAN}),
    ("runs.since_ended", server(recent=ENDED), {"a": 60.0, "b": 120.0, "c": 8 * 86_400.0}),
    ("server.up", server(), {"": 1}),
    ("server.up", Observation(at=NOW, unknown=(("orchestration", "refused"),)), {"": 0}),
    ("server.up", Observation(at=NOW), {}),
    ("server.answer_seconds", server(answered_seconds=0.5), {"": 0.5}),
    ("server.deployments", server(deployments=23), {"": 23}),
    ("server.paused_deployments", server(paused=("a/b", "c/d")), {"": 2}),
    ("tasks.runs", server(task_runs=77), {"": 77}),
    ("tasks.cache_hit_ratio", server(cacheable=8, cached=2), {"": 0.25}),
    ("tasks.cache_hit_ratio", server(cacheable=0, cached=0), {"": NAN}),
    ("tasks.failed_fetches", server(failed_fetches=3), {"": 3}),
    ("automations.failed_actions", server(failed_actions=4), {"": 4}),
    ("workers.online", server(workers=WORKERS, queues=QUEUES),
     {"local": 1, "far": 1, "empty": 0}),
    ("workers.heartbeat_age", server(workers=WORKERS),
     {"local one": 9.0, "local two": 400.0, "far new": NAN}),
    ("workers.newest_heartbeat_age", server(workers=WORKERS, queues=QUEUES),
     {"local": 9.0, "far": NAN, "empty": NAN}),
    ("queue.depth", server(queues=QUEUES), {"local default": 4, "empty default": 0}),
    ("queue.paused", server(queues=QUEUES), {"local default": 1, "empty default": 0}),
    ("data.age_sessions", feeds(age_sessions=6), {"daily files": 6}),
    ("data.since_ingested", feeds(ingested=ago(hours=1)),
     {"daily files": 3600.0, "us_ohlcv5 embedded": 3 * 86_400.0}),
    ("data.feeds", feeds(), {"": 2}),
    ("data.feeds", Observation(at=NOW, data=()), {"": 0}),
    ("data.stale_feeds", feeds(age_sessions=1), {"": 1}),
    ("data.stale_feeds", feeds(age_sessions=0), {"": 0}),
    ("data.symbols", feeds(symbols=20), {"daily files": 20, "us_ohlcv5 embedded": 5}),
    ("data.rows", feeds(rows=60), {"daily files": 60, "us_ohlcv5 embedded": 15_000}),
    ("data.gaps", feeds(gaps=2), {"daily files": 2, "us_ohlcv5 embedded": 0}),
    ("data.gap_ratio", feeds(gaps=2, rows=6), {"daily files": 0.25, "us_ohlcv5 embedded": 0}),
    ("data.gap_ratio", feeds(gaps=0, rows=0), {"daily files": NAN, "us_ohlcv5 embedded": 0}),
    ("data.quarantined", feeds(quarantined=7), {"daily files": 7, "us_ohlcv5 embedded": 0}),
    ("data.quarantine_ratio", feeds(quarantined=1, rows=3),
     {"daily files": 0.25, "us_ohlcv5 embedded": 0}),
    ("data.suspected_splits", feeds(suspected_splits=2),
     {"daily files": 2, "us_ohlcv5 embedded": 0}),
    ("model.versions", models(alias=""), {"none": 1, "challenger": 1}),
    ("model.ic_live", models(live_ic=0.01), {CHAMPION: 0.01, CHALLENGER: NAN}),
    ("model.ic_expected", models(expected_ic=0.04), {CHAMPION: 0.04, CHALLENGER: 0.041}),
    ("model.ic_decay", models(expected_ic=0.5, live_ic=0.25), {CHAMPION: 0.25, CHALLENGER: NAN}),
    ("model.ic_kept", models(expected_ic=0.5, live_ic=-0.25), {CHAMPION: -0.5, CHALLENGER: NAN}),
    ("model.ic_kept", models(expected_ic=-0.5), {CHAMPION: NAN, CHALLENGER: NAN}),
    ("model.drifted", models(drifted=0.5), {CHAMPION: 0.5, CHALLENGER: NAN}),
    ("model.age_sessions", models(age_sessions=40), {CHAMPION: 40, CHALLENGER: 3}),
    ("model.coverage", models(coverage=0.75), {CHAMPION: 0.75, CHALLENGER: NAN}),
    ("model.coverage_gap", models(coverage=0.75, nominal_coverage=1.0),
     {CHAMPION: 0.25, CHALLENGER: NAN}),
    ("model.matured", models(matured=21), {CHAMPION: 21, CHALLENGER: 0}),
    ("model.pending", models(pending=6), {CHAMPION: 6, CHALLENGER: 5}),
    ("alerts.open", alerts(open=(("warning", 1), ("critical", 1))), dict(LEVELS)),
    ("alerts.opened", alerts(opened=(("warning", 1), ("critical", 1))), dict(LEVELS)),
    ("alerts.unacknowledged", alerts(unacknowledged=3), {"": 3}),
    ("alerts.undelivered", alerts(undelivered=2), {"": 2}),
    ("alerts.oldest_undelivered", alerts(oldest_undelivered_seconds=61.5), {"": 61.5}),
    ("alerts.delivered", alerts(delivered=8), {"": 8}),
    ("events.count", alerts(events=64), {"": 64}),
    ("watch.unseen", Observation(at=NOW, unknown=(("data", "locked"),)),
     {each: float(each == "data") for each in PARTS}),
]  # fmt: skip


def values(name: str, seen: Observation) -> Values:
    """What a metric says, by the words of its labels."""
    samples = metric_type(name).measure(seen)
    return {" ".join(word for _, word in each.labels): each.value for each in samples}


@pytest.mark.parametrize(("name", "seen", "expected"), CASES)
def test_a_known_observation_gives_known_values(
    name: str, seen: Observation, expected: Values
) -> None:
    assert values(name, seen) == pytest.approx(expected, nan_ok=True)


def test_every_metric_of_these_parts_has_a_known_value() -> None:
    mine = {each.name for each in METRICS if each.name.partition(".")[0] in PREFIXES}
    assert {name for name, _, _ in CASES} == mine


@pytest.mark.parametrize(
    ("name", "quantile"),
    [("runs.duration_p50", 0.5), ("runs.duration_p95", 0.95), ("runs.duration_p99", 0.99)],
)
def test_percentiles_are_those_of_pandas(name: str, quantile: float) -> None:
    chance = np.random.default_rng(7)
    frame = pd.DataFrame({
        "flow": chance.choice(["a", "b", "c"], 400),
        "seconds": chance.lognormal(3, 1, 400),
    })  # fmt: skip
    durations = tuple(zip(frame["flow"], map(float, frame["seconds"]), strict=True))
    expected = frame.groupby("flow")["seconds"].quantile(quantile).to_dict()
    assert values(name, server(durations=durations)) == pytest.approx(expected, rel=1e-12)


def test_counts_by_flow_are_those_of_pandas() -> None:
    chance = np.random.default_rng(7)
    states = ["Completed", "Failed", "Crashed", "TimedOut", "Cancelled", "Degraded"]
    runs = tuple(
        run(str(flow), str(state), ended=ago(minutes=number))
        for number, (flow, state) in enumerate(
            zip(chance.choice(["a", "b"], 50), chance.choice(states, 50), strict=True)
        )
    )
    frame = pd.DataFrame({"flow": [each.flow for each in runs], "state": [e.state for e in runs]})
    frame["bad"] = frame["state"].isin(["Failed", "Crashed", "TimedOut"])
    seen = server(recent=runs)
    assert values("runs.failed", seen) == frame.groupby("flow")["bad"].sum().to_dict()
    five = frame.groupby("flow").head(5).groupby("flow")["bad"].sum()
    expected = {f"{flow}/daily": count for flow, count in five.items()}
    assert values("runs.failed_of_five", seen) == expected
