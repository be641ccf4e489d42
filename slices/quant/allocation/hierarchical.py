"""Hierarchical risk parity and the clustering of symbols it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.allocation.bounds import check_bounds, without_rounding
from slices.quant.allocation.naive import volatilities
from slices.quant.covariance import correlation

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

LINKAGE = "ward"


def correlation_linkage(correlations: FloatArray, *, method: str = LINKAGE) -> FloatArray:
    """Cluster symbols by the angular distance sqrt((1 - correlation) / 2).

    With optimal leaf order. Ward's linkage is skfolio's default for hierarchical risk parity,
    whose paper used single linkage, which chains.

    Args:
        correlations: N x N, N >= 2.
        method: Of linkage, as scipy names it.

    Returns:
        N - 1 merges in scipy's form.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    distance = np.sqrt(np.maximum(1.0 - correlations, 0.0) / 2.0)
    np.fill_diagonal(distance, 0.0)
    condensed = squareform(distance, checks=False)
    return np.asarray(linkage(condensed, method, optimal_ordering=True), dtype=np.float64)


def leaf_order(merges: FloatArray) -> IntArray:
    """Return the positions of the symbols in the order of the tree's leaves."""
    from scipy.cluster.hierarchy import leaves_list

    return np.asarray(leaves_list(merges), dtype=np.int64)


def hierarchical_risk_parity(
    covariance: FloatArray, lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """Return weights split from the top of the tree by the inverse variance of its halves.

    Symbols are put in the order of the tree's leaves; each list is cut in two halves and its
    weight divided between them in inverse proportion to the variance of their inverse-variance
    portfolios, as far as the bounds of the symbols in each half allow. A tree can be read from
    either end, and which is taken may depend on the order of the symbols given: a list of odd
    length is then cut at another place.

    Args:
        covariance: N x N with positive variances.
        lower: N smallest weights.
        upper: N largest weights.

    Raises:
        InfeasibleError: Where a symbol has no variance or the bounds exclude a sum of 1.

    References:
        Lopez de Prado (2016), Building diversified portfolios that outperform out of sample;
        bounds as Pfitzinger, Katzke (2019) and skfolio.

    >>> hierarchical_risk_parity(np.diag([1.0, 3.0]), np.zeros(2), np.ones(2)).tolist()
    [0.75, 0.25]
    """
    from slices.quant.allocation.risk_kernels import bisected_weights

    check_bounds(lower, upper)
    volatilities(covariance)
    if lower.size == 1:
        return np.ones(1)
    order = leaf_order(correlation_linkage(correlation(covariance)))
    weights = bisected_weights(covariance, order, lower, upper)
    return without_rounding(weights, lower, upper)
