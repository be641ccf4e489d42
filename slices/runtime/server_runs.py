"""Flow runs of a Prefect server as facts: which run, which ended, which wait."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from slices.domain.observations import RunFacts
from slices.runtime.server_asking import asked, pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prefect.client.orchestration import SyncPrefectClient

    from slices.runtime.server_asking import Body

RECENT = 50
MOST_PAGES = 5
MOST_TASK_PAGES = 15
LATE_AFTER = dt.timedelta(seconds=30)
RECORDED_AFTER = dt.timedelta(minutes=1)
MOST_KEPT = 1000

OPEN_KINDS = ["RUNNING", "CANCELLING", "PAUSED", "PENDING", "SCHEDULED"]
ENDED_KINDS = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
FAILED_KINDS = ("FAILED", "CRASHED")
HEARTBEAT = "prefect.flow-run.heartbeat"
RUN_RESOURCE = "prefect.flow-run."

TaskCounts = Counter[str]


class Remembered:
    """What never changes of one server, so that it is asked for once.

    Names of flows and deployments by id, and how many task runs an ended run had by kind of state.
    """

    def __init__(self) -> None:
        self.flows: dict[str, str] = {}
        self.deployments: dict[str, str] = {}
        self.tasks: dict[tuple[str, str], TaskCounts] = {}

    def name_flows(self, client: SyncPrefectClient, runs: Iterable[Body]) -> None:
        """Ask for the names of flows that are not known yet."""
        for each in _unknown(client, "flows", (run["flow_id"] for run in runs), self.flows):
            self.flows[each["id"]] = each["name"]

    def name_deployments(self, client: SyncPrefectClient, runs: Iterable[Body]) -> None:
        """Ask for the names of deployments that are not known yet."""
        ids = (run["deployment_id"] for run in runs)
        for each in _unknown(client, "deployments", ids, self.deployments):
            self.deployments[each["id"]] = each["name"]

    def keep_tasks(self, counts: dict[tuple[str, str], TaskCounts]) -> None:
        """Keep the counts of ended runs, those of the newest only."""
        kept = list((self.tasks | counts).items())[-MOST_KEPT:]
        self.tasks = dict(kept)


def _unknown(
    client: SyncPrefectClient, what: str, ids: Iterable[str | None], known: dict[str, str]
) -> list[Body]:
    asked_for = sorted({each for each in ids if each and each not in known})
    if not asked_for:
        return []
    body = {what: {"id": {"any_": asked_for}}}
    return [each for page in pages(client, f"/{what}/filter", body, most=MOST_PAGES)
            for each in page]  # fmt: skip


def open_runs(client: SyncPrefectClient) -> list[Body]:
    """List the runs that have begun and not ended, those that wait for another attempt included."""
    body = {
        "flow_runs": {
            "state": {"type": {"any_": OPEN_KINDS}},
            "start_time": {"is_null_": False},
        },
        "sort": "START_TIME_DESC",
    }
    return [each for page in pages(client, "/flow_runs/filter", body, most=1) for each in page]


def ended_runs(client: SyncPrefectClient, *, since: dt.datetime) -> list[Body]:
    """List the runs that ended last, newest first: all since then, and fifty at least."""
    body = {"flow_runs": {"state": {"type": {"any_": ENDED_KINDS}}}, "sort": "END_TIME_DESC"}
    found: list[Body] = []
    for page in pages(client, "/flow_runs/filter", body, most=MOST_PAGES):
        found += [each for each in page if each["end_time"]]
        if found and moment(found[-1]["end_time"]) < since:
            break
    return found


def late_runs(client: SyncPrefectClient, *, at: dt.datetime) -> list[Body]:
    """List the runs that should have begun.

    It does not matter whether the server has called them late yet, nor whether a worker took them:
    one that died over it leaves them pending for ever.
    """
    body = {
        "flow_runs": {
            "state": {"name": {"any_": ["Late", "Scheduled", "Pending"]}},
            "start_time": {"is_null_": True},
            "expected_start_time": {"before_": (at - LATE_AFTER).isoformat()},
        }
    }
    found = pages(client, "/flow_runs/filter", body, most=MOST_PAGES)
    return [each for page in found for each in page]


def heartbeats(client: SyncPrefectClient, runs: Sequence[Body]) -> dict[str, dt.datetime]:
    """Find when the processes of running runs were last heard of, by run."""
    if not runs:
        return {}
    started = min(moment(each["start_time"]) for each in runs)
    names = [f"{RUN_RESOURCE}{each['id']}" for each in runs]
    wanted = {
        "occurred": {"since": started.isoformat()},
        "event": {"name": [HEARTBEAT]},
        "resource": {"id": names},
    }
    found = asked(client, "/events/count-by/resource", {"filter": wanted})
    return {each["value"].removeprefix(RUN_RESOURCE): moment(each["end_time"]) for each in found}


def task_counts(
    client: SyncPrefectClient, remembered: Remembered, runs: Sequence[Body], *, at: dt.datetime
) -> dict[str, TaskCounts]:
    """Count the task runs of flow runs by kind of state.

    What ended a minute ago is counted once: by then every task run is recorded. Of the first look
    at very many task runs only the newest 3,000 are counted.
    """
    known = {each["id"]: remembered.tasks[_key(each)] for each in runs
             if _key(each) in remembered.tasks}  # fmt: skip
    missing = [each for each in runs if each["id"] not in known]
    counts = {each["id"]: TaskCounts() for each in missing}
    if missing:
        body = {"flow_runs": {"id": {"any_": list(counts)}}, "sort": "END_TIME_DESC"}
        for page in pages(client, "/task_runs/filter", body, most=MOST_TASK_PAGES):
            for each in page:
                counts[each["flow_run_id"]][each["state_type"] or "PENDING"] += 1
    settled = [each for each in missing if _ended_before(each, at - RECORDED_AFTER)]
    remembered.keep_tasks({_key(each): counts[each["id"]] for each in settled})
    return known | counts


def _key(run: Body) -> tuple[str, str]:
    return (run["id"], run["end_time"] or "")


def _ended_before(run: Body, instant: dt.datetime) -> bool:
    return bool(run["end_time"]) and moment(run["end_time"]) < instant


def run_facts(
    run: Body, remembered: Remembered, *, tasks: TaskCounts | None, heard: dt.datetime | None,
    at: dt.datetime,
) -> RunFacts:  # fmt: skip
    """Describe a run; without counts of its task runs they are 0."""
    state: Body = run["state"] or {}
    tasks = tasks or TaskCounts()
    started = optional_moment(run["start_time"])
    return RunFacts(
        run_id=run["id"],
        name=run["name"],
        flow=remembered.flows.get(run["flow_id"], ""),
        deployment=remembered.deployments.get(run["deployment_id"] or "", ""),
        tags=tuple(run["tags"]),
        state=run["state_name"] or "",
        kind=run["state_type"] or "",
        message=state.get("message") or "",
        expected=optional_moment(run["expected_start_time"]),
        started=started,
        ended=optional_moment(run["end_time"]),
        seconds=_seconds(run, started, at),
        heard=_heard(run, state, heard),
        tasks_done=tasks["COMPLETED"],
        tasks_failed=sum(tasks[each] for each in FAILED_KINDS),
        tasks_all=tasks.total(),
    )


def _seconds(run: Body, started: dt.datetime | None, at: dt.datetime) -> float:
    """Return how long a run ran; of one that has not ended, since it first began."""
    if run["end_time"] or started is None:
        return float(run["total_run_time"])
    return max(0.0, (at - started).total_seconds())


def _heard(run: Body, state: Body, heartbeat: dt.datetime | None) -> dt.datetime | None:
    """Return the last heartbeat, or when its process said that it runs, whichever is later."""
    said = optional_moment(state.get("timestamp")) if run["state_type"] == "RUNNING" else None
    return max((each for each in (said, heartbeat) if each), default=None)


def moment(text: str) -> dt.datetime:
    """Read an instant (UTC)."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def optional_moment(text: Any) -> dt.datetime | None:
    """Read an instant where there is one."""
    return moment(text) if text else None
