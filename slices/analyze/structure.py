"""How symbols move together: correlations, clusters, the most and the least alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.closes import shared_returns
from slices.domain.errors import BadDataError, ParameterError, listed
from slices.domain.portfolio import Diversification
from slices.quant.allocation.hierarchical import correlation_linkage, leaf_order
from slices.quant.covariance import correlation, sample_covariance

if TYPE_CHECKING:
    from slices.analyze.closes import SharedReturns
    from slices.domain.dataset import DatasetRef
    from slices.quant.types import FloatArray, IntArray

CUT = 0.5
"""Clusters are merged up to this average distance, which is that of a correlation of 0.5."""


def diversification(bars: DatasetRef) -> Diversification:
    """Describe how the symbols move together.

    Correlations are Pearson's of simple returns from one session to the next, both with a bar of
    every symbol. Symbols form a tree by average linkage of the distance sqrt((1 - correlation) / 2)
    and clusters are its branches below a distance of 0.5, which is that of a correlation of 0.5:
    an absolute cut, so that symbols that do not move together stay single however few there are.

    Raises:
        ParameterError: With fewer than two symbols.
        InsufficientHistoryError: With fewer than three sessions in common.
        BadDataError: Where a symbol never moved, so that its correlations are undefined, or too
            many sessions lack a bar of some symbol.
    """
    symbols = bars.symbols
    if len(symbols) < 2:
        raise ParameterError(parameter="symbols", found=listed(symbols), allowed="at least two")
    return structure_of(shared_returns(bars), symbols, dataset=str(bars))


def structure_of(
    shared: SharedReturns, symbols: tuple[str, ...], *, dataset: str
) -> Diversification:
    """Describe how two or more symbols with these returns move together.

    Raises:
        BadDataError: Where a symbol never moved, so that its correlations are undefined.
    """
    correlations = _correlations(shared.returns, symbols, dataset=dataset)
    merges = correlation_linkage(correlations, method="average")
    order = leaf_order(merges)
    pairs = np.triu_indices(len(symbols), k=1)
    values = correlations[pairs]

    def pair(position: int) -> tuple[str, str, float]:
        first, second = pairs[0][position], pairs[1][position]
        return symbols[first], symbols[second], float(values[position])

    return Diversification(
        symbols=symbols,
        sessions=shared.shared_sessions,
        correlations=tuple(tuple(row) for row in correlations.tolist()),
        average_correlation=float(values.mean()),
        order=tuple(symbols[i] for i in order),
        clusters=_clusters(merges, order, symbols),
        most_alike=pair(int(values.argmax())),
        least_alike=pair(int(values.argmin())),
    )


def _correlations(returns: FloatArray, symbols: tuple[str, ...], *, dataset: str) -> FloatArray:
    correlations = correlation(sample_covariance(returns))
    still = tuple(symbols[i] for i in np.flatnonzero(np.isnan(np.diag(correlations))))
    if still:
        raise BadDataError(dataset=dataset, problem=f"{listed(still)}: the close never changes")
    return correlations


def _clusters(
    merges: FloatArray, order: IntArray, symbols: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """Cut the tree; largest cluster first, then in the order of the leaves."""
    from scipy.cluster.hierarchy import fcluster

    labels = fcluster(merges, CUT, criterion="distance")
    members: dict[int, list[str]] = {}
    for i in order:
        members.setdefault(int(labels[i]), []).append(symbols[i])
    return tuple(sorted((tuple(each) for each in members.values()), key=len, reverse=True))
