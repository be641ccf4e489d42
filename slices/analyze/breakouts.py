"""Breakouts, gaps, inside and outside bars."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.marks import Marks, Pattern, earlier, newly
from slices.analyze.native import talib
from slices.analyze.series import full
from slices.analyze.volume import volume_ratio
from slices.domain.analyses import Direction, PatternGroup
from slices.domain.bars import BarShape

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.quant.types import BoolArray, FloatArray

RANGE_SESSIONS = 20
HEAVY = 1.5
"""Volume over its mean of the 20 sessions before, from which on it confirms a breakout."""

breakout = functools.partial(Pattern, group=PatternGroup.BREAKOUT)
gap = functools.partial(Pattern, group=PatternGroup.GAP)
bar_range = functools.partial(Pattern, group=PatternGroup.RANGE, direction=Direction.NEUTRAL)


def breakout_marks(bars: SymbolBars) -> tuple[Marks, ...]:
    """Find closes beyond the range of the bars before: of 20 sessions, and of a year.

    Only the first close beyond counts: the bar before was inside. Where there is volume, breakouts
    on heavy volume are told from the others. The range is of highs and lows, or of closes where
    there is nothing else.
    """
    spans = ((RANGE_SESSIONS, f"{RANGE_SESSIONS} sessions"), (bars.periods_per_year, "a year"))
    return tuple(
        mark for sessions, span in spans for mark in _both_ways(bars, sessions=sessions, span=span)
    )


def _both_ways(bars: SymbolBars, *, sessions: int, span: str) -> tuple[Marks, ...]:
    top = earlier(talib.MAX(bars.highs, timeperiod=sessions))
    bottom = earlier(talib.MIN(bars.lows, timeperiod=sessions))
    up, down = newly(bars.close > top), newly(bars.close < bottom)
    return (
        *_by_volume(bars, up, top, name=f"breakout_up_{sessions}", title=f"Close above {span}"),
        *_by_volume(
            bars, down, bottom, name=f"breakout_down_{sessions}", title=f"Close below {span}"
        ),
    )


def _by_volume(
    bars: SymbolBars, known: BoolArray, beyond: FloatArray, *, name: str, title: str
) -> tuple[Marks, ...]:
    way = Direction.BULLISH if "_up_" in name else Direction.BEARISH
    meaning = "the first close beyond the range of the sessions before"
    plain = breakout(name=name, title=title, direction=way, meaning=meaning)
    if bars.volume is None:
        return (Marks(pattern=plain, known=known, beyond=beyond),)
    heavy = volume_ratio(bars.volume) >= HEAVY
    confirmed = breakout(
        name=f"{name}_on_volume",
        title=f"{title}, on heavy volume",
        direction=way,
        meaning=f"{meaning}, on {HEAVY:g} times the usual volume",
    )
    return (
        Marks(pattern=confirmed, known=known & heavy, beyond=beyond),
        Marks(pattern=plain, known=known & ~heavy, beyond=beyond),
    )


def gap_marks(bars: SymbolBars) -> tuple[Marks, ...]:
    """Find bars that lie wholly above or below the bar before; none on close-only data."""
    if bars.shape is BarShape.CLOSE_ONLY:
        return ()
    own = full(bars)
    high, low = earlier(own.high), earlier(own.low)
    up = gap(
        name="gap_up",
        title="Gap up",
        direction=Direction.BULLISH,
        meaning="a bar whose low is above the high before",
    )
    down = gap(
        name="gap_down",
        title="Gap down",
        direction=Direction.BEARISH,
        meaning="a bar whose high is below the low before",
    )
    return (
        Marks(pattern=up, known=own.low > high, beyond=high),
        Marks(pattern=down, known=own.high < low, beyond=low),
    )


def range_marks(bars: SymbolBars) -> tuple[Marks, ...]:
    """Find bars inside the range of the bar before, and around it; none on close-only data."""
    if bars.shape is BarShape.CLOSE_ONLY:
        return ()
    own = full(bars)
    high, low = earlier(own.high), earlier(own.low)
    inside = bar_range(
        name="inside_bar",
        title="Inside bar",
        meaning="a bar within the range before: a pause",
    )
    outside = bar_range(
        name="outside_bar",
        title="Outside bar",
        meaning="a bar beyond both ends of the range before: a dispute",
    )
    return (
        Marks(pattern=inside, known=np.asarray((own.high < high) & (own.low > low))),
        Marks(pattern=outside, known=np.asarray((own.high > high) & (own.low < low))),
    )
