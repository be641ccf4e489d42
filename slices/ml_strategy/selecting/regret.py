"""How much one account made more than another, and how sure that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError
from slices.domain.strategy_selection import Interval
from slices.ml_strategy.skill.coefficients import newey_west_t
from slices.quant.validity.alpha import newey_west_lags
from slices.quant.validity.bootstrap import block_lengths, optimal_block_length

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

RESAMPLES = 1000
CONFIDENCE = 0.95


def difference(
    ours: FloatArray, theirs: FloatArray, *, periods_per_year: int, seed: int = 0
) -> Interval:
    """Compare two accounts over the same sessions, a year.

    The sessions of both are resampled together in blocks, so that what they share cancels.

    Args:
        ours: T simple returns.
        theirs: T simple returns of the same sessions.
        periods_per_year: Sessions in a year.
        seed: Of the bootstrap.

    Returns:
        Mean difference with the 95 % interval of the stationary bootstrap and a Newey-West
        t-statistic; where the two never differ, 0 with an interval of no width and no t-statistic.

    Raises:
        BadDataError: Where the two differ in length.

    References:
        Politis, Romano (1994), The Stationary Bootstrap; Newey, West (1987).
    """
    if ours.shape != theirs.shape:
        raise BadDataError(
            dataset="returns", problem=f"found {ours.size} and {theirs.size}, needed as many"
        )
    gaps = ours - theirs
    mean = float(gaps.mean()) if gaps.size else math.nan
    length = optimal_block_length(gaps)
    if not math.isfinite(length):
        edge = mean * periods_per_year if gaps.size and np.ptp(gaps) == 0 else math.nan
        return Interval(value=mean * periods_per_year, low=edge, high=edge, t_statistic=math.nan)
    means = resampled_means(gaps, length, seed=seed)
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(means, (tail, 1.0 - tail)) * periods_per_year
    return Interval(
        value=mean * periods_per_year,
        low=float(low),
        high=float(high),
        t_statistic=newey_west_t(gaps, newey_west_lags(gaps.size)),
    )


def resampled_means(values: FloatArray, length: float, *, seed: int) -> FloatArray:
    """Return means of resamples made of blocks that run round the end.

    Args:
        values: T values.
        length: Mean length of the blocks.
        seed: Of the draws.
    """
    random = np.random.default_rng(seed)
    lengths = block_lengths(length)
    sums = np.concatenate([[0.0], np.cumsum(np.tile(values, 2))])
    return np.array(
        [_resampled(sums, values.size, lengths, random) for _ in range(RESAMPLES)], dtype=np.float64
    )


def _resampled(
    sums: FloatArray, size: int, lengths: IntArray, random: np.random.Generator
) -> float:
    total, missing = 0.0, size
    while missing > 0:
        count = missing // max(1, int(lengths.mean())) + 8
        drawn = np.minimum(random.choice(lengths, count), size)
        starts = random.integers(0, size, count)
        kept = np.minimum(drawn, np.maximum(missing - (np.cumsum(drawn) - drawn), 0))
        total += float((sums[starts + kept] - sums[starts]).sum())
        missing -= int(kept.sum())
    return total / size
