"""What holding the benchmark does not explain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

FEWEST_RETURNS = 10


@dataclass(frozen=True, kw_only=True)
class AlphaEstimate:
    """A regression of returns on a benchmark's.

    Attributes:
        alpha: Return a year that beta does not explain: the intercept times periods per year.
        beta: Slope.
        alpha_t: t-statistic of alpha, robust to autocorrelation and changing variance.
        lags: Of the Newey-West estimator.
    """

    alpha: float
    beta: float
    alpha_t: float
    lags: int


def estimated_alpha(
    returns: FloatArray, benchmark_returns: FloatArray, *, periods_per_year: int
) -> AlphaEstimate:
    """Regress returns on a benchmark's, with the t-statistic of Newey and West.

    Args:
        returns: T simple returns.
        benchmark_returns: T returns of the benchmark over the same sessions.
        periods_per_year: Sessions in a year.

    Returns:
        Estimates with Bartlett weights over 4 (T / 100)^(2/9) lags; NaN with fewer than 10
        returns, with one that is not finite, and where the benchmark does not vary.

    Raises:
        BadDataError: Where the two differ in length.

    References:
        Newey, West (1987), A Simple, Positive Semi-Definite, Heteroskedasticity and
        Autocorrelation Consistent Covariance Matrix; the lags as in Newey, West (1994).
    """
    if returns.shape != benchmark_returns.shape:
        raise BadDataError(
            dataset="benchmark returns",
            problem=f"found {benchmark_returns.size}, needed {returns.size} as of the strategy",
        )
    lags = newey_west_lags(returns.size)
    if not _usable(returns, benchmark_returns):
        return AlphaEstimate(alpha=math.nan, beta=math.nan, alpha_t=math.nan, lags=lags)
    centred = benchmark_returns - benchmark_returns.mean()
    squares = float(centred @ centred)
    beta = float(centred @ returns) / squares
    intercept = float(returns.mean()) - beta * float(benchmark_returns.mean())
    residuals = returns - intercept - beta * benchmark_returns
    influence = residuals * (1.0 / returns.size - benchmark_returns.mean() * centred / squares)
    error = math.sqrt(long_run_sum(influence, lags))
    noise = np.finfo(np.float64).eps * float(np.abs(returns).max(initial=0.0))
    return AlphaEstimate(
        alpha=intercept * periods_per_year,
        beta=beta,
        alpha_t=intercept / error if error > noise else math.nan,
        lags=lags,
    )


def newey_west_lags(size: int) -> int:
    """Return the usual number of lags for so many observations.

    >>> newey_west_lags(2520)
    8
    """
    return int(4.0 * (size / 100.0) ** (2.0 / 9.0))


def _usable(returns: FloatArray, benchmark_returns: FloatArray) -> bool:
    finite = np.isfinite(returns).all() and np.isfinite(benchmark_returns).all()
    return bool(finite and returns.size >= FEWEST_RETURNS and np.ptp(benchmark_returns) > 0)


def long_run_sum(influence: FloatArray, lags: int) -> float:
    """Return the variance of a sum of dependent terms; the weights keep it from being negative."""
    total = float(influence @ influence)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(influence[lag:] @ influence[:-lag])
    return max(total, 0.0)
