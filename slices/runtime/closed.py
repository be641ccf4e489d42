"""Days on which the exchange is closed: a run that a schedule ordered then has nothing to do.

A schedule knows the days of a week, not the holidays of an exchange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from prefect.context import FlowRunContext

from slices.domain.calendar import sessions_between

if TYPE_CHECKING:
    from prefect.client.schemas import FlowRun

TRADING_DAYS = "trading-days"
"""Tag of what runs by schedule on days of trading alone."""

NEW_YORK = ZoneInfo("America/New_York")


def closed_day() -> str:
    """Say why the present run has nothing to do; empty where it has."""
    context = FlowRunContext.get()
    return why_closed(context.flow_run) if context and context.flow_run else ""


def why_closed(run: FlowRun) -> str:
    """Say why a run has nothing to do; empty where it has.

    What a person or an automation orders is done on any day.
    """
    if not run.auto_scheduled or TRADING_DAYS not in run.tags or run.expected_start_time is None:
        return ""
    day = run.expected_start_time.astimezone(NEW_YORK).date()
    return "" if sessions_between(day, day) else f"{day} is no session of the exchange"
