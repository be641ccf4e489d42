"""What ends the alert about a run that failed: one that ended well, not one with nothing to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from slices.domain.results import CLOSED
from slices.monitor.alerts.docket import Ending
from slices.monitor.alerts.hearing import ended_runs
from slices.monitor.alerts.rules import RULES
from tests.support.incident_tapes import run

AT = dt.datetime(2024, 7, 4, 21, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(("state", "ends"), [("Completed", True), (CLOSED, False)])
def test_a_run_on_a_holiday_does_not_end_the_alert_about_the_run_before(
    state: str, *, ends: bool
) -> None:
    done = replace(run(1, AT, state="Completed"), state=state, kind="COMPLETED", ended=AT)
    said = list(ended_runs([done], RULES, counted=frozenset()))
    assert ("run-failed" in {each.rule.name for each in said if isinstance(each, Ending)}) is ends
