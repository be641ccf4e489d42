from __future__ import annotations

import datetime as dt

import pytest

from slices.domain.calendar import (
    last_completed_session,
    missed_sessions,
    periods_per_year,
    session_close,
    sessions_between,
)
from slices.domain.errors import ParameterError


def test_weekends_and_holidays_are_no_sessions() -> None:
    found = sessions_between(dt.date(2024, 12, 24), dt.date(2024, 12, 30))
    assert found == [dt.date(2024, 12, day) for day in (24, 26, 27, 30)]


def test_nothing_lies_between_reversed_or_unknown_dates() -> None:
    assert sessions_between(dt.date(2024, 1, 5), dt.date(2024, 1, 4)) == []
    assert sessions_between(dt.date(1900, 1, 1), dt.date(1901, 1, 1)) == []


def test_the_close_moves_with_daylight_saving_and_early_closes() -> None:
    assert session_close(dt.date(2024, 3, 8)).hour == 21
    assert session_close(dt.date(2024, 3, 11)).hour == 20
    assert session_close(dt.date(2024, 7, 3)).hour == 17


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (dt.datetime(2024, 3, 11, 19, 59, tzinfo=dt.UTC), dt.date(2024, 3, 8)),
        (dt.datetime(2024, 3, 11, 20, 0, tzinfo=dt.UTC), dt.date(2024, 3, 11)),
        (dt.datetime(2024, 3, 10, 12, 0, tzinfo=dt.UTC), dt.date(2024, 3, 8)),
    ],
)
def test_a_session_is_complete_at_its_close(now: dt.datetime, expected: dt.date) -> None:
    assert last_completed_session(now) == expected


def test_a_delay_postpones_completion() -> None:
    at_close = dt.datetime(2024, 3, 11, 20, 10, tzinfo=dt.UTC)
    late = dt.timedelta(minutes=30)
    assert last_completed_session(at_close, delay=late) == dt.date(2024, 3, 8)


def test_missed_sessions_exclude_the_last_one_seen() -> None:
    assert missed_sessions(dt.date(2024, 7, 3), dt.date(2024, 7, 8)) == 2
    assert missed_sessions(dt.date(2024, 7, 8), dt.date(2024, 7, 8)) == 0


def test_a_year_has_as_many_periods_as_its_calendar() -> None:
    assert periods_per_year("24/7") == 365
    with pytest.raises(ParameterError, match="XNYS"):
        periods_per_year("MOON")
