"""How much was made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.registry import Direction, metric
from slices.quant.returns import compounded

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def total_return(returns: FloatArray) -> float:
    """Compounded return over the whole series.

    >>> round(total_return(np.array([0.1, -0.1])), 12)
    -0.01
    """
    return float(compounded(returns)[-1] - 1.0)


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def annualized_return(returns: FloatArray, *, periods_per_year: int) -> float:
    """Compound annual growth rate; NaN where wealth has become negative.

    >>> round(annualized_return(np.array([0.1, 0.1]), periods_per_year=1), 12)
    0.1
    """
    wealth = float(compounded(returns)[-1])
    return wealth ** (periods_per_year / returns.size) - 1.0 if wealth >= 0 else math.nan


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def annualized_mean(returns: FloatArray, *, periods_per_year: int) -> float:
    """Arithmetic mean of the returns, times the periods of a year."""
    return float(returns.mean()) * periods_per_year


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def best_session(returns: FloatArray) -> float:
    """Highest return of one session."""
    return float(returns.max())


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def worst_session(returns: FloatArray) -> float:
    """Lowest return of one session."""
    return float(returns.min())


@metric(
    unit=Unit.RATIO,
    direction=Direction.HIGHER,
    reference="R squared of log wealth on time, as empyrical's stability_of_timeseries",
)
def stability(returns: FloatArray) -> float:
    """How well a straight line describes log wealth, from 0 to 1.

    NaN with fewer than two returns, where wealth reaches 0, and for a flat line.
    """
    wealth = compounded(returns)
    if returns.size < 2 or wealth.min() <= 0 or np.ptp(wealth) == 0:
        return math.nan
    time = np.arange(wealth.size, dtype=np.float64)
    return float(np.corrcoef(time, np.log(wealth))[0, 1] ** 2)
