"""Exchange calendars: which dates are sessions, when they close, how many make a year.

Sessions are exchange dates without a zone; instants are timezone-aware UTC.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from slices.domain.errors import ParameterError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_KNOWN = dt.date(1970, 1, 2)
PERIODS_PER_YEAR = {"XNYS": 252, "24/7": 365}


@lru_cache(maxsize=4)
def _calendar(name: str) -> ExchangeCalendar:
    import exchange_calendars

    start = FIRST_KNOWN.isoformat()
    return exchange_calendars.get_calendar(name, start=start)


def periods_per_year(calendar: str) -> int:
    """Return how many sessions make a year on this calendar.

    >>> periods_per_year("XNYS")
    252
    """
    try:
        return PERIODS_PER_YEAR[calendar]
    except KeyError:
        known = ", ".join(PERIODS_PER_YEAR)
        raise ParameterError(parameter="calendar", found=repr(calendar), allowed=known) from None


def sessions_between(start: dt.date, end: dt.date, *, calendar: str = "XNYS") -> list[dt.date]:
    """List the sessions from `start` to `end`, both included.

    >>> sessions_between(dt.date(2024, 7, 3), dt.date(2024, 7, 8))[1]
    datetime.date(2024, 7, 5)
    """
    exchange = _calendar(calendar)
    first = max(start, exchange.first_session.date())
    last = min(end, exchange.last_session.date())
    if first > last:
        return []
    stamps = exchange.sessions_in_range(first.isoformat(), last.isoformat())
    return [stamp.date() for stamp in stamps]


@lru_cache(maxsize=16384)
def session_close(session: dt.date, *, calendar: str = "XNYS") -> dt.datetime:
    """Return the instant (UTC) at which a session closes."""
    stamp = _calendar(calendar).session_close(session.isoformat())
    return cast("dt.datetime", stamp.to_pydatetime())


def last_completed_session(
    now: dt.datetime, *, calendar: str = "XNYS", delay: dt.timedelta = dt.timedelta(0)
) -> dt.date:
    """Return the latest session whose close plus `delay` lies at or before `now`.

    Args:
        now: A timezone-aware instant.
        calendar: Exchange calendar name.
        delay: How long after the close a source needs until its bar is final.
    """
    instant = now.astimezone(dt.UTC) - delay
    recent = sessions_between(
        instant.date() - dt.timedelta(days=15), instant.date(), calendar=calendar
    )
    done = [each for each in recent if session_close(each, calendar=calendar) <= instant]
    return done[-1]


def missed_sessions(last: dt.date, as_of: dt.date, *, calendar: str = "XNYS") -> int:
    """Count the sessions after `last` up to and including `as_of`."""
    return len(sessions_between(last + dt.timedelta(days=1), as_of, calendar=calendar))
