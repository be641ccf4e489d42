"""The compiled loop of the bootstrap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

LEAST_SPREAD = 1e-6


@compiled
def studentized(moments: FloatArray, size: int, observed: float) -> float:
    """Return how many standard errors a resample's Sharpe ratio lies above the observed one.

    Args:
        moments: Sums of the first four powers of the resample.
        size: How many returns it has.
        observed: Sharpe ratio of the returns, per period.

    Returns:
        As for normal returns with ratio 0 where the resample does not vary.
    """
    mean, second, third, fourth = moments / size
    variance = second - mean * mean
    if variance <= 1e-12 * second or variance <= 0.0:
        return -observed * math.sqrt(size - 1.0)
    ratio = mean / math.sqrt(variance * size / (size - 1.0))
    skew = (third - 3.0 * mean * second + 2.0 * mean**3) / variance**1.5
    tails = (fourth - 4.0 * mean * third + 6.0 * mean**2 * second - 3.0 * mean**4) / variance**2
    spread = 1.0 - skew * ratio + (tails - 1.0) / 4.0 * ratio**2
    return float((ratio - observed) * math.sqrt((size - 1.0) / max(spread, LEAST_SPREAD)))


@compiled
def resampled_deviations(
    sums: FloatArray,
    lengths: IntArray,
    observed: float,
    resamples: int,
    random: np.random.Generator,
) -> FloatArray:
    """Draw stationary-bootstrap resamples and studentize the Sharpe ratio of each.

    A resample is joined from blocks that start anywhere, have random lengths and wrap at the end.
    What a block adds is the difference of two running sums, so its length costs nothing.

    Args:
        sums: 2 T + 1 x 4 running sums of the first four powers of the returns repeated once.
        lengths: Lengths of blocks, each as likely as the others.
        observed: Sharpe ratio of the returns, per period.
        resamples: How many.
        random: Draws one number per block: its place among the T returns is the start, and what
            is left of it beyond that chooses the length.
    """
    size, choices = (sums.shape[0] - 1) // 2, lengths.size
    deviations = np.empty(resamples)
    moments = np.empty(4)
    for r in range(resamples):
        first, second, third, fourth, left = 0.0, 0.0, 0.0, 0.0, size
        while left > 0:
            drawn = random.random() * size
            start = int(drawn)
            length = min(left, lengths[int((drawn - start) * choices)])
            end = start + length
            first += sums[end, 0] - sums[start, 0]
            second += sums[end, 1] - sums[start, 1]
            third += sums[end, 2] - sums[start, 2]
            fourth += sums[end, 3] - sums[start, 3]
            left -= length
        moments[0], moments[1], moments[2], moments[3] = first, second, third, fourth
        deviations[r] = studentized(moments, size, observed)
    return deviations
