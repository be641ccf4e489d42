"""Freshness: how many sessions are missing at the end, and what that forbids."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from slices.domain.alerts import Level
from slices.domain.calendar import missed_sessions
from slices.domain.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class FreshnessLimits:
    """From how many missing sessions bars are stale, and from how many that is critical."""

    warning_sessions: int = 1
    critical_sessions: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.warning_sessions <= self.critical_sessions:
            raise ParameterError(
                parameter="freshness limits",
                found=f"warning {self.warning_sessions}, critical {self.critical_sessions}",
                allowed="1 <= warning <= critical, in sessions",
            )


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How old bars are at an explicit date, and what may still be done with them.

    Attributes:
        last_session: Session of the newest bar.
        as_of: The session that should be the newest.
        missing_sessions: Sessions after `last_session` up to and including `as_of`.
        level: WARNING or CRITICAL for stale bars, None for fresh ones.
        entries_allowed: Whether new positions may be opened.
        exits_allowed: Whether positions may be closed; always, because a risk must be able to end.
    """

    last_session: dt.date
    as_of: dt.date
    missing_sessions: int
    level: Level | None
    entries_allowed: bool
    exits_allowed: bool = True


def freshness(
    last_session: dt.date,
    as_of: dt.date,
    limits: FreshnessLimits | None = None,
    *,
    calendar: str = "XNYS",
) -> Freshness:
    """Judge the age of bars in sessions, so that weekends and holidays do not age them.

    Args:
        last_session: Session of the newest bar.
        as_of: The date at which to judge; usually the last completed session.
        limits: From when bars are stale; one session by default, critical from three.
        calendar: Exchange calendar name.

    >>> freshness(dt.date(2024, 7, 3), dt.date(2024, 7, 4)).missing_sessions
    0
    """
    limits = limits or FreshnessLimits()
    missing = missed_sessions(last_session, as_of, calendar=calendar)
    level = None
    if missing >= limits.critical_sessions:
        level = Level.CRITICAL
    elif missing >= limits.warning_sessions:
        level = Level.WARNING
    return Freshness(
        last_session=last_session,
        as_of=as_of,
        missing_sessions=missing,
        level=level,
        entries_allowed=level is None,
    )
