"""Support and resistance: prices around which confirmed swings turned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.swings import CONFIRMATION, swings
from slices.domain.analyses import LevelRole, PriceLevel

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.analyze.swings import Swing
    from slices.quant.types import FloatArray, IntArray

YEARS = 2
"""How far back swings count."""
WIDTH = 1.5
"""Widest cluster, in deviations of one session's log return over these years."""
FEWEST_TOUCHES = 2


def levels(
    bars: SymbolBars, *, confirmation: int = CONFIRMATION, most: int = 4
) -> tuple[PriceLevel, ...]:
    """Cluster the confirmed swings of the last two years into support and resistance.

    Swings are clustered by complete linkage of their log prices, so that no cluster is wider than
    1.5 deviations of a session's return. A cluster of two or more is a level; its price is the
    geometric mean of its swings, a swing weighing half as much for every half year of age, and its
    strength is the sum of these weights.

    Args:
        bars: One symbol's own bars.
        confirmation: Bars that must confirm a swing.
        most: How many levels to keep above the close, and how many below: the strongest.

    Returns:
        Nearest to the close first; empty where no two swings agree.
    """
    first = max(0, len(bars) - YEARS * bars.periods_per_year)
    found = [each for each in swings(bars, confirmation=confirmation) if each.place >= first]
    if len(found) < FEWEST_TOUCHES:
        return ()
    width = WIDTH * float(np.diff(np.log(bars.close[first:])).std(ddof=1))
    labels = _clusters(np.log([each.price for each in found]), width)
    groups = [
        [found[place] for place in np.flatnonzero(labels == label)] for label in np.unique(labels)
    ]
    known = [_level(bars, group) for group in groups if len(group) >= FEWEST_TOUCHES]
    kept = [
        *_strongest(known, LevelRole.SUPPORT, most),
        *_strongest(known, LevelRole.RESISTANCE, most),
    ]
    return tuple(sorted(kept, key=lambda each: abs(each.distance)))


def _clusters(log_prices: FloatArray, width: float) -> IntArray:
    from scipy.cluster.hierarchy import fcluster, linkage

    merges = linkage(log_prices[:, None], "complete")
    return np.asarray(fcluster(merges, width, criterion="distance"), dtype=np.int64)


def _level(bars: SymbolBars, group: list[Swing]) -> PriceLevel:
    ages = np.array([len(bars) - 1 - each.place for each in group])
    prices = np.array([each.price for each in group])
    weights = np.exp2(-ages / (bars.periods_per_year / 2))
    mean = math.exp(float(weights @ np.log(prices) / weights.sum()))
    low, high = float(prices.min()), float(prices.max())
    price = min(max(mean, low), high)
    close = float(bars.close[-1])
    return PriceLevel(
        price=price,
        low=low,
        high=high,
        touches=len(group),
        strength=float(weights.sum()),
        last_touch=max(each.session for each in group),
        distance=price / close - 1.0,
        role=LevelRole.SUPPORT if price <= close else LevelRole.RESISTANCE,
    )


def _strongest(known: list[PriceLevel], role: LevelRole, most: int) -> list[PriceLevel]:
    own = [each for each in known if each.role is role]
    return sorted(own, key=lambda each: -each.strength)[:most]
