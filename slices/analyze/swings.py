"""Swing points: highs and lows that later bars have confirmed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.native import talib

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.quant.types import FloatArray, IntArray

CONFIRMATION = 5
"""How many later bars must stay below a swing high, or above a swing low."""


@dataclass(frozen=True, kw_only=True)
class Swing:
    """A high above, or a low below, the bars on both sides.

    Attributes:
        place: Position of the bar.
        known: Position of the bar that confirmed it; before that bar's close it is not known.
    """

    place: int
    known: int
    session: dt.date
    price: float
    is_high: bool


def swings(bars: SymbolBars, *, confirmation: int = CONFIRMATION) -> tuple[Swing, ...]:
    """Find the confirmed swing highs and lows, oldest first.

    A swing high is above each of the `confirmation` bars before it and not below any of as many
    after it; of equal highs side by side the first counts. Lows likewise. Highs and lows are those
    of the bars, or closes where there is nothing else.
    """
    highs = _tops(bars.highs, confirmation)
    lows = _tops(-bars.lows, confirmation)
    found = [(int(place), True) for place in highs] + [(int(place), False) for place in lows]
    return tuple(
        Swing(
            place=place,
            known=place + confirmation,
            session=bars.sessions[place],
            price=float(bars.highs[place] if is_high else bars.lows[place]),
            is_high=is_high,
        )
        for place, is_high in sorted(found)
    )


def _tops(values: FloatArray, sides: int) -> IntArray:
    """Return the positions that no bar within `sides` of them reaches."""
    if values.size < 2 * sides + 1:
        return np.empty(0, dtype=np.int64)
    highest = talib.MAX(values, timeperiod=sides)
    middle = values[sides:-sides]
    before, after = highest[sides - 1 : -sides - 1], highest[2 * sides :]
    return np.flatnonzero((middle > before) & (middle >= after)) + sides
