"""One series of returns against a benchmark's.

The risk-free rate is a simple rate per year, spread evenly over the periods.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.growth import annualized_return
from slices.quant.metrics.registry import Direction, deviation, ratio, relative_metric

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def _covariance(first: FloatArray, second: FloatArray) -> float:
    centred = (first - first.mean()) @ (second - second.mean())
    return float(centred) / (first.size - 1) if first.size > 1 else math.nan


@relative_metric(unit=Unit.RATIO, direction=Direction.NEUTRAL, reference="Sharpe (1964)")
def beta(returns: FloatArray, benchmark: FloatArray) -> float:
    """Slope of the returns on the benchmark's."""
    return ratio(_covariance(returns, benchmark), deviation(benchmark) ** 2)


@relative_metric(
    unit=Unit.FRACTION, direction=Direction.HIGHER, reference="Jensen (1968), arithmetic"
)
def alpha(
    returns: FloatArray,
    benchmark: FloatArray,
    *,
    periods_per_year: int,
    risk_free_rate: float = 0.0,
) -> float:
    """Mean excess return not explained by beta, times the periods of a year.

    empyrical compounds the same quantity: (1 + alpha / n)^n - 1.
    """
    free = risk_free_rate / periods_per_year
    slope = beta(returns, benchmark)
    unexplained = float(returns.mean()) - free - slope * (float(benchmark.mean()) - free)
    return unexplained * periods_per_year


@relative_metric(unit=Unit.RATIO, direction=Direction.NEUTRAL, reference="Pearson")
def correlation(returns: FloatArray, benchmark: FloatArray) -> float:
    """Correlation with the benchmark."""
    product = deviation(returns) * deviation(benchmark)
    return ratio(_covariance(returns, benchmark), product)


@relative_metric(unit=Unit.FRACTION, direction=Direction.NEUTRAL, reference="squared correlation")
def r_squared(returns: FloatArray, benchmark: FloatArray) -> float:
    """Share of the variance that the benchmark explains."""
    return correlation(returns, benchmark) ** 2


@relative_metric(unit=Unit.FRACTION, direction=Direction.HIGHER)
def active_return(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Annualized return minus the benchmark's."""
    mine = annualized_return(returns, periods_per_year=periods_per_year)
    return mine - annualized_return(benchmark, periods_per_year=periods_per_year)


@relative_metric(unit=Unit.FRACTION, direction=Direction.LOWER)
def tracking_error(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Annualized deviation of the difference from the benchmark."""
    return deviation(returns - benchmark) * math.sqrt(periods_per_year)


@relative_metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Grinold, Kahn (2000)")
def information_ratio(
    returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int
) -> float:
    """Mean difference from the benchmark over its deviation, annualized."""
    difference = returns - benchmark
    plain = ratio(float(difference.mean()), deviation(difference))
    return plain * math.sqrt(periods_per_year)


@relative_metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Treynor (1965)")
def treynor_ratio(
    returns: FloatArray,
    benchmark: FloatArray,
    *,
    periods_per_year: int,
    risk_free_rate: float = 0.0,
) -> float:
    """Annualized mean excess return per unit of beta."""
    excess = float(returns.mean()) * periods_per_year - risk_free_rate
    return ratio(excess, beta(returns, benchmark))


def _captured(
    returns: FloatArray, benchmark: FloatArray, sessions: FloatArray, periods_per_year: int
) -> float:
    """Compare annualized returns over some of the sessions."""
    chosen = np.flatnonzero(sessions)
    return ratio(
        annualized_return(returns[chosen], periods_per_year=periods_per_year),
        annualized_return(benchmark[chosen], periods_per_year=periods_per_year),
    )


@relative_metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Morningstar, annualized")
def up_capture(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Annualized return over the benchmark's, in sessions where the benchmark gained."""
    return _captured(returns, benchmark, np.maximum(benchmark, 0.0), periods_per_year)


@relative_metric(unit=Unit.RATIO, direction=Direction.LOWER, reference="Morningstar, annualized")
def down_capture(returns: FloatArray, benchmark: FloatArray, *, periods_per_year: int) -> float:
    """Annualized return over the benchmark's, in sessions where the benchmark lost."""
    return _captured(returns, benchmark, np.minimum(benchmark, 0.0), periods_per_year)
