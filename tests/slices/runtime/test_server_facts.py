"""Facts of a Prefect server, held against runs that were really made on it."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Completed, Failed, Pending, Running, Scheduled

from slices.domain.observations import RunFacts, ServerFacts
from slices.runtime.server_facts import opened_server, server_facts
from slices.runtime.server_runs import RECENT

WAIT_SECONDS = 60.0


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def client(api_url: str) -> Iterator[SyncPrefectClient]:
    """A client that asks a busy server again."""
    with SyncPrefectClient(api_url) as opened:
        yield opened


def wait_until(client: SyncPrefectClient, is_so: Callable[[ServerFacts], bool]) -> ServerFacts:
    """Look until something is so: a server records events and task runs a moment later."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so(found := server_facts(client, at=now())):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


@dataclass(frozen=True)
class Made:
    """A flow run that a test makes the states of."""

    client: SyncPrefectClient
    run_id: uuid.UUID

    def found(self, among: tuple[RunFacts, ...]) -> RunFacts | None:
        return next((each for each in among if each.run_id == str(self.run_id)), None)


@flow(name="watched")
def watched() -> None:
    pass


@pytest.fixture
def made(client: SyncPrefectClient) -> Made:
    return Made(client, client.create_flow_run(watched, name="made", tags=["kept"]).id)


def test_task_runs_are_counted_by_kind_and_fate(client: SyncPrefectClient) -> None:
    attempts: list[int] = []
    key = uuid.uuid4().hex

    @task(tags=["kind:compute"], cache_key_fn=lambda *_: key, persist_result=True)
    def computed() -> int:
        return 1

    @task(tags=["kind:fetch"], retries=1)
    def fetched() -> int:
        attempts.append(1)
        if len(attempts) != 2:
            raise ValueError
        return 1

    @task(tags=["kind:act"])
    def acted() -> None:
        pass

    @flow(name="counted")
    def counted() -> object:
        computed()
        computed()
        acted()
        fetched()
        return fetched(return_state=True)

    before = server_facts(client, at=now())
    assert counted(return_state=True).is_failed()
    after = wait_until(
        client,
        lambda found: (
            found.task_runs == before.task_runs + 5
            and found.retries == before.retries + 2
            and found.cacheable == before.cacheable + 4
        ),
    )
    assert after.cached - before.cached == 1
    assert after.failed_fetches - before.failed_fetches == 1
    run = after.recent[0]
    assert (run.flow, run.state, run.kind) == ("counted", "Failed", "FAILED")
    assert (run.tasks_all, run.tasks_done, run.tasks_failed) == (5, 4, 1)
    assert run.started
    assert run.ended
    assert run.seconds == pytest.approx((run.ended - run.started).total_seconds(), abs=0.5)
    assert dict(after.states)["Failed"] == dict(before.states).get("Failed", 0) + 1


def test_a_run_that_ended_well_gives_its_duration(client: SyncPrefectClient, made: Made) -> None:
    before = dict(server_facts(client, at=now()).states).get("Degraded", 0)
    ending: State = Completed(name="Degraded", message="one thing is missing")
    client.set_flow_run_state(made.run_id, Running(), force=True)
    client.set_flow_run_state(made.run_id, ending, force=True)
    known = client.read_flow_run(made.run_id)
    assert known.start_time
    assert known.end_time
    seconds = (known.end_time - known.start_time).total_seconds()
    found = server_facts(client, at=now())
    assert any(name == "watched" and each == pytest.approx(seconds)
               for name, each in found.durations)  # fmt: skip
    ended = made.found(found.recent)
    assert ended is not None
    assert (ended.state, ended.kind, ended.message) == (
        "Degraded", "COMPLETED", "one thing is missing"
    )  # fmt: skip
    assert (ended.flow, ended.name, ended.tags) == ("watched", "made", ("kept",))
    assert (ended.started, ended.ended) == (known.start_time, known.end_time)
    assert dict(found.states)["Degraded"] == before + 1
    later = server_facts(client, at=now() + dt.timedelta(days=2))
    assert not later.durations
    assert "Degraded" not in dict(later.states)
    assert made.found(later.recent) is not None, "what ended last is shown however long ago"


def test_a_run_is_heard_of_by_its_state_and_then_by_heartbeats(
    client: SyncPrefectClient, made: Made
) -> None:
    assert made.found(server_facts(client, at=now()).running) is None
    client.set_flow_run_state(made.run_id, Running(), force=True)
    began = client.read_flow_run(made.run_id).start_time
    assert began
    found = made.found(server_facts(client, at=began + dt.timedelta(minutes=20)).running)
    assert found is not None
    assert found.started == began
    assert found.heard is not None
    assert abs((found.heard - began).total_seconds()) < 1
    assert found.seconds == pytest.approx(1200)
    for _ in range(2):
        beat = emit_event(
            "prefect.flow-run.heartbeat",
            resource={"prefect.resource.id": f"prefect.flow-run.{made.run_id}"},
        )
    assert beat is not None
    assert beat.occurred > found.heard
    wait_until(client, lambda facts: _heard(made, facts) == beat.occurred)
    client.set_flow_run_state(made.run_id, Completed(), force=True)
    assert made.found(server_facts(client, at=now()).running) is None


def _heard(made: Made, facts: ServerFacts) -> dt.datetime | None:
    found = made.found(facts.running)
    return found.heard if found else None


def test_a_run_nobody_starts_is_late_in_its_queue(client: SyncPrefectClient) -> None:
    pool = f"pool-{uuid.uuid4().hex[:8]}"
    client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    flow_id = client.create_flow_from_name("late-flow")
    deployment = client.create_deployment(
        flow_id=flow_id, name="daily", work_pool_name=pool, work_queue_name="default", paused=True
    )
    due = now()
    before = server_facts(client, at=due)
    assert (pool, "default", False, 0) in [
        (each.pool, each.queue, each.is_paused, each.waiting) for each in before.queues
    ]
    assert "late-flow/daily" in before.paused
    run = client.create_flow_run_from_deployment(deployment, state=Scheduled(scheduled_time=due))
    assert server_facts(client, at=due + dt.timedelta(seconds=10)).late == before.late
    after = server_facts(client, at=due + dt.timedelta(seconds=120))
    assert after.late == before.late + 1
    assert next(each for each in after.queues if each.pool == pool).waiting == 1
    client.set_flow_run_state(run.id, Pending(), force=True)
    client.set_flow_run_state(run.id, Running(), force=True)
    begun = server_facts(client, at=due + dt.timedelta(seconds=120))
    assert begun.late == before.late
    running = next(each for each in begun.running if each.run_id == str(run.id))
    assert (running.flow, running.deployment) == ("late-flow", "daily")
    client.delete_deployment(deployment)
    gone = server_facts(client, at=now())
    assert gone.deployments == before.deployments - 1
    assert "late-flow/daily" not in gone.paused
    client.delete_flow_run(run.id)


def test_a_run_that_was_taken_and_never_began_is_late(
    client: SyncPrefectClient, made: Made
) -> None:
    client.set_flow_run_state(made.run_id, Pending(), force=True)
    due = now()
    before = server_facts(client, at=due - dt.timedelta(seconds=30)).late
    assert server_facts(client, at=due + dt.timedelta(seconds=120)).late == before + 1
    client.set_flow_run_state(made.run_id, Running(), force=True)
    assert server_facts(client, at=due + dt.timedelta(seconds=120)).late == before
    client.delete_flow_run(made.run_id)


def test_no_run_of_the_day_is_missed_however_many_ended_since(
    client: SyncPrefectClient, made: Made
) -> None:
    client.set_flow_run_state(made.run_id, Failed(message="no bars"), force=True)
    for _ in range(RECENT):
        later = client.create_flow_run(watched, name="later")
        client.set_flow_run_state(later.id, Completed(), force=True)
    found = server_facts(client, at=now())
    assert len(found.recent) == RECENT
    assert made.found(found.recent) is None
    failed = made.found(found.earlier)
    assert failed is not None
    assert (failed.state, failed.flow, failed.message) == ("Failed", "watched", "no bars")
    assert made.found(server_facts(client, at=now() + dt.timedelta(days=2)).earlier) is None


def test_a_run_that_is_retried_ends_another_time(client: SyncPrefectClient, made: Made) -> None:
    ends = []
    for _ in range(2):
        client.set_flow_run_state(made.run_id, Running(), force=True)
        client.set_flow_run_state(made.run_id, Failed(), force=True)
        found = made.found(server_facts(client, at=now()).recent)
        assert found is not None
        ends.append(found.ended)
    assert ends[0] != ends[1]


def test_a_worker_is_heard_of(client: SyncPrefectClient) -> None:
    pool = f"pool-{uuid.uuid4().hex[:8]}"
    client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    began = now()
    body = {"name": "one", "heartbeat_interval_seconds": 30}
    client.request("POST", f"/work_pools/{pool}/workers/heartbeat", json=body)  # type: ignore[arg-type]
    found = [each for each in server_facts(client, at=now()).workers if each.pool == pool]
    (worker,) = found
    assert (worker.name, worker.status) == ("one", "ONLINE")
    assert worker.heard is not None
    assert abs((worker.heard - began).total_seconds()) < 30


def test_actions_that_failed_are_counted(client: SyncPrefectClient) -> None:
    before = server_facts(client, at=now()).failed_actions
    emit_event(
        "prefect.automation.action.failed",
        resource={"prefect.resource.id": f"prefect.automation.{uuid.uuid4()}"},
        occurred=now() - dt.timedelta(seconds=1),
    )
    wait_until(client, lambda found: found.failed_actions == before + 1)


def test_a_look_costs_few_questions(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_facts(client, at=now())
    questions: list[str] = []
    plain = SyncPrefectClient.request

    def counting(self: SyncPrefectClient, method: str, path: str, **kwargs: Any) -> object:
        if not (kwargs.get("json") or {}).get("offset"):  # further pages come with further runs
            questions.append(path)
        return plain(self, method, path, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(SyncPrefectClient, "request", counting)
    found = server_facts(client, at=now())
    pools = {each.pool for each in found.queues}
    assert len(questions) <= 16 + len(pools), questions
    assert found.version.startswith("3.")
    assert found.answered_seconds > 0
    assert found.url.endswith("/api")
    assert not found.pages.endswith("/api")


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    with opened_server("http://127.0.0.1:9/api") as nobody, pytest.raises(httpx.HTTPError):
        server_facts(nobody, at=now())
