"""What a schedule orders for a day of trading does nothing on a day without."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.schedules import CronSchedule
from prefect.flow_engine import run_flow

from slices.domain.calendar import sessions_between
from slices.domain.results import CLOSED, FlowResult
from slices.runtime.closed import TRADING_DAYS
from slices.runtime.workflow import workflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.schemas import FlowRun

AFTER_CLOSE = CronSchedule(cron="30 17 * * MON-FRI", timezone="America/New_York")
FAILED = "Failed"
HOLIDAY, DAY_AFTER = dt.date(2026, 9, 7), dt.date(2026, 9, 8)


@workflow()
def said_whether_it_ran() -> FlowResult:
    """Does it run?"""
    raise AssertionError("it ran")


@pytest.fixture(scope="module")
def client(api_url: str) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as each:
        yield each


def deployed(client: SyncPrefectClient, *tags: str) -> UUID:
    return client.create_deployment(
        flow_id=client.create_flow(said_whether_it_ran),
        name=f"daily-{len(tags)}",
        tags=list(tags),
        schedules=[DeploymentScheduleCreate(schedule=AFTER_CLOSE, slug="after-close")],
    )


def scheduled(client: SyncPrefectClient, deployment: UUID, day: dt.date) -> FlowRun:
    """Let the server order the run that the schedule of a deployment asks for on a day."""
    times = {
        "start_time": f"{day}T12:00:00Z",
        "end_time": f"{day + dt.timedelta(days=1)}T12:00:00Z",
    }
    client.request("POST", f"/deployments/{deployment}/schedule", json=times)  # type: ignore[arg-type]
    (found,) = [
        each
        for each in client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
        )
        if each.expected_start_time is not None and each.expected_start_time.date() == day
    ]
    return found


def ended(client: SyncPrefectClient, run: FlowRun) -> tuple[str, str]:
    run_flow(said_whether_it_ran, flow_run=run, return_type="state")
    state = client.read_flow_run(run.id).state
    assert state is not None
    return state.name or "", state.message or ""


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize(
    ("day", "tags", "state"),
    [
        (HOLIDAY, (TRADING_DAYS,), CLOSED),
        (DAY_AFTER, (TRADING_DAYS,), FAILED),
        (HOLIDAY, (), FAILED),
    ],
)
def test_a_scheduled_run_for_trading_days_ends_at_once_on_a_holiday(
    client: SyncPrefectClient, day: dt.date, tags: tuple[str, ...], state: str
) -> None:
    assert (HOLIDAY in sessions_between(HOLIDAY, DAY_AFTER)) is False
    run = scheduled(client, deployed(client, *tags), day)
    name, message = ended(client, run)
    assert name == state
    assert (str(day) if state == CLOSED else "it ran") in message


@pytest.mark.server
@pytest.mark.slow
def test_what_a_person_orders_runs_on_any_day(client: SyncPrefectClient) -> None:
    run = client.create_flow_run_from_deployment(deployed(client, TRADING_DAYS))
    assert ended(client, run)[0] == FAILED
