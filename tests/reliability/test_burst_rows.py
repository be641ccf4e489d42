"""Row 13: many runs at once on SQLite, where one process writes at a time."""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from prefect import flow, get_run_logger, tags, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterTags,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.events import emit_event
from prefect.settings import (
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun, State, TaskRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AT_ONCE = 8
STEPS = 15
RECORDED_SECONDS = 120.0
LOCKED = "database is locked"


@task
def step(number: int) -> int:
    """Leave what a step of a flow leaves on the server: states, a line of log, an event."""
    get_run_logger().info("step %d", number)
    emit_event("tradeflows.tests.burst", resource={"prefect.resource.id": f"burst.{number}"})
    return number


@flow
def many_steps(place: int) -> int:
    """Order all steps at once, and show something."""
    done = step.map(range(STEPS)).result()
    create_markdown_artifact(f"{len(done)} steps", key=f"burst-{place}")
    return len(done)


def one_run(place: int, start: threading.Barrier) -> State[Any]:
    """Wait for the others, then run."""
    start.wait()
    return many_steps(place, return_state=True)


def burst(tag: str) -> list[State[Any]]:
    """Start all runs in the same moment, each in a thread with the settings of this one."""
    start = threading.Barrier(AT_ONCE)
    with (
        temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}),
        tags(tag),
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        ordered = [
            threads.submit(contextvars.copy_context().run, one_run, place, start)
            for place in range(AT_ONCE)
        ]
        return [each.result() for each in ordered]


def recorded(tag: str, expected: int) -> tuple[list[FlowRun], list[TaskRun]]:
    """Read what the server knows of the runs, once it knows the end of every step."""
    deadline, ours = time.monotonic() + RECORDED_SECONDS, FlowRunFilterTags(all_=[tag])
    with get_client(sync_client=True) as client:
        while True:
            steps = client.read_task_runs(flow_run_filter=FlowRunFilter(tags=ours), limit=200)
            ended = [each for each in steps if each.state and each.state.is_final()]
            if len(ended) >= expected or time.monotonic() > deadline:
                return client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=ours)), steps
            time.sleep(0.2)


def said(runs: list[UUID]) -> list[str]:
    """Read what the runs logged."""
    with get_client(sync_client=True) as client:
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=runs)), limit=200)
    return [each.message for each in logs]


def test_r13_of_many_runs_at_once_none_is_lost_and_nobody_hears_of_a_lock(
    api_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert api_url
    assert str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value()).startswith("sqlite")
    tag = f"burst-{uuid.uuid4()}"
    states = burst(tag)
    assert [each.name for each in states] == ["Completed"] * AT_ONCE
    expected = STEPS * AT_ONCE
    runs, steps = recorded(tag, expected)
    assert sorted(str(each.state_name) for each in runs) == ["Completed"] * AT_ONCE
    assert len({each.id for each in runs}) == AT_ONCE
    assert len(steps) == expected
    assert {each.state_name for each in steps} == {"Completed"}
    heard = [*said([each.id for each in runs]), *capfd.readouterr()]
    heard += [each.state.message or "" for each in runs if each.state]
    heard += [each.state.message or "" for each in steps if each.state]
    assert heard
    assert not [each for each in heard if LOCKED in each]
