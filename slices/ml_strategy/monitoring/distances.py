"""How far the values of a window lie from those of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from slices.quant.types import FloatArray, IntArray

POINTS = 101
CELLS = POINTS + 1
BINS = 10
LEAST_SHARE = 1e-3
"""What an empty bin counts as, so that one value in it is not infinitely far away."""

THREE = (0.1, 0.5, 0.9)
LEAST_WIDTH = 1e-6

BIN_STARTS = np.array([0, *range(BINS + 1, POINTS, BINS)])
"""First cell of every bin: the edges of the ten bins are every tenth point."""


def quantile_points(values: npt.NDArray[np.float32]) -> FloatArray:
    """Return 101 quantiles from the least to the largest value, each a value that occurs.

    Args:
        values: Known and unknown (NaN) values.

    Returns:
        101 points, rising; NaN where no value is known.

    >>> quantile_points(np.arange(1001, dtype=np.float32))[[0, 1, 50, 100]]
    array([   0.,   10.,  500., 1000.])
    """
    known = np.sort(values[~np.isnan(values)]).astype(np.float64)
    if known.size == 0:
        return np.full(POINTS, np.nan)
    places = np.ceil(np.arange(POINTS) * known.size / (POINTS - 1)).astype(np.int64) - 1
    return np.asarray(known[np.maximum(places, 0)])


def cells(values: npt.NDArray[np.float32], points: FloatArray) -> IntArray:
    """Place values between 101 points.

    Returns:
        For each value how many points lie below it, from 0 to 101; 102 where it is unknown.
    """
    placed = np.searchsorted(points, values.astype(np.float64), side="left")
    return np.asarray(np.where(np.isnan(values), CELLS, placed), dtype=np.int64)


def binned(counts: IntArray) -> IntArray:
    """Gather counts per cell into ten bins and the unknown.

    Args:
        counts: ... x 103 counts of 102 cells and the unknown.

    Returns:
        ... x 11 counts.
    """
    return np.asarray(np.add.reduceat(counts, [*BIN_STARTS, CELLS], axis=-1))


def shares(counts: IntArray) -> FloatArray:
    """Divide counts by their total over the last axis; NaN where there is none."""
    total = counts.sum(axis=-1, keepdims=True).astype(np.float64)
    return np.asarray(counts / np.where(total > 0, total, np.nan))


def psi(expected: FloatArray, found: FloatArray) -> FloatArray:
    """Return the population stability index of shares over the last axis.

    It is the sum of (found - expected) ln(found / expected), each share at least 0.001; zero where
    nothing moved. What is unknown is a bin of its own.

    Args:
        expected: ... x B shares in training.
        found: ... x B shares in a window.

    >>> round(float(psi(np.array([0.5, 0.5]), np.array([0.6, 0.4]))), 4)
    0.0405
    """
    before, after = np.maximum(expected, LEAST_SHARE), np.maximum(found, LEAST_SHARE)
    return np.asarray(np.sum((after - before) * np.log(after / before), axis=-1))


def cumulative(counts: IntArray) -> FloatArray:
    """Return the share of known values up to each point.

    Args:
        counts: ... x 103 counts of 102 cells and the unknown.

    Returns:
        ... x 101 shares; NaN where nothing is known.
    """
    return np.asarray(np.cumsum(shares(counts[..., :CELLS]), axis=-1)[..., :POINTS])


def reference_cumulative(points: FloatArray) -> FloatArray:
    """Return the share of training values up to each point, read from the points themselves.

    Exact to one hundredth where values repeat, and as good as exact where they do not.

    Args:
        points: ... x 101 quantiles, rising.
    """
    later = np.where(points[..., :-1] == points[..., 1:], 0, np.arange(1, POINTS))
    ends = np.concatenate([later, np.full((*points.shape[:-1], 1), POINTS)], axis=-1)
    ends = np.where(ends == 0, POINTS, ends)
    last = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1] - 1
    return np.where(np.isnan(points), np.nan, last / (POINTS - 1))


def ks_distance(expected: FloatArray, found: FloatArray) -> FloatArray:
    """Return the largest distance of two distributions of known values, seen at 101 points.

    Args:
        expected: ... x 101 shares of training values up to each point.
        found: ... x 101 shares of a window's values.

    Returns:
        Between 0 and 1, to within one hundredth where the points are the quantiles of training;
        NaN where nothing is known of either.
    """
    return np.asarray(np.abs(found - expected).max(axis=-1))


def quantiles_of_counts(points: FloatArray, counts: IntArray) -> FloatArray:
    """Return three quantiles of values of which only the cells are known.

    Args:
        points: 101 points between the cells.
        counts: V x 103 counts.

    Returns:
        V x 3: the points up to which a tenth, a half and nine tenths lie; NaN without a value.
    """
    reached = cumulative(counts)
    places = np.stack([np.argmax(reached > share - 1e-9, axis=-1) for share in THREE], axis=-1)
    known = np.isfinite(reached[..., -1:]) & (reached[..., -1:] >= THREE[-1])
    return np.where(known, points[places], np.nan)


def quantiles_of_values(values: npt.NDArray[np.float32]) -> FloatArray:
    """Return the same three quantiles of R x F values, F x 3; NaN without a known value."""
    found = np.full((values.shape[1], len(THREE)), np.nan)
    known = ~np.isnan(values).all(axis=0)
    chosen = np.nanquantile(values[:, known], THREE, axis=0, method="inverted_cdf")
    found[known] = chosen.T
    return found


def moves(expected: FloatArray, found: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far the median moved and how much the width changed.

    Args:
        expected: ... x 3 quantiles of training.
        found: ... x 3 quantiles of a window.

    Returns:
        The move as a multiple of the width of training, from a tenth to nine tenths of the values,
        and the absolute logarithm of the ratio of widths, which is large where a window has none;
        NaN where training has no width.
    """
    width = expected[..., 2] - expected[..., 0]
    width = np.where(width > 0, width, np.nan)
    ratio = np.clip((found[..., 2] - found[..., 0]) / width, LEAST_WIDTH, 1 / LEAST_WIDTH)
    return np.abs(found[..., 1] - expected[..., 1]) / width, np.abs(np.log(ratio))
