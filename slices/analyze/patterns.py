"""All patterns of a symbol: candles, breakouts, gaps, ranges and formations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.analyze.breakouts import breakout_marks, gap_marks, range_marks
from slices.analyze.candles import candle_marks
from slices.analyze.formations import formation_marks
from slices.domain.analyses import Direction, NotComputed
from slices.domain.bars import BarShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.analyze.marks import Marks
    from slices.analyze.series import SymbolBars
    from slices.domain.analyses import PatternSighting

NEEDS_BARS = "needs open, high, low, close and volume; found close only"


def pattern_marks(bars: SymbolBars) -> tuple[Marks, ...]:
    """Mark every pattern in a symbol's bars, at the bar at whose close it is known.

    On close-only data there are only breakouts beyond closes and formations of closes.
    """
    if not len(bars):
        return ()
    candles = candle_marks(bars) if bars.shape is BarShape.OHLCV else ()
    return (
        *breakout_marks(bars),
        *formation_marks(bars),
        *gap_marks(bars),
        *candles,
        *range_marks(bars),
    )


def patterns_left_out(bars: SymbolBars) -> tuple[NotComputed, ...]:
    """Name the groups of patterns that these bars cannot show, with the reason."""
    if bars.shape is BarShape.OHLCV:
        return ()
    names = ("candle patterns", "gaps", "inside and outside bars", "volume of breakouts")
    return tuple(NotComputed(name=name, reason=NEEDS_BARS) for name in names)


def recent_sightings(
    bars: SymbolBars, marks: Sequence[Marks], *, sessions: int
) -> tuple[PatternSighting, ...]:
    """List what became known in the last sessions, newest first, neutral ones last on a day."""
    since = max(0, len(bars) - sessions)
    found = [each for mark in marks for each in mark.sightings(bars, since=since)]
    found.sort(key=lambda each: each.direction is Direction.NEUTRAL)
    return tuple(sorted(found, key=lambda each: each.known_session, reverse=True))
