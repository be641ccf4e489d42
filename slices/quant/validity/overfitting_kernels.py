"""The compiled loop over the splits of combinatorially symmetric cross-validation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

NEGLIGIBLE = 1e-13
"""Share of all squares below which a half's spread is what rounding left of none."""


@compiled
def half_sharpe_ratios(
    sums: FloatArray, squares: FloatArray, all_squares: FloatArray, count: float, out: FloatArray
) -> None:
    """Write the per-period Sharpe ratio of each configuration over half of the blocks.

    Args:
        sums: C sums of returns over the half.
        squares: C sums of their squares.
        all_squares: C sums of squares over both halves.
        count: Returns in the half.
        out: C ratios: 0 where nothing was made or risked, NaN where returns are constant.
    """
    for c in range(sums.size):
        spread = squares[c] - sums[c] * sums[c] / count
        if spread > NEGLIGIBLE * all_squares[c]:
            out[c] = sums[c] / count / math.sqrt(spread / (count - 1.0))
        elif squares[c] <= NEGLIGIBLE * all_squares[c]:
            out[c] = 0.0
        else:
            out[c] = math.nan


@compiled
def winner(ratios: FloatArray) -> int:
    """Return the first configuration with the highest ratio, or -1 where one is undefined."""
    best = 0
    for c in range(ratios.size):
        if math.isnan(ratios[c]):
            return -1
        if ratios[c] > ratios[best]:
            best = c
    return best


@compiled
def average_rank(ratios: FloatArray, chosen: int) -> tuple[float, int]:
    """Return the rank of one configuration, 1 for the lowest, and how many share its ratio.

    Equal ones share their average rank.
    """
    lower, equal = 0, 0
    for c in range(ratios.size):
        lower += ratios[c] < ratios[chosen]
        equal += ratios[c] == ratios[chosen]
    return lower + (equal + 1.0) / 2.0, equal


@compiled
def next_split(chosen: IntArray, blocks: int) -> int:
    """Step to the next half in lexicographic order; return the first place that changed."""
    half = chosen.size
    place = half - 1
    while place >= 0 and chosen[place] == blocks - half + place:
        place -= 1
    if place >= 0:
        chosen[place] += 1
        for later in range(place + 1, half):
            chosen[later] = chosen[later - 1] + 1
    return place


@compiled
def judged_splits(
    sums: FloatArray, squares: FloatArray, counts: FloatArray, splits: int
) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
    """Choose the best configuration on half of the blocks and look at it on the other, every way.

    Halves come in lexicographic order. The first `splits` / 2 of them hold block 0; the others are
    what these leave, in reverse, so both directions are judged at once. Sums over a half are
    running sums along its blocks: of the next half only those are renewed that differ.

    Args:
        sums: B x C sums of returns.
        squares: B x C sums of their squares.
        counts: B numbers of returns.
        splits: How many halves there are.

    Returns:
        For each half, in sample: relative rank of its winner out of sample, in (0, 1); how many
        share the winner's ratio there, itself included; the winner's ratio in sample; and out of
        sample. NaN, and none that share it, where a ratio is undefined.
    """
    blocks, configurations = sums.shape
    half = blocks // 2
    chosen = np.arange(half)
    run = np.zeros((half + 1, 2, configurations))
    size = np.zeros(half + 1)
    ratios = np.zeros((2, configurations))
    total, total_squares, everything = sums.sum(axis=0), squares.sum(axis=0), counts.sum()
    ranks, inside, outside = (
        np.full(splits, math.nan),
        np.full(splits, math.nan),
        np.full(splits, math.nan),
    )
    ties = np.zeros(splits, dtype=np.int64)
    first = 0
    for split in range(splits // 2):
        for k in range(first, half):
            for c in range(configurations):
                run[k + 1, 0, c] = run[k, 0, c] + sums[chosen[k], c]
                run[k + 1, 1, c] = run[k, 1, c] + squares[chosen[k], c]
            size[k + 1] = size[k] + counts[chosen[k]]
        half_sharpe_ratios(run[half, 0], run[half, 1], total_squares, size[half], ratios[0])
        half_sharpe_ratios(
            total - run[half, 0],
            total_squares - run[half, 1],
            total_squares,
            everything - size[half],
            ratios[1],
        )
        picks = (winner(ratios[0]), winner(ratios[1]))
        if picks[0] >= 0 and picks[1] >= 0:
            for side in range(2):
                place = split if side == 0 else splits - 1 - split
                pick = picks[side]
                rank, ties[place] = average_rank(ratios[1 - side], pick)
                ranks[place] = rank / (configurations + 1.0)
                inside[place], outside[place] = ratios[side, pick], ratios[1 - side, pick]
        first = next_split(chosen, blocks)
    return ranks, ties, inside, outside
