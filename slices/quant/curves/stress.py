"""Bad times that have a name, from the S&P 500's close before them to its low or their end."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.tearsheets import StressWindow
from slices.quant.curves.episodes import below_peak

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.quant.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class NamedWindow:
    """A period; its returns start from the close of `start`."""

    name: str
    start: dt.date
    end: dt.date


def _window(name: str, start: str, end: str) -> NamedWindow:
    return NamedWindow(
        name=name, start=dt.date.fromisoformat(start), end=dt.date.fromisoformat(end)
    )


STRESS_WINDOWS = (
    _window("Russia and LTCM 1998", "1998-07-17", "1998-10-08"),
    _window("Dot-com fall 2000-02", "2000-03-24", "2002-10-09"),
    _window("September 2001", "2001-09-10", "2001-09-21"),
    _window("Financial crisis 2007-09", "2007-10-09", "2009-03-09"),
    _window("Lehman autumn 2008", "2008-09-12", "2008-11-20"),
    _window("Flash crash 2010", "2010-04-23", "2010-07-02"),
    _window("US downgrade 2011", "2011-07-22", "2011-10-03"),
    _window("August 2015", "2015-08-17", "2015-08-25"),
    _window("Fourth quarter 2018", "2018-09-20", "2018-12-24"),
    _window("Covid 2020", "2020-02-19", "2020-03-23"),
    _window("Rate rises 2022", "2022-01-03", "2022-10-12"),
)
"""From peak to low of the S&P 500 in each; September 2001 is the week after the closure."""


def stress_windows(
    values: FloatArray, benchmark_values: FloatArray, sessions: Sequence[dt.date]
) -> tuple[StressWindow, ...]:
    """Measure an account and its benchmark in the named windows that lie inside the history.

    Args:
        values: T positive account values.
        benchmark_values: T positive values of the benchmark.
        sessions: T dates, rising.

    Returns:
        The windows from whose first to whose last day there are values; a window the history
        covers in part is left out.
    """
    covered = [
        each
        for each in STRESS_WINDOWS
        if sessions and sessions[0] <= each.start and each.end <= sessions[-1]
    ]
    return tuple(_measured(each, values, benchmark_values, sessions) for each in covered)


def _measured(
    window: NamedWindow,
    values: FloatArray,
    benchmark_values: FloatArray,
    sessions: Sequence[dt.date],
) -> StressWindow:
    first = bisect_right(sessions, window.start) - 1
    last = bisect_right(sessions, window.end)
    mine, market = values[first:last], benchmark_values[first:last]
    return StressWindow(
        name=window.name,
        first_session=sessions[first],
        last_session=sessions[last - 1],
        total_return=float(mine[-1] / mine[0] - 1.0),
        max_drawdown=float(below_peak(mine).max()),
        benchmark_return=float(market[-1] / market[0] - 1.0),
        benchmark_max_drawdown=float(below_peak(market).max()),
    )
