"""The stationary bootstrap's interval of a Sharpe ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

FEWEST_RETURNS = 20
"""Below so many returns there is nothing to resample."""


@dataclass(frozen=True, kw_only=True)
class SharpeInterval:
    """Where the true Sharpe ratio lies with the given confidence; annualized.

    Attributes:
        block_length: Mean length of the blocks, in sessions.
    """

    low: float
    high: float
    confidence: float
    block_length: float
    resamples: int


def sharpe_interval(
    returns: FloatArray,
    *,
    periods_per_year: int,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> SharpeInterval:
    """Return the percentile interval of the Sharpe ratio over stationary-bootstrap resamples.

    Args:
        returns: T simple returns.
        periods_per_year: Sessions in a year.
        confidence: Share of the resamples inside the interval.
        resamples: How many are drawn.
        seed: The same seed gives the same interval.

    Returns:
        Ends are NaN with fewer than 20 returns, a return that is not finite, or returns that do
        not vary.

    References:
        Politis, Romano (1994), The Stationary Bootstrap.
    """
    length = optimal_block_length(returns)
    low, high = math.nan, math.nan
    if math.isfinite(length):
        ratios = bootstrapped(returns, length, resamples, seed) * math.sqrt(periods_per_year)
        tail = (1.0 - confidence) / 2.0
        low, high = (float(each) for each in np.quantile(ratios, (tail, 1.0 - tail)))
    return SharpeInterval(
        low=low, high=high, confidence=confidence, block_length=length, resamples=resamples
    )


def bootstrapped(returns: FloatArray, block_length: float, resamples: int, seed: int) -> FloatArray:
    """Return the per-period Sharpe ratios of resamples."""
    from slices.quant.validity.bootstrap_kernels import resampled_sharpe_ratios

    twice = np.concatenate((returns, returns))
    sums = np.zeros((twice.size + 1, 2))
    np.cumsum(twice, out=sums[1:, 0])
    np.cumsum(twice * twice, out=sums[1:, 1])
    random = np.random.default_rng(seed)
    return resampled_sharpe_ratios(sums, block_length, resamples, random)


def optimal_block_length(returns: FloatArray) -> float:
    """Estimate the mean block length that serves the stationary bootstrap of a mean best.

    Args:
        returns: T values.

    Returns:
        Sessions, at least 1 and at most 3 sqrt(T) or T / 3; NaN with fewer than 20 values, one
        that is not finite, or values that do not vary.

    References:
        Politis, White (2004), Automatic Block-Length Selection for the Dependent Bootstrap, as
        corrected by Patton, Politis, White (2009).
    """
    size = returns.size
    if size < FEWEST_RETURNS or not np.isfinite(returns).all() or np.ptp(returns) == 0:
        return math.nan
    neighbours = max(5, int(math.log10(size)))
    furthest = math.ceil(math.sqrt(size)) + neighbours
    covariances, correlations = _autocovariances(returns, min(furthest, size - 2))
    lags = _lags(correlations, neighbours, 2.0 * math.sqrt(math.log10(size) / size))
    steps = np.arange(1, lags + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - steps / lags))
    spectrum = covariances[0] + 2.0 * float(window @ covariances[1 : lags + 1])
    slope = 2.0 * float((window * steps) @ covariances[1 : lags + 1])
    if spectrum == 0:
        return 1.0
    longest = math.ceil(min(3.0 * math.sqrt(size), size / 3.0))
    return float(min(max(1.0, (size * (slope / spectrum) ** 2) ** (1.0 / 3.0)), longest))


def _autocovariances(returns: FloatArray, furthest: int) -> tuple[FloatArray, FloatArray]:
    """Return autocovariances and the sizes of autocorrelations at lags 0 to `furthest`."""
    centred = returns - returns.mean()
    size = centred.size
    products = np.array([centred[lag:] @ centred[: size - lag] for lag in range(furthest + 1)])
    squares = np.cumsum(np.concatenate(([0.0], centred * centred)))
    places = np.arange(1, furthest + 2)
    scale = np.sqrt((squares[-1] - squares[places]) * squares[size - places])
    sizes = np.divide(np.abs(products), scale, out=np.zeros(furthest + 1), where=scale > 0)
    return products / size, sizes


def _lags(correlations: FloatArray, neighbours: int, negligible: float) -> int:
    """Find twice the lag beyond which a run of correlations is negligible."""
    furthest = correlations.size - 1
    quiet = correlations < negligible
    for lag in range(furthest - neighbours + 1):
        if quiet[lag : lag + neighbours].all():
            return min(2 * max(lag, 1), furthest)
    return furthest
