from __future__ import annotations

import datetime as dt

import pytest

from slices.data.freshness import FreshnessLimits, freshness
from slices.domain.alerts import Level
from slices.domain.errors import ParameterError

WEDNESDAY = dt.date(2024, 7, 3)


@pytest.mark.parametrize(
    ("as_of", "missing", "level"),
    [
        (WEDNESDAY, 0, None),
        (dt.date(2024, 7, 4), 0, None),
        (dt.date(2024, 7, 5), 1, Level.WARNING),
        (dt.date(2024, 7, 7), 1, Level.WARNING),
        (dt.date(2024, 7, 8), 2, Level.WARNING),
        (dt.date(2024, 7, 9), 3, Level.CRITICAL),
        (dt.date(2024, 7, 31), 19, Level.CRITICAL),
        (dt.date(2024, 7, 1), 0, None),
    ],
)
def test_r05_bars_age_in_sessions_and_not_in_days(
    as_of: dt.date, missing: int, level: Level | None
) -> None:
    found = freshness(WEDNESDAY, as_of)
    assert (found.missing_sessions, found.level) == (missing, level)
    assert found.entries_allowed is (level is None)
    assert found.exits_allowed


def test_limits_are_the_callers() -> None:
    patient = FreshnessLimits(warning_sessions=5, critical_sessions=10)
    assert freshness(WEDNESDAY, dt.date(2024, 7, 9), patient).entries_allowed


@pytest.mark.parametrize(("warning", "critical"), [(0, 3), (4, 3)])
def test_limits_out_of_order_are_refused(warning: int, critical: int) -> None:
    with pytest.raises(ParameterError, match="1 <= warning <= critical"):
        FreshnessLimits(warning_sessions=warning, critical_sessions=critical)
