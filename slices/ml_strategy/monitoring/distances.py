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
