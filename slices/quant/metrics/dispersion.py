"""How much returns spread, and in which shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.registry import Direction, deviation, metric, ratio

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def annualized_volatility(returns: FloatArray, *, periods_per_year: int) -> float:
    """Sample deviation (ddof 1) scaled to one year; NaN with fewer than two returns."""
    return deviation(returns) * math.sqrt(periods_per_year)


@metric(unit=Unit.FRACTION, direction=Direction.LOWER, reference="Sortino, van der Meer (1991)")
def downside_deviation(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Root mean square of shortfalls below the risk-free rate, scaled to one year.

    The mean is over all sessions, not only those below (as empyrical; skfolio's semi-deviation
    is taken around the mean with divisor T - 1 and is another measure).
    """
    below = np.minimum(returns - risk_free_rate / periods_per_year, 0.0)
    return math.sqrt(float(np.mean(below**2)) * periods_per_year)


def _standardized(returns: FloatArray) -> FloatArray:
    """Return the distances from the mean in population deviations; NaN where all are equal.

    Moments of these have divisor T, as scipy's with its default bias.
    """
    spread = float(returns.std()) if np.ptp(returns) > 0 else math.nan
    distances: FloatArray = (returns - returns.mean()) / spread
    return distances


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Fisher-Pearson, divisor T")
def skewness(returns: FloatArray) -> float:
    """Asymmetry: negative where losses are rarer and larger than gains."""
    distance = _standardized(returns)
    return float((distance * distance) @ distance) / returns.size


@metric(unit=Unit.RATIO, direction=Direction.LOWER, reference="Fisher: 0 for a normal, divisor T")
def excess_kurtosis(returns: FloatArray) -> float:
    """Weight of the tails beyond a normal distribution's."""
    squared = _standardized(returns) ** 2
    return float(squared @ squared) / returns.size - 3.0


@metric(unit=Unit.RATIO, direction=Direction.NEUTRAL, reference="sample autocorrelation at lag 1")
def autocorrelation(returns: FloatArray) -> float:
    """Correlation of a session's return with the one before; NaN below three returns."""
    if returns.size < 3 or np.ptp(returns) == 0:
        return math.nan
    centred = returns - returns.mean()
    return ratio(float(centred[1:] @ centred[:-1]), float(centred @ centred))
