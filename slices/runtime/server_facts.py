"""The Prefect server as facts, by a dozen or so cheap questions."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefect.settings import PREFECT_UI_URL

from slices.domain.observations import QueueFacts, RunFacts, ServerFacts, WorkerFacts
from slices.runtime.server_asking import PAGE, asked, opened_server
from slices.runtime.server_runs import (
    RECENT,
    Remembered,
    ended_runs,
    heartbeats,
    late_runs,
    moment,
    open_runs,
    optional_moment,
    run_facts,
    task_counts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prefect.client.orchestration import SyncPrefectClient

    from slices.runtime.server_asking import Body

__all__ = ["opened_server", "server_facts"]

WINDOW = dt.timedelta(days=1)
CACHEABLE = ("fetch", "compute", "train")
CACHED = "Cached"
FAILED = ("Failed", "Crashed", "TimedOut")
COMPLETED = "COMPLETED"
RETRIED = ("prefect.flow-run.Retrying", "prefect.task-run.Retrying")
ACTION_FAILED = "prefect.automation.action.failed"
MOST_POOLS = 10

_remembered: defaultdict[str, Remembered] = defaultdict(Remembered)


@dataclass(frozen=True, kw_only=True)
class _Runs:
    running: tuple[RunFacts, ...]
    recent: tuple[RunFacts, ...]
    earlier: tuple[RunFacts, ...]
    durations: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class _Tasks:
    task_runs: int
    cacheable: int
    cached: int
    failed_fetches: int


def server_facts(client: SyncPrefectClient, *, at: dt.datetime) -> ServerFacts:
    """Look at a Prefect server.

    Args:
        client: Open; its server is asked some fifteen questions, more only in the first look and
            where very many runs end.
        at: Now (UTC).

    Raises:
        httpx.HTTPError: It gives no answer.
    """
    since, url = at - WINDOW, str(client.api_url)
    began = time.monotonic()
    version = asked(client, "/admin/version")
    answered = time.monotonic() - began
    late = late_runs(client, at=at)
    runs = _runs(client, _remembered[url], since=since, at=at)
    tasks = _tasks(client, since=since, at=at)
    events = _events(client, since=since, at=at)
    pools = asked(client, "/work_pools/filter", {"limit": MOST_POOLS})
    return ServerFacts(
        url=url.rstrip("/"),
        pages=_pages(url),
        version=str(version),
        answered_seconds=answered,
        since=since,
        states=tuple(sorted(_states(client, "flow_runs", since=since, at=at).items())),
        running=runs.running,
        recent=runs.recent,
        earlier=runs.earlier,
        durations=runs.durations,
        late=len(late),
        retries=sum(events[each] for each in RETRIED),
        task_runs=tasks.task_runs,
        cacheable=tasks.cacheable,
        cached=tasks.cached,
        failed_fetches=tasks.failed_fetches,
        failed_actions=events[ACTION_FAILED],
        deployments=int(asked(client, "/deployments/count", {})),
        paused=_paused(client, _remembered[url]),
        workers=tuple(each for pool in pools for each in _workers(client, pool["name"])),
        queues=_queues(client, pools, late),
    )


def _pages(url: str) -> str:
    return (PREFECT_UI_URL.value() or url.rstrip("/").removesuffix("/api")).rstrip("/")


def _runs(
    client: SyncPrefectClient, remembered: Remembered, *, since: dt.datetime, at: dt.datetime
) -> _Runs:
    running, ended = open_runs(client), ended_runs(client, since=since)
    shown = [*running, *ended[:RECENT]]
    remembered.name_flows(client, [*running, *ended])
    remembered.name_deployments(client, [*running, *ended])
    heard, tasks = heartbeats(client, running), task_counts(client, remembered, shown, at=at)

    def described(runs: Iterable[Body]) -> tuple[RunFacts, ...]:
        return tuple(
            run_facts(
                each, remembered, tasks=tasks.get(each["id"]), heard=heard.get(each["id"]), at=at
            )
            for each in runs
        )

    return _Runs(
        running=described(running),
        recent=described(ended[:RECENT]),
        earlier=described(e for e in ended[RECENT:] if moment(e["end_time"]) >= since),
        durations=tuple(
            (remembered.flows.get(each["flow_id"], ""), float(each["total_run_time"]))
            for each in ended
            if each["state_type"] == COMPLETED and moment(each["end_time"]) >= since
        ),
    )


def _states(
    client: SyncPrefectClient, runs: str, *, since: dt.datetime, at: dt.datetime, tag: str = ""
) -> Counter[str]:
    """Count the flow or task runs that were to begin in the window by name of state."""
    body: Body = {
        "history_start": since.isoformat(),
        "history_end": at.isoformat(),
        "history_interval_seconds": WINDOW.total_seconds(),
    }
    if tag:
        body[runs] = {"tags": {"all_": [tag]}}
    counts: Counter[str] = Counter()
    for bucket in asked(client, f"/{runs}/history", body):
        for state in bucket["states"]:
            counts[state["state_name"]] += state["count_runs"]
    return counts


def _tasks(client: SyncPrefectClient, *, since: dt.datetime, at: dt.datetime) -> _Tasks:
    kinds = {
        kind: _states(client, "task_runs", since=since, at=at, tag=f"kind:{kind}")
        for kind in CACHEABLE
    }
    return _Tasks(
        task_runs=_states(client, "task_runs", since=since, at=at).total(),
        cacheable=sum(each.total() for each in kinds.values()),
        cached=sum(each[CACHED] for each in kinds.values()),
        failed_fetches=sum(kinds["fetch"][each] for each in FAILED),
    )


def _events(client: SyncPrefectClient, *, since: dt.datetime, at: dt.datetime) -> Counter[str]:
    wanted = {
        "occurred": {"since": since.isoformat(), "until": at.isoformat()},
        "event": {"name": [*RETRIED, ACTION_FAILED]},
    }
    found = asked(client, "/events/count-by/event", {"filter": wanted})
    return Counter({each["value"]: each["count"] for each in found})


def _paused(client: SyncPrefectClient, remembered: Remembered) -> tuple[str, ...]:
    body = {"deployments": {"paused": {"eq_": True}}, "limit": PAGE}
    found = asked(client, "/deployments/filter", body)
    remembered.name_flows(client, found)
    return tuple(sorted(f"{remembered.flows[each['flow_id']]}/{each['name']}" for each in found))


def _workers(client: SyncPrefectClient, pool: str) -> tuple[WorkerFacts, ...]:
    found = asked(client, f"/work_pools/{pool}/workers/filter", {"limit": PAGE})
    return tuple(
        WorkerFacts(
            name=each["name"],
            pool=pool,
            status=each["status"],
            heard=optional_moment(each["last_heartbeat_time"]),
        )
        for each in found
    )


def _queues(
    client: SyncPrefectClient, pools: Sequence[Body], late: Iterable[Body]
) -> tuple[QueueFacts, ...]:
    """List the queues, with the late runs of each."""
    names = {each["id"]: each["name"] for each in pools}
    waiting = Counter((each["work_pool_name"], each["work_queue_name"]) for each in late)
    found = asked(client, "/work_queues/filter", {"limit": PAGE})
    return tuple(
        QueueFacts(
            pool=names[each["work_pool_id"]],
            queue=each["name"],
            is_paused=bool(each["is_paused"]),
            waiting=waiting[(names[each["work_pool_id"]], each["name"])],
        )
        for each in found
        if each["work_pool_id"] in names
    )
