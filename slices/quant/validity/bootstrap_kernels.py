"""The compiled loop of the bootstrap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@compiled
def resampled_sharpe_ratios(
    sums: FloatArray, block_length: float, resamples: int, random: np.random.Generator
) -> FloatArray:
    """Draw stationary-bootstrap resamples and take the Sharpe ratio of each.

    A resample is joined from blocks that start anywhere and have geometric lengths, and wrap at
    the end. What a block adds is the difference of two running sums, so its length costs nothing.

    Args:
        sums: 2 T + 1 x 2 running sums of the returns repeated once, and of their squares.
        block_length: Mean length, at least 1.
        resamples: How many.
        random: Draws one number per block: where it falls chooses the start, and what is left of
            it beyond the start the length.

    Returns:
        Ratios per period; 0 where a resample does not vary.
    """
    size = (sums.shape[0] - 1) // 2
    scale = 0.0 if block_length <= 1.0 else 1.0 / math.log1p(-1.0 / block_length)
    ratios = np.zeros(resamples)
    for r in range(resamples):
        left, first, second = size, 0.0, 0.0
        while left > 0:
            drawn = random.random() * size
            start = int(drawn)
            length = min(left, 1 + int(math.log1p(start - drawn) * scale))
            first += sums[start + length, 0] - sums[start, 0]
            second += sums[start + length, 1] - sums[start, 1]
            left -= length
        variance = (second - first * first / size) / (size - 1)
        if variance > 1e-12 * second / size:
            ratios[r] = first / size / math.sqrt(variance)
    return ratios
