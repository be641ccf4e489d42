"""Whether one account did better than another over the same sessions, or only by luck."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError
from slices.domain.paired import PairedDifference
from slices.quant.validity.alpha import long_run_sum, newey_west_lags
from slices.quant.validity.bootstrap import FEWEST_RETURNS, block_lengths, optimal_block_length

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

SPARE_BLOCKS = 16


def paired_difference(
    returns: FloatArray,
    benchmark_returns: FloatArray,
    *,
    periods_per_year: int,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> PairedDifference:
    """Test whether two Sharpe ratios over the same sessions differ.

    Both accounts are resampled together, in blocks, so that what they share stays shared and what
    depends on the sessions before goes on doing so.

    Args:
        returns: T simple returns.
        benchmark_returns: T returns over the same sessions.
        periods_per_year: Sessions in a year.
        confidence: Of the interval, and of `is_significant`.
        resamples: How many are drawn.
        seed: The same seed gives the same answer.

    Returns:
        NaN throughout with fewer than 20 returns, with one that is not finite, and where either
        account, or the difference of both, does not vary.

    Raises:
        BadDataError: Where the two differ in length.

    References:
        Ledoit, Wolf (2008), Robust Performance Hypothesis Testing with the Sharpe Ratio, for the
        error; Politis, Romano (1994), The Stationary Bootstrap, for the interval.
    """
    if returns.shape != benchmark_returns.shape:
        raise BadDataError(
            dataset="benchmark returns",
            problem=f"found {benchmark_returns.size}, needed {returns.size} as of the other",
        )
    both = np.column_stack((returns, benchmark_returns))
    apart = returns - benchmark_returns
    usable = returns.size >= FEWEST_RETURNS and bool(np.isfinite(both).all())
    lengths = [optimal_block_length(each) for each in (*both.T, apart)] if usable else [math.nan]
    if not np.isfinite(lengths).all():
        return _unknown(returns.size, confidence)
    length, annual = max(lengths), math.sqrt(periods_per_year)
    found, error = _difference(both), _standard_error(both)
    drawn = _resampled(both, length, resamples, seed) - found
    tail = (1.0 - confidence) / 2.0
    few, many = np.quantile(drawn, (tail, 1.0 - tail))
    mean = float(apart.mean())
    return_error = math.sqrt(long_run_sum(apart - mean, newey_west_lags(apart.size))) / apart.size
    return PairedDifference(
        sessions=returns.size,
        sharpe_difference=found * annual,
        standard_error=error * annual,
        t_statistic=found / error if error > 0 else math.nan,
        low=(found - float(many)) * annual,
        high=(found - float(few)) * annual,
        confidence=confidence,
        p_value=float(1 + np.count_nonzero(np.abs(drawn) >= abs(found))) / (resamples + 1),
        return_difference=mean * periods_per_year,
        return_t=mean / return_error if return_error > 0 else math.nan,
        block_length=length,
    )


def _unknown(sessions: int, confidence: float) -> PairedDifference:
    nothing = math.nan
    return PairedDifference(
        sessions=sessions,
        sharpe_difference=nothing,
        standard_error=nothing,
        t_statistic=nothing,
        low=nothing,
        high=nothing,
        confidence=confidence,
        p_value=nothing,
        return_difference=nothing,
        return_t=nothing,
        block_length=nothing,
    )


def _ratios(first: FloatArray, second: FloatArray, size: int) -> FloatArray:
    """Return Sharpe ratios per period from first and second moments; 0 where nothing varies."""
    variance = np.maximum(second - first**2, 0.0) * size / (size - 1)
    deviation = np.sqrt(variance)
    return np.divide(first, deviation, out=np.zeros_like(first), where=variance > 1e-12 * second)


def _difference(both: FloatArray) -> float:
    ratios = _ratios(both.mean(axis=0), (both**2).mean(axis=0), both.shape[0])
    return float(ratios[0] - ratios[1])


def _standard_error(both: FloatArray) -> float:
    """Return the error of the difference by the delta method, with Newey and West's lags."""
    size = both.shape[0]
    first, second = both.mean(axis=0), (both**2).mean(axis=0)
    spread = (second - first**2) ** 1.5
    slopes = second / spread, -0.5 * first / spread
    influence = slopes[0] * (both - first) + slopes[1] * (both**2 - second)
    apart = influence[:, 0] - influence[:, 1]
    return float(math.sqrt(long_run_sum(apart, newey_west_lags(size))) / size)


def _resampled(both: FloatArray, length: float, resamples: int, seed: int) -> FloatArray:
    """Return the difference of the ratios in each of many resamples.

    What a block adds to the moments is the difference of two running sums over the returns
    repeated once.
    """
    size = both.shape[0]
    powers = np.column_stack((both, both**2))
    sums = np.zeros((2 * size + 1, 4))
    np.cumsum(np.concatenate((powers, powers)), axis=0, out=sums[1:])
    random, choices = np.random.default_rng(seed), block_lengths(length)
    moments = np.empty((resamples, 4))
    for i in range(resamples):
        blocks = _blocks(random, choices, size, mean=length)
        starts = random.integers(0, size, blocks.size)
        moments[i] = (sums[starts + blocks] - sums[starts]).sum(axis=0) / size
    ratios = _ratios(moments[:, :2], moments[:, 2:], size)
    return np.asarray(ratios[:, 0] - ratios[:, 1])


def _blocks(random: np.random.Generator, choices: IntArray, size: int, *, mean: float) -> IntArray:
    """Draw lengths of blocks that add up to so many sessions, the last one cut."""
    count = int(size / mean) + SPARE_BLOCKS
    drawn = np.minimum(random.choice(choices, count), size)
    while drawn.sum() < size:
        drawn = np.concatenate((drawn, np.minimum(random.choice(choices, count), size)))
    ends = np.cumsum(drawn)
    last = int(np.searchsorted(ends, size))
    kept = drawn[: last + 1].copy()
    kept[last] -= int(ends[last]) - size
    return np.asarray(kept, dtype=np.int64)
