"""Metrics of the Prefect server, its workers, queues, task runs and automations."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from slices.domain.monitoring import Part, Unit
from slices.monitor.metrics.registering import labelled, metric, ratio

if TYPE_CHECKING:
    from slices.domain.observations import Observation, ServerFacts
    from slices.monitor.metrics.registering import Reading

SOURCE = "Prefect API"
ONLINE = "ONLINE"


@metric("server.up", unit=Unit.STATE, source=SOURCE)
def _up(seen: Observation) -> Reading:
    """1 where the Prefect server answered, 0 where it did not."""
    was_asked = seen.server is not None or any(
        part == Part.ORCHESTRATION for part, _ in seen.unknown
    )
    return (((), float(seen.server is not None)),) if was_asked else ()


@metric("server.answer_seconds", unit=Unit.SECONDS, source=SOURCE)
def _answer_seconds(seen: Observation) -> Reading:
    """How long the Prefect server took to answer."""
    return (((), seen.server.answered_seconds),) if seen.server else ()


@metric("server.deployments", unit=Unit.COUNT, source=SOURCE)
def _deployments(seen: Observation) -> Reading:
    """Deployments that the server knows."""
    return (((), seen.server.deployments),) if seen.server else ()


@metric("server.paused_deployments", unit=Unit.COUNT, source=SOURCE)
def _paused_deployments(seen: Observation) -> Reading:
    """Deployments whose schedules are paused."""
    return (((), len(seen.server.paused)),) if seen.server else ()


@metric("tasks.runs", unit=Unit.COUNT, source=SOURCE)
def _task_runs(seen: Observation) -> Reading:
    """Task runs of the last 24 hours."""
    return (((), seen.server.task_runs),) if seen.server else ()


@metric("tasks.cache_hit_ratio", unit=Unit.FRACTION, source=SOURCE)
def _cache_hit_ratio(seen: Observation) -> Reading:
    """Share that a cache answered of the task runs of 24 hours that it could have answered."""
    return (((), ratio(seen.server.cached, seen.server.cacheable)),) if seen.server else ()


@metric("tasks.failed_fetches", unit=Unit.COUNT, source=SOURCE)
def _failed_fetches(seen: Observation) -> Reading:
    """Task runs of the last 24 hours that asked a source of data and failed."""
    return (((), seen.server.failed_fetches),) if seen.server else ()


@metric("automations.failed_actions", unit=Unit.COUNT, source=SOURCE)
def _failed_actions(seen: Observation) -> Reading:
    """Actions of automations of the last 24 hours that failed."""
    return (((), seen.server.failed_actions),) if seen.server else ()


@metric("workers.online", unit=Unit.COUNT, source=SOURCE)
def _online(seen: Observation) -> Reading:
    """Workers of a pool that are online; 0 where a pool has queues and no worker."""
    if seen.server is None:
        return
    online = Counter(each.pool for each in seen.server.workers if each.status.upper() == ONLINE)
    for pool in _pools(seen.server):
        yield labelled(pool=pool), online[pool]


@metric("workers.heartbeat_age", unit=Unit.SECONDS, source=SOURCE)
def _heartbeat_age(seen: Observation) -> Reading:
    """Time since a worker was last heard of; undefined where it never was."""
    if seen.server is None:
        return
    for each in seen.server.workers:
        age = (seen.at - each.heard).total_seconds() if each.heard else math.nan
        yield labelled(pool=each.pool, worker=each.name), age


@metric("workers.newest_heartbeat_age", unit=Unit.SECONDS, source=SOURCE)
def _newest_heartbeat_age(seen: Observation) -> Reading:
    """Time since any worker of a pool was last heard of; undefined where none ever was."""
    if seen.server is None:
        return
    for pool in _pools(seen.server):
        heard = [each.heard for each in seen.server.workers if each.pool == pool and each.heard]
        yield labelled(pool=pool), (seen.at - max(heard)).total_seconds() if heard else math.nan


@metric("queue.depth", unit=Unit.COUNT, source=SOURCE)
def _depth(seen: Observation) -> Reading:
    """Runs that wait in a queue and should have begun."""
    if seen.server is None:
        return
    for each in seen.server.queues:
        yield labelled(pool=each.pool, queue=each.queue), each.waiting


@metric("queue.paused", unit=Unit.STATE, source=SOURCE)
def _paused(seen: Observation) -> Reading:
    """1 where a queue is paused, else 0."""
    if seen.server is None:
        return
    for each in seen.server.queues:
        yield labelled(pool=each.pool, queue=each.queue), float(each.is_paused)


def _pools(server: ServerFacts) -> list[str]:
    with_queues = {each.pool for each in server.queues}
    return sorted(with_queues | {each.pool for each in server.workers})
