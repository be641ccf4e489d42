"""When weights are fitted anew: at the ends, or at the starts, of calendar periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.parameters import RebalanceFrequency
    from slices.quant.types import IntArray


def period_ends(sessions: tuple[dt.date, ...], rebalance: RebalanceFrequency) -> IntArray:
    """Return the positions of the last session of every period that has ended.

    The last session of all is never among them: whether its period has ended is not known yet.

    >>> import datetime as dt
    >>> days = (dt.date(2024, 1, 30), dt.date(2024, 1, 31), dt.date(2024, 2, 1))
    >>> period_ends(days, "monthly").tolist()
    [1]
    """
    keys = [_period(session, rebalance) for session in sessions]
    ends = [i for i in range(len(keys) - 1) if keys[i] != keys[i + 1]]
    return np.array(ends, dtype=np.int64)


def period_starts(sessions: tuple[dt.date, ...], rebalance: RebalanceFrequency) -> IntArray:
    """Return the positions of the first session of every period but the one it all begins in.

    Unlike the last session of a period, a first one is known as such at its own close.

    >>> import datetime as dt
    >>> days = (dt.date(2024, 1, 30), dt.date(2024, 1, 31), dt.date(2024, 2, 1))
    >>> period_starts(days, "monthly").tolist()
    [2]
    """
    return period_ends(sessions, rebalance) + 1


def _period(session: dt.date, rebalance: RebalanceFrequency) -> tuple[int, int]:
    match rebalance:
        case "weekly":
            year, week, _ = session.isocalendar()
            return year, week
        case "monthly":
            return session.year, session.month
        case "quarterly":
            return session.year, (session.month - 1) // 3
        case _:
            return session.year, 0
