"""Bounds on weights, and the weights nearest to what is wanted within them.

Everywhere: N weights that sum to 1, each between its lower and its upper bound, 0 <= lower <=
upper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InfeasibleError

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

SUM_TOLERANCE = 1e-12


def check_bounds(lower: FloatArray, upper: FloatArray) -> None:
    """Check that some weights within the bounds sum to 1.

    Raises:
        InfeasibleError: Where the bounds exclude each other or the sum of 1.
    """
    symbols, least, most = lower.size, float(lower.sum()), float(upper.sum())
    if lower.shape != upper.shape or lower.ndim != 1 or symbols == 0:
        problem = f"bounds need one value per symbol, found {lower.shape} and {upper.shape}"
    elif not (np.isfinite(lower).all() and np.isfinite(upper).all()) or lower.min() < 0:
        problem = "weight bounds must be finite and not below 0"
    elif np.any(lower > upper):
        problem = "a smallest weight exceeds the largest of the same symbol"
    elif least > 1.0 + SUM_TOLERANCE:
        problem = f"the smallest weights of {symbols} symbols sum to {least:.2%}, above 100%"
    elif most < 1.0 - SUM_TOLERANCE:
        problem = f"the largest weights of {symbols} symbols sum to {most:.2%}, below 100%"
    else:
        return
    raise InfeasibleError(problem=problem)


def uniform_bounds(
    symbols: int, *, smallest: float = 0.0, largest: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return the same bounds for every symbol, checked.

    Raises:
        InfeasibleError: Where no weights within them sum to 1.

    >>> uniform_bounds(2, largest=0.6)[1].tolist()
    [0.6, 0.6]
    """
    lower, upper = np.full(symbols, float(smallest)), np.full(symbols, float(largest))
    check_bounds(lower, upper)
    return lower, upper


def proportional_within(wanted: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return weights proportional to `wanted` wherever no bound prevents it.

    The weights are clip(c * wanted, lower, upper) with the one c that makes them sum to 1: water
    filling. The sum rises with c in straight pieces, so c follows exactly from its corners.

    Args:
        wanted: N positive numbers.
        lower: N smallest weights.
        upper: N largest weights.

    Raises:
        InfeasibleError: Where no weights within the bounds sum to 1.

    >>> proportional_within(np.ones(3), np.zeros(3), np.array([1.0, 1.0, 0.0])).tolist()
    [0.5, 0.5, 0.0]
    """
    check_bounds(lower, upper)
    corners = np.unique(np.concatenate((lower / wanted, upper / wanted)))
    sums = np.clip(corners[:, None] * wanted, lower, upper).sum(axis=1)
    after = min(int(np.searchsorted(sums, 1.0)), corners.size - 1)
    level = corners[after]
    if after > 0 and sums[after] > 1.0:
        share = (1.0 - sums[after - 1]) / (sums[after] - sums[after - 1])
        level = corners[after - 1] + share * (corners[after] - corners[after - 1])
    return np.asarray(np.clip(level * wanted, lower, upper), dtype=np.float64)


def filled_in_order(order: IntArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return the weights that give each symbol in order as much as its bound and 1 allow.

    A vertex of the feasible set; with symbols by falling expected return, the one with the
    highest. The bounds must be checked.

    >>> filled_in_order(np.array([1, 0]), np.zeros(2), np.array([1.0, 0.7])).tolist()
    [0.30000000000000004, 0.7]
    """
    room = (upper - lower)[order]
    spare = 1.0 - lower.sum()
    before = np.concatenate(([0.0], np.cumsum(room)[:-1]))
    weights = lower.copy()
    weights[order] += np.clip(spare - before, 0.0, room)
    return np.minimum(weights, upper)


def without_rounding(weights: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return a solver's weights exactly inside their bounds, with a sum of 1.

    What rounding put outside is cut off, and what is then missing or too much goes to the weight
    with the most room for it.

    Args:
        weights: N weights that keep bounds and sum up to rounding.
        lower: N smallest weights.
        upper: N largest weights.

    >>> without_rounding(np.array([1.1, -0.1]), np.zeros(2), np.ones(2)).tolist()
    [1.0, 0.0]
    """
    inside = np.minimum(np.maximum(weights, lower), upper)
    missing = 1.0 - inside.sum()
    room = upper - inside if missing > 0 else inside - lower
    roomiest = int(room.argmax())
    changed = float(inside[roomiest]) + missing
    inside[roomiest] = min(max(changed, lower[roomiest]), upper[roomiest])
    return inside
