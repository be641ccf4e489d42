"""Returns by calendar month and year."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.tearsheets import YearOfReturns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.quant.types import FloatArray


def returns_by_year(values: FloatArray, sessions: Sequence[dt.date]) -> tuple[YearOfReturns, ...]:
    """Compare the last value of every month with that of the month before.

    Args:
        values: T positive account values.
        sessions: T dates, rising.

    Returns:
        A row per year from the first session's to the last's. The first month counts from the
        first value; months outside the history, and the first where it holds a single session
        and so no return, are NaN.

    >>> import datetime as dt, numpy as np
    >>> days = (dt.date(2023, 12, 28), dt.date(2023, 12, 29), dt.date(2024, 1, 31))
    >>> years = returns_by_year(np.array([100.0, 110.0, 99.0]), days)
    >>> [(each.year, round(each.total, 12)) for each in years]
    [(2023, 0.1), (2024, -0.1)]
    """
    growth = _growth_by_month(values, sessions)
    years = range(sessions[0].year, sessions[-1].year + 1) if len(sessions) > 1 else range(0)
    return tuple(_year(year, growth) for year in years if any(y == year for y, _ in growth))


def _growth_by_month(
    values: FloatArray, sessions: Sequence[dt.date]
) -> dict[tuple[int, int], float]:
    """Map year and month to the factor the value grew by."""
    ends: dict[tuple[int, int], float] = {}
    for session, value in zip(sessions[1:], values[1:].tolist(), strict=True):
        ends[session.year, session.month] = value
    growth, before = {}, float(values[0])
    for month, value in ends.items():
        growth[month] = value / before
        before = value
    return growth


def _year(year: int, growth: dict[tuple[int, int], float]) -> YearOfReturns:
    factors = [growth.get((year, month), math.nan) for month in range(1, 13)]
    return YearOfReturns(
        year=year,
        months=tuple(factor - 1.0 for factor in factors),
        total=math.prod(factor for factor in factors if not math.isnan(factor)) - 1.0,
    )
