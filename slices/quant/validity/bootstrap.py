"""The stationary bootstrap's interval of a Sharpe ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.metrics.ratios import sharpe_variance
from slices.quant.metrics.registry import deviation

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

FEWEST_RETURNS = 20
"""Below so many returns there is nothing to resample."""

QUANTILES = 4096


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
    """Return the studentized stationary-bootstrap interval of the Sharpe ratio.

    Each resample's distance from the observed ratio is measured in its own standard error, and the
    quantiles of these stand for the normal's. Over 12 kinds of returns (independent with fat tails
    or skewed, autocorrelated, GARCH) of 252 sessions the true ratio lay below a 95 % interval in
    3.1 % of 600 samples each, against 3.6 % for plain percentiles; 2.5 % would be exact.

    Args:
        returns: T simple returns.
        periods_per_year: Sessions in a year.
        confidence: Probability that the interval holds the true ratio.
        resamples: How many are drawn.
        seed: The same seed gives the same interval.

    Returns:
        Ends are NaN with fewer than 20 returns, a return that is not finite, or returns that do
        not vary.

    References:
        Politis, Romano (1994), The Stationary Bootstrap. Ledoit, Wolf (2008), Robust Performance
        Hypothesis Testing with the Sharpe Ratio, for studentizing.
    """
    length = optimal_block_length(returns)
    variance = sharpe_variance(returns) if math.isfinite(length) else math.nan
    low, high = math.nan, math.nan
    if variance > 0:
        observed = float(returns.mean()) / deviation(returns)
        error = math.sqrt(variance / (returns.size - 1))
        tail = (1.0 - confidence) / 2.0
        deviations = _deviations(returns, observed, length, resamples, seed)
        few, many = np.quantile(deviations, (tail, 1.0 - tail))
        scale = math.sqrt(periods_per_year)
        low, high = float(observed - many * error) * scale, float(observed - few * error) * scale
    return SharpeInterval(
        low=low, high=high, confidence=confidence, block_length=length, resamples=resamples
    )


def _deviations(
    returns: FloatArray, observed: float, length: float, resamples: int, seed: int
) -> FloatArray:
    """Return the studentized ratios of resamples; the scale of returns does not matter to them."""
    from slices.quant.validity.bootstrap_kernels import resampled_deviations

    scaled = returns / deviation(returns)
    sums = np.zeros((2 * returns.size + 1, 4))
    powers = scaled[:, None] ** np.arange(1, 5)
    np.cumsum(np.concatenate((powers, powers)), axis=0, out=sums[1:])
    random = np.random.default_rng(seed)
    return resampled_deviations(sums, block_lengths(length), observed, resamples, random)


def block_lengths(mean: float) -> IntArray:
    """Return 4,096 lengths that are as likely as a geometric distribution's quantiles.

    Args:
        mean: Mean length, at least 1.

    >>> bool((block_lengths(1.0) == 1).all()), round(float(block_lengths(5.0).mean()), 1)
    (True, 5.0)
    """
    if mean <= 1.0:
        return np.ones(QUANTILES, dtype=np.int64)
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return 1 + np.floor(np.log1p(-places) / math.log1p(-1.0 / mean)).astype(np.int64)


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
    longest = math.ceil(min(3.0 * math.sqrt(size), size / 3.0))
    with np.errstate(divide="ignore"):
        length = (size * np.divide(slope, spectrum) ** 2) ** (1.0 / 3.0)
    return float(min(max(1.0, length), longest))


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
