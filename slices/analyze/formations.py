"""Formations of confirmed swings: double tops and bottoms, rising and falling structure.

Nothing here is known before the bars that confirm its last swing have closed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from slices.analyze.marks import Marks, Pattern, newly
from slices.analyze.native import talib
from slices.analyze.swings import Swing, swings
from slices.domain.analyses import Direction, PatternGroup

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.quant.types import FloatArray

ALIKE = 1.5
"""Largest distance of two tops, in deviations of one session's log return."""
DEPTH = 3.0
"""Smallest depth of the trough between them, in the same unit."""
DEVIATION_SESSIONS = 63
PATIENCE_SESSIONS = 63
"""How long after its confirmation a double top may take to complete."""

formation = functools.partial(Pattern, group=PatternGroup.FORMATION)


class Double(NamedTuple):
    """Two swings alike, the price between them, and where the formation was completed, if ever."""

    last: Swing
    neckline: float
    completed: int | None


@dataclass(frozen=True, kw_only=True)
class Side:
    """Tops as they are, or bottoms turned upside down."""

    sign: float
    name: str
    title: str
    direction: Direction


SIDES = (
    Side(sign=1.0, name="double_top", title="Double top", direction=Direction.BEARISH),
    Side(sign=-1.0, name="double_bottom", title="Double bottom", direction=Direction.BULLISH),
)


def formation_marks(bars: SymbolBars) -> tuple[Marks, ...]:
    """Find double tops and bottoms, forming and completed, and the structure of swings."""
    found = swings(bars)
    deviation = _deviations(bars)
    doubles = (
        mark
        for side in SIDES
        for mark in _double_marks(bars, doubles_of(bars, found, deviation, side), side)
    )
    return (*doubles, *_structure_marks(len(bars), found))


def _deviations(bars: SymbolBars) -> FloatArray:
    change = np.full(len(bars), np.nan)
    change[1:] = np.diff(np.log(bars.close))
    return np.asarray(talib.STDDEV(change, timeperiod=DEVIATION_SESSIONS), dtype=np.float64)


def doubles_of(
    bars: SymbolBars, found: tuple[Swing, ...], deviation: FloatArray, side: Side
) -> list[Double]:
    """Find pairs of neighbouring swings on one side that are alike with a deep trough between.

    Alike and deep are measured by the deviation of log returns over the 63 sessions up to the
    confirmation. The formation completes at the first close beyond the trough within 63 sessions,
    unless a close beyond the swings comes first.
    """
    tops = [each for each in found if each.is_high is (side.sign > 0)]
    doubles = []
    for first, last in pairwise(tops):
        unit = deviation[last.known]
        between = slice(first.place, last.place + 1)
        trough = float(bars.lows[between].min() if side.sign > 0 else bars.highs[between].max())
        apart = abs(math.log(first.price / last.price))
        depths = [side.sign * math.log(each.price / trough) for each in (first, last)]
        if apart <= ALIKE * unit and min(depths) >= DEPTH * unit:
            worst = side.sign * max(side.sign * first.price, side.sign * last.price)
            completed = _completion(bars.close * side.sign, last.known, trough, worst, side.sign)
            doubles.append(Double(last, trough, completed))
    return doubles


def _completion(
    signed: FloatArray, known: int, trough: float, extreme: float, sign: float
) -> int | None:
    """Return the first bar that closes beyond the trough before one closes beyond the extreme."""
    window = signed[known : known + PATIENCE_SESSIONS + 1]
    beyond = np.flatnonzero((window < sign * trough) | (window > sign * extreme))
    if beyond.size == 0 or window[beyond[0]] > sign * extreme:
        return None
    return known + int(beyond[0])


def _double_marks(bars: SymbolBars, doubles: list[Double], side: Side) -> tuple[Marks, ...]:
    complete = [(each, each.completed) for each in doubles if each.completed is not None]
    forming = [(each, each.last.known) for each in doubles if each.completed != each.last.known]
    done = formation(
        name=side.name,
        title=side.title,
        direction=side.direction,
        meaning="two swings alike, and a close beyond the trough between them",
    )
    begun = replace(
        done,
        name=f"{side.name}_forming",
        title=f"{side.title}, forming",
        meaning="two swings alike, the trough between them not yet crossed",
    )
    return (
        _marked(done, len(bars), complete, has_crossed=True),
        _marked(begun, len(bars), forming, has_crossed=False),
    )


def _marked(
    pattern: Pattern, length: int, places: list[tuple[Double, int]], *, has_crossed: bool
) -> Marks:
    known = np.zeros(length, dtype=np.bool_)
    dated = np.arange(length)
    beyond = np.full(length, np.nan)
    for double, place in places:
        known[place] = True
        dated[place] = double.last.place
        beyond[place] = double.neckline
    return Marks(pattern=pattern, known=known, dated=dated, beyond=beyond if has_crossed else None)


def _structure_marks(length: int, found: tuple[Swing, ...]) -> tuple[Marks, ...]:
    """Mark where both the last two highs and the last two lows have come to rise, or to fall."""
    state = np.zeros(length, dtype=np.int64)
    last: dict[bool, list[float]] = {True: [], False: []}
    for swing in sorted(found, key=lambda each: each.known):
        last[swing.is_high] = [*last[swing.is_high], swing.price][-2:]
        state[swing.known :] = _way(last[True], last[False])
    rising = formation(
        name="higher_highs_and_lows",
        title="Higher highs and higher lows",
        direction=Direction.BULLISH,
        meaning="the last two swing highs rise, and so do the last two swing lows",
    )
    falling = formation(
        name="lower_highs_and_lows",
        title="Lower highs and lower lows",
        direction=Direction.BEARISH,
        meaning="the last two swing highs fall, and so do the last two swing lows",
    )
    return (
        Marks(pattern=rising, known=newly(state > 0)),
        Marks(pattern=falling, known=newly(state < 0)),
    )


def _way(highs: list[float], lows: list[float]) -> int:
    if len(highs) < 2 or len(lows) < 2:
        return 0
    ways = {int(np.sign(pair[1] - pair[0])) for pair in (highs, lows)}
    return ways.pop() if len(ways) == 1 else 0
