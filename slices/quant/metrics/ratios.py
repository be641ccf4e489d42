"""Return per unit of risk.

The risk-free rate is a simple rate per year, spread evenly over the periods.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.dispersion import downside_deviation, excess_kurtosis, skewness
from slices.quant.metrics.drawdown import max_drawdown, pain_index, ulcer_index
from slices.quant.metrics.growth import annualized_mean, annualized_return, total_return
from slices.quant.metrics.registry import Direction, deviation, metric, ratio

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Sharpe (1994)")
def sharpe_ratio(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Mean excess return over the sample deviation, annualized.

    >>> round(sharpe_ratio(np.array([0.01, 0.03]), periods_per_year=252), 6)
    22.449944
    """
    excess = float(returns.mean()) - risk_free_rate / periods_per_year
    return ratio(excess, deviation(returns)) * math.sqrt(periods_per_year)


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Sortino, van der Meer (1991)")
def sortino_ratio(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Annualized mean excess return over the downside deviation.

    Shortfalls count from the risk-free rate and are averaged over all sessions; skfolio takes
    them around the mean and gives another number (0.929 where this is 0.956).
    """
    excess = annualized_mean(returns, periods_per_year=periods_per_year) - risk_free_rate
    downside = downside_deviation(
        returns, periods_per_year=periods_per_year, risk_free_rate=risk_free_rate
    )
    return ratio(excess, downside)


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Young (1991), over all sessions")
def calmar_ratio(returns: FloatArray, *, periods_per_year: int) -> float:
    """Annualized return over the maximum drawdown."""
    return ratio(
        annualized_return(returns, periods_per_year=periods_per_year), max_drawdown(returns)
    )


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Martin, McCann (1989)")
def martin_ratio(returns: FloatArray, *, periods_per_year: int) -> float:
    """Annualized return over the ulcer index."""
    return ratio(
        annualized_return(returns, periods_per_year=periods_per_year), ulcer_index(returns)
    )


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Zephyr Associates (2006)")
def pain_ratio(returns: FloatArray, *, periods_per_year: int) -> float:
    """Annualized return over the pain index."""
    return ratio(annualized_return(returns, periods_per_year=periods_per_year), pain_index(returns))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER)
def recovery_factor(returns: FloatArray) -> float:
    """Total return over the maximum drawdown."""
    return ratio(total_return(returns), max_drawdown(returns))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Keating, Shadwick (2002)")
def omega_ratio(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Sum of gains above the risk-free rate over the sum of shortfalls below it."""
    excess = returns - risk_free_rate / periods_per_year
    return ratio(float(np.maximum(excess, 0.0).sum()), float(np.maximum(-excess, 0.0).sum()))


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Sortino, van der Meer, Plantinga")
def upside_potential_ratio(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Annualized mean of gains above the risk-free rate over the downside deviation."""
    gains = np.maximum(returns - risk_free_rate / periods_per_year, 0.0)
    downside = downside_deviation(
        returns, periods_per_year=periods_per_year, risk_free_rate=risk_free_rate
    )
    return ratio(float(gains.mean()) * periods_per_year, downside)


@metric(unit=Unit.FRACTION, direction=Direction.HIGHER, reference="Bailey, Lopez de Prado (2012)")
def probabilistic_sharpe_ratio(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above zero, given length, skew and kurtosis.

    NaN with fewer than three returns and where the variance of the estimate is not positive.
    """
    return sharpe_exceedance(returns - risk_free_rate / periods_per_year, benchmark_sharpe=0.0)


def sharpe_exceedance(returns: FloatArray, *, benchmark_sharpe: float) -> float:
    """Return the probability that the true Sharpe ratio is above a given one.

    Args:
        returns: T excess returns.
        benchmark_sharpe: Sharpe ratio per period, not annualized.

    Returns:
        NaN where `sharpe_variance` is.

    References:
        Bailey, Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, equation 7.
    """
    variance = sharpe_variance(returns)
    if not variance > 0:
        return math.nan
    distance = ratio(float(returns.mean()), deviation(returns)) - benchmark_sharpe
    return NormalDist().cdf(distance * math.sqrt(returns.size - 1) / math.sqrt(variance))


def sharpe_variance(returns: FloatArray) -> float:
    """Return the variance of the Sharpe ratio's estimate per period, times T - 1.

    Returns:
        1 for normal returns with mean 0; more with negative skewness and fat tails. NaN with fewer
        than three returns and where it is not positive or returns do not vary.

    References:
        Mertens (2002), Comments on variance of the IID estimator in Lo (2002).
    """
    if returns.size < 3:
        return math.nan
    observed = ratio(float(returns.mean()), deviation(returns))
    kurtosis = excess_kurtosis(returns) + 3.0
    variance = 1.0 - skewness(returns) * observed + (kurtosis - 1.0) / 4.0 * observed**2
    return variance if variance > 0 else math.nan


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="Pezier, White (2006)")
def adjusted_sharpe_ratio(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Sharpe ratio penalized for negative skewness and fat tails."""
    plain = sharpe_ratio(returns, periods_per_year=periods_per_year, risk_free_rate=risk_free_rate)
    skew, kurtosis = skewness(returns), excess_kurtosis(returns)
    return plain * (1.0 + skew / 6.0 * plain - kurtosis / 24.0 * plain**2)


@metric(unit=Unit.RATIO, direction=Direction.NEUTRAL, reference="Kelly (1956), normal returns")
def kelly_fraction(
    returns: FloatArray, *, periods_per_year: int, risk_free_rate: float = 0.0
) -> float:
    """Exposure with the highest expected log growth: mean excess return over the variance."""
    excess = float(returns.mean()) - risk_free_rate / periods_per_year
    return ratio(excess, deviation(returns) ** 2)
