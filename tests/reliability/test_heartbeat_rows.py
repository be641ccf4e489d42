"""Runs that nobody hears of any more, and those that merely were heard of too late."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.states import Cancelled, Completed, Crashed, Failed, Running
from pydantic import SecretStr

from deployments.automations import PREFIX, Known, desired_automations
from deployments.blocks import block_ids, blocks_stage
from deployments.receivers import wanted_blocks
from deployments.syncing import automation_changes
from slices.domain.alerts import WatchBeat
from tests.support.applying import wipe
from tests.support.receiver import Receiver, running_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.client.schemas import FlowRun, State

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

LEAST = dt.timedelta(seconds=10)
"""The shortest silence that Prefect can wait for."""

SECONDS = 240.0
AGAIN = 40.0
"""A run sends more than one heartbeat, and one may be lost where a server finds its
database locked. A run that Prefect then never finds is one for the rule run-stuck of the watch."""

SILENCES = {f"{PREFIX}zombie runs", f"{PREFIX}silence of the watch"}
ENDS: tuple[State[None], ...] = (Completed(), Failed(), Crashed(message="before"), Cancelled())


@flow
def some_flow() -> None:
    """Only its runs matter here."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as each:
        yield each


@pytest.fixture(scope="module")
def client(api_url: str, receiver: Receiver) -> Iterator[SyncPrefectClient]:
    assert api_url
    with get_client(sync_client=True) as each:
        for change in blocks_stage(wanted_blocks(SecretStr(receiver.url)))(each):
            change.make(each)
        known = Known(deployments={}, blocks=block_ids(each), tags={"trading": ()})
        every = desired_automations((), known, run_silence=LEAST, watch_silence=LEAST)
        silences = [one for one in every if one.name in SILENCES]
        for change in automation_changes(each, silences):
            change.make(each)
        yield each
        wipe(each)


def begun(client: SyncPrefectClient) -> FlowRun:
    return client.create_flow_run(some_flow, state=Running())


def heartbeat(client: SyncPrefectClient, run: FlowRun) -> None:
    send(client, "prefect.flow-run.heartbeat", f"prefect.flow-run.{run.id}")


def beat(client: SyncPrefectClient, watch: str) -> None:
    send(client, WatchBeat.name, f"{WatchBeat.name}.{watch}")


def send(client: SyncPrefectClient, event: str, resource: str) -> None:
    sent = {
        "id": str(uuid4()), "occurred": dt.datetime.now(dt.UTC).isoformat(), "event": event,
        "payload": {}, "related": [], "resource": {"prefect.resource.id": resource},
    }  # fmt: skip
    client.request("POST", "/events", json=[sent])


def state(client: SyncPrefectClient, run: FlowRun) -> State[None]:
    found = client.read_flow_run(run.id).state
    assert found is not None
    return found


def refusals(client: SyncPrefectClient, run: FlowRun) -> list[str]:
    """Why the automation could not crash a run."""
    wanted = {
        "event": {"name": ["prefect.automation.action.failed"]},
        "related": {"id": [f"prefect.flow-run.{run.id}"]},
    }
    found = client.request("POST", "/events/filter", json={"filter": wanted}).json()["events"]
    return [each["payload"]["reason"] for each in found]


def unheard(client: SyncPrefectClient, silent: FlowRun, ended: list[FlowRun]) -> list[FlowRun]:
    """The runs whose silence the automation has not answered yet."""
    alive = [] if state(client, silent).is_crashed() else [silent]
    return alive + [run for run in ended if not refusals(client, run)]


def test_r22_a_late_heartbeat_overwrites_no_end_and_silence_without_one_is_a_crash(
    client: SyncPrefectClient,
) -> None:
    silent, ended = begun(client), [begun(client) for _ in ENDS]
    in_time = begun(client)
    for run, end in zip(ended, ENDS, strict=True):
        client.set_flow_run_state(run.id, end)
    before = [state(client, run) for run in ended]
    for run in (*ended, silent, in_time):
        heartbeat(client, run)
    client.set_flow_run_state(in_time.id, Completed())
    deadline = time.monotonic() + SECONDS
    spoken = time.monotonic()
    while waiting := unheard(client, silent, ended):
        assert time.monotonic() < deadline, (state(client, silent), before)
        if time.monotonic() > spoken + AGAIN:
            spoken = time.monotonic()
            for run in waiting:
                heartbeat(client, run)
        time.sleep(0.5)
    for run, was in zip(ended, before, strict=True):
        now = state(client, run)
        assert (now.id, now.type, now.message) == (was.id, was.type, was.message)
        assert "terminal" in refusals(client, run)[0]
    assert state(client, in_time).is_completed()
    assert refusals(client, in_time) == []
    assert "No sign of life" in (state(client, silent).message or "")


def test_a_watch_that_falls_silent_is_told_once_and_one_that_goes_on_is_not(
    client: SyncPrefectClient, receiver: Receiver
) -> None:
    beat(client, "gone")
    deadline = time.monotonic() + SECONDS
    while not receiver.messages:
        assert time.monotonic() < deadline
        beat(client, "alive")
        time.sleep(0.5)
    (message,) = receiver.messages
    assert (message["level"], message["type"]) == ("critical", "failure")
    assert "nobody watches" in message["title"]
