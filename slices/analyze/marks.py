"""Patterns as marks: for every bar, whether a pattern was known at its close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.analyses import Direction, PatternGroup, PatternSighting
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A pattern with a name, and where the books say it points.

    Attributes:
        meaning: What it is and what it is taken for, in one sentence.
    """

    name: str
    title: str
    group: PatternGroup
    direction: Direction
    meaning: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Marks:
    """Where a pattern occurs in T bars.

    Attributes:
        known: T marks, at the bar at whose close the pattern is known.
        dated: T positions of the bar that a pattern known here is dated to; None where it is the
            same bar.
        beyond: T prices that the pattern went beyond, NaN where unmarked; None where there is no
            such price.
    """

    pattern: Pattern
    known: BoolArray
    dated: IntArray | None = None
    beyond: FloatArray | None = None

    def sightings(self, bars: SymbolBars, *, since: int) -> tuple[PatternSighting, ...]:
        """Tell of every occurrence known at position `since` or later."""
        places = np.flatnonzero(self.known[since:]) + since
        return tuple(self._sighting(bars, int(place)) for place in places)

    def _sighting(self, bars: SymbolBars, place: int) -> PatternSighting:
        dated = place if self.dated is None else int(self.dated[place])
        crossed = "" if self.beyond is None else f"close {bars.close[place]:,.2f} "
        return PatternSighting(
            name=self.pattern.name,
            title=self.pattern.title,
            group=self.pattern.group,
            direction=self.pattern.direction,
            session=bars.sessions[dated],
            known_session=bars.sessions[place],
            detail=crossed and f"{crossed}beyond {self.beyond_at(place):,.2f}",
        )

    def beyond_at(self, place: int) -> float:
        """Return the price that the pattern at this bar went beyond; NaN where there is none."""
        return float("nan") if self.beyond is None else float(self.beyond[place])


def earlier(values: FloatArray) -> FloatArray:
    """Return each bar's value of the bar before; NaN at the first."""
    moved = np.full(values.size, np.nan)
    moved[1:] = values[:-1]
    return moved


def newly(marks: BoolArray) -> BoolArray:
    """Keep marks whose bar before is unmarked."""
    fresh = marks.copy()
    fresh[1:] &= ~marks[:-1]
    return fresh
