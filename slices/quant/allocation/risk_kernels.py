"""Compiled loops of the allocators that share risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray


@compiled
def equal_risk(
    correlation: FloatArray, start: FloatArray, tolerance: float, most: int
) -> tuple[FloatArray, int, float]:
    """Find positive exposures that all contribute the same to the variance.

    Minimizes y'Cy/2 - sum(log y)/N, one coordinate after the other; each has a closed form.

    Args:
        correlation: N x N with ones on the diagonal.
        start: N positive exposures.
        tolerance: Largest deviation of a share of the variance from 1/N.
        most: Sweeps after which to give up.

    Returns:
        Exposures (weights times volatilities, up to scale), sweeps, and the largest deviation.

    References:
        Griveau-Billion, Richard, Roncalli (2013), A fast algorithm for computing
        high-dimensional risk parity portfolios.
    """
    count = start.size
    budget, exposures = 1.0 / count, start.copy()
    marginal = np.zeros(count)
    for i in range(count):
        marginal += exposures[i] * correlation[i]
    sweep, deviation = 0, np.inf
    for sweep in range(1, most + 1):  # noqa: B007 - reported
        for i in range(count):
            others = marginal[i] - correlation[i, i] * exposures[i]
            root = np.sqrt(others * others + 4.0 * correlation[i, i] * budget)
            renewed = (root - others) / (2.0 * correlation[i, i])
            marginal += (renewed - exposures[i]) * correlation[i]
            exposures[i] = renewed
        shares = exposures * marginal
        deviation = np.max(np.abs(shares / np.sum(shares) - budget))
        if deviation <= tolerance:
            break
    return exposures, sweep, deviation


@compiled
def cluster_variance(covariance: FloatArray, cluster: IntArray) -> float:
    """Return the variance of the inverse-variance portfolio of a cluster of symbols."""
    total, variance = 0.0, 0.0
    for i in cluster:
        total += 1.0 / covariance[i, i]
    for i in cluster:
        for j in cluster:
            variance += covariance[i, j] / (covariance[i, i] * covariance[j, j])
    return variance / (total * total)


@compiled
def bounded_weight(weight: float, cluster: IntArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return the weight nearest to the one given that the symbols of a cluster can have."""
    return max(np.sum(lower[cluster]), min(np.sum(upper[cluster]), weight))


@compiled
def bisected_weights(
    covariance: FloatArray, order: IntArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Split a weight of 1 down a list of symbols, half by half.

    Args:
        covariance: N x N with positive variances.
        order: The symbols in the order of the tree's leaves.
        lower: N smallest weights.
        upper: N largest weights.
    """
    weights = np.ones(order.size)
    pending = [(0, order.size)]
    while len(pending) > 0:
        start, end = pending.pop()
        middle = start + (end - start) // 2
        left, right = order[start:middle], order[middle:end]
        total = weights[order[start]]
        first, second = cluster_variance(covariance, left), cluster_variance(covariance, right)
        share = total * (1.0 - first / (first + second))
        share = bounded_weight(share, left, lower, upper)
        rest = bounded_weight(total - share, right, lower, upper)
        weights[left] = total - rest
        weights[right] = rest
        if middle - start > 1:
            pending.append((start, middle))
        if end - middle > 1:
            pending.append((middle, end))
    return weights
