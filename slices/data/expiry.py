"""When a cached fetch is out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.calendar import last_completed_session

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.clock import Clock
    from slices.domain.ports import BarSource


def expires_with(source: BarSource, clock: Clock, delay: dt.timedelta) -> str:
    """Return the cache version of a fetch: it changes when the answer may have changed.

    A local source's answer changes with its content. A remote source's changes when a session is
    over and `delay` has passed, so that the version is the last completed session.

    Args:
        source: Where the bars come from.
        clock: Tells which session is over.
        delay: How long after the close a remote bar is final.
    """
    if not source.capabilities.remote:
        return source.version()
    last = last_completed_session(clock.now(), calendar=source.calendar, delay=delay)
    return last.isoformat()
