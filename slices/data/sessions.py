"""From the time stamps of a source to sessions: exchange dates without a zone."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import polars as pl

from slices.domain.calendar import FIRST_KNOWN, sessions_between
from slices.domain.errors import BadDataError

EXCHANGE_ZONE = "America/New_York"
LAST_DATE = dt.date(9999, 12, 31)
OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"
MIDNIGHT = r"[T ]00:00(?::00(?:\.0+)?)?$"


@lru_cache(maxsize=4)
def exchange_sessions(calendar: str) -> pl.Series:
    """List every session the calendar knows, sorted."""
    return pl.Series("session", sessions_between(FIRST_KNOWN, LAST_DATE, calendar=calendar))


def missing_sessions(sessions: pl.Series, calendar: str) -> tuple[dt.date, ...]:
    """List the exchange sessions between the first and the last of these that are not there.

    Args:
        sessions: Dates, sorted, each once.
        calendar: Exchange calendar name.
    """
    known = exchange_sessions(calendar)
    span = known.slice(known.search_sorted(sessions[0]))
    span = span.head(span.search_sorted(sessions[-1], side="right"))
    if len(span) == len(sessions) and (span == sessions).all():
        return ()
    return tuple(span.filter(~span.is_in(sessions.implode())))


def sessions_from(stamps: pl.Series, *, dataset: str, zone: str = EXCHANGE_ZONE) -> pl.Series:
    """Turn dates, instants or their text into sessions.

    Dates and midnights without a zone are sessions as they stand. Instants (with a zone or an
    offset) become the date they fall on at the exchange.

    Args:
        stamps: Dates, datetimes or ISO 8601 text.
        dataset: What to call the data in an error.
        zone: Time zone of the exchange.

    Raises:
        BadDataError: For a clock time without a zone, zones in some rows only, instants that are
            all midnight UTC (dates in disguise, which would move to the day before) or text that
            is no date.
    """
    if stamps.dtype == pl.Date:
        return stamps
    if stamps.dtype == pl.String:
        stamps = _parsed(stamps, dataset=dataset)
    if stamps.dtype == pl.Date:
        return stamps
    if not isinstance(stamps.dtype, pl.Datetime):
        raise BadDataError(dataset=dataset, problem=f"sessions are {stamps.dtype}, not dates")
    return _dates(stamps, dataset=dataset, zone=zone)


def _parsed(texts: pl.Series, *, dataset: str) -> pl.Series:
    stripped = texts.str.strip_chars()
    with_zone = stripped.str.contains(OFFSET) & stripped.str.contains(":")
    known = with_zone.drop_nulls()
    if known.any() and not known.all():
        problem = "some time stamps have a time zone and some have none"
        raise BadDataError(dataset=dataset, problem=problem)
    if known.any():
        parsed = stripped.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    else:
        parsed = stripped.str.replace(MIDNIGHT, "").str.to_date("%Y-%m-%d", strict=False)
    unread = stripped.filter(parsed.is_null() & stripped.is_not_null())
    if len(unread):
        problem = f"'{unread[0]}' is not a date (YYYY-MM-DD) or an instant with a time zone"
        raise BadDataError(dataset=dataset, problem=problem)
    return parsed


def _dates(stamps: pl.Series, *, dataset: str, zone: str) -> pl.Series:
    midnight = (stamps.dt.time() == dt.time(0)).drop_nulls().all()
    if stamps.dtype == pl.Datetime and getattr(stamps.dtype, "time_zone", None) is None:
        if not midnight:
            problem = "time stamps have a clock time but no time zone"
            raise BadDataError(dataset=dataset, problem=problem)
        return stamps.dt.date()
    if (stamps.dt.convert_time_zone("UTC").dt.time() == dt.time(0)).drop_nulls().all():
        problem = "every time stamp is midnight UTC: a date, not an instant; drop the time"
        raise BadDataError(dataset=dataset, problem=problem)
    return stamps.dt.convert_time_zone(zone).dt.date()
