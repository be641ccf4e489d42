"""The probability of backtest overfitting: does the best in sample stay good out of sample?

Combinatorially symmetric cross-validation: history is split into blocks, and for every choice of
half of them the configuration with the highest Sharpe ratio there is ranked among all on the other
half. If choosing carried no information, its rank is anywhere. Where configurations are equal, as
many are that hardly trade, a winner that shares its ratio with others around the median is neither
above nor below it: such a split counts one half.

References:
    Bailey, Borwein, Lopez de Prado, Zhu (2017), The Probability of Backtest Overfitting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from slices.domain.errors import BadDataError, ParameterError
from slices.quant.types import FloatArray, IntArray

MOST_BLOCKS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Overfitting:
    """What all splits of history into two halves have shown.

    Attributes:
        probability: Share of splits in which the best in sample was not above the median out of
            sample, a winner tied with others at the median counting one half; NaN where `reason`
            says why.
        logits: One per split: log(w / (1 - w)) of the winner's relative rank w out of sample.
        degradation_slope: Of the winner's Sharpe ratio out of sample on that in sample; negative
            where more in sample meant less out of sample.
        probability_of_loss: Share of splits whose winner lost out of sample.
        mean_in_sample: Mean per-period Sharpe ratio of the winners in sample.
        mean_out_of_sample: The same out of sample.
        reason: Why the probability is undefined; empty where it is defined.
    """

    configurations: int
    blocks: int
    probability: float
    logits: FloatArray
    degradation_slope: float
    probability_of_loss: float
    mean_in_sample: float
    mean_out_of_sample: float
    reason: str = ""


def probability_of_overfitting(returns: FloatArray, *, blocks: int = 16) -> Overfitting:
    """Judge a choice among configurations by their returns.

    Ratios are per-period Sharpe ratios (ddof 1). Equal ratios out of sample share their average
    rank, in sample the first configuration is chosen, and sessions beyond a multiple of `blocks`
    are left off at the end, all as in ffn. Unlike there, a configuration that did not trade in a
    half has ratio 0 in it: it made nothing and risked nothing. Other returns that do not vary
    leave the ratio and the probability undefined. Unlike there also, a winner that shares its
    ratio with others at the median counts one half, in place of one where its average rank is not
    above it; and where all configurations are equal in every half there was nothing to choose, and
    the probability is undefined. Without equal ratios it is that of ffn.

    Args:
        returns: T x C, one column for every configuration that was tried.
        blocks: Even, 2 to 20; 16 give 12,870 splits.

    Raises:
        BadDataError: Where returns are missing, or there are too few.
        ParameterError: Where blocks are not allowed.
    """
    _check_blocks(blocks)
    sessions = returns.shape[0] // blocks
    if returns.ndim != 2 or sessions < 1 or not np.isfinite(returns).all():
        raise BadDataError(
            dataset="returns of the configurations",
            problem=f"found shape {returns.shape}; needed T x C finite returns, T of at least "
            f"{blocks}",
        )
    parts = returns[: sessions * blocks].reshape(blocks, sessions, -1)
    return overfitting_from_blocks(
        parts.sum(axis=1).T,
        np.einsum("bsc,bsc->cb", parts, parts),
        np.full(blocks, sessions, dtype=np.int64),
    )


def overfitting_from_blocks(
    block_sums: FloatArray, block_squares: FloatArray, block_counts: IntArray
) -> Overfitting:
    """Judge a choice among configurations by sums over blocks of their returns.

    Args:
        block_sums: C x B sums of returns.
        block_squares: C x B sums of their squares.
        block_counts: B numbers of returns.

    Raises:
        BadDataError: Where shapes differ, there are fewer than two configurations, a sum is not
            finite, or half of the blocks can hold fewer than two returns.
        ParameterError: Where the number of blocks is not allowed.
    """
    from slices.quant.validity.overfitting_kernels import judged_splits

    configurations, blocks = _check_sums(block_sums, block_squares, block_counts)
    ranks, ties, inside, outside = judged_splits(
        np.ascontiguousarray(block_sums.T, dtype=np.float64),
        np.ascontiguousarray(block_squares.T, dtype=np.float64),
        block_counts.astype(np.float64),
        math.comb(blocks, blocks // 2),
    )
    is_known = bool(np.isfinite(ranks).all())
    reason = _doubt(is_known=is_known, differs=bool((ties < configurations).any()))
    return Overfitting(
        configurations=configurations,
        blocks=blocks,
        probability=math.nan if reason else float(_counted(ranks, ties, configurations).mean()),
        logits=np.log(ranks / (1.0 - ranks)),
        degradation_slope=_slope(inside, outside),
        probability_of_loss=float((outside < 0).mean()) if is_known else math.nan,
        mean_in_sample=float(inside.mean()),
        mean_out_of_sample=float(outside.mean()),
        reason=reason,
    )


def _counted(ranks: FloatArray, ties: IntArray, configurations: int) -> FloatArray:
    """Count splits: 0 with the winner above the median, 1/2 tied with others at it, else 1."""
    above = (ranks - 0.5) * (configurations + 1)
    is_at_median = (ties > 1) & (np.abs(above) < ties / 2 - 0.25)  # in steps of a half
    return np.where(is_at_median, 0.5, np.where(above > 0.25, 0.0, 1.0))


def _doubt(*, is_known: bool, differs: bool) -> str:
    """Say why the probability is undefined; nothing where it is defined."""
    if not is_known:
        return "the returns of a configuration do not vary in some half of history"
    return "" if differs else "no configuration differs from another, so there is nothing to choose"


def _slope(x: FloatArray, y: FloatArray) -> float:
    """Return the least-squares slope; NaN where x does not vary."""
    centred = x - x.mean()
    squares = float(centred @ centred)
    return float(centred @ y) / squares if squares > 0 else math.nan


def _check_blocks(blocks: int) -> None:
    if blocks % 2 or not 2 <= blocks <= MOST_BLOCKS:
        raise ParameterError(
            parameter="blocks", found=str(blocks), allowed=f"even numbers from 2 to {MOST_BLOCKS}"
        )


def _check_sums(
    block_sums: FloatArray, block_squares: FloatArray, block_counts: IntArray
) -> tuple[int, int]:
    """Return how many configurations and blocks there are."""
    shape = block_sums.shape
    is_matrix = block_sums.ndim == 2 and shape == block_squares.shape
    if not is_matrix or block_counts.shape != shape[1:] or shape[0] < 2:
        raise BadDataError(
            dataset="block sums",
            problem=f"found {shape}, squares {block_squares.shape}, counts {block_counts.shape}; "
            "needed C x B, C x B and B for at least two configurations",
        )
    _check_blocks(shape[1])
    if not (np.isfinite(block_sums).all() and np.isfinite(block_squares).all()):
        raise BadDataError(dataset="block sums", problem="every sum must be finite")
    fewest = int(np.sort(block_counts)[: shape[1] // 2].sum())
    if block_counts.min() < 0 or fewest < 2:
        raise BadDataError(
            dataset="block counts",
            problem=f"half of the blocks can hold {fewest} returns, needed at least 2",
        )
    return shape[0], shape[1]
