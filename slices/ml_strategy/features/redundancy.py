"""How much features say the same: the mean rank correlation of every pair, and clusters of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.ml_strategy.features.catalogue import is_shared

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray, IntArray

MOST_SESSIONS = 1000
"""Sessions that pairs are compared at, evenly spread."""

FEWEST_SHARED_SESSIONS = 20


class Redundancy:
    """Collects features one by one, and then compares every pair.

    Args:
        sessions: The first so many sessions may be looked at.
        symbols: N of them.
    """

    def __init__(self, *, sessions: int, symbols: int) -> None:
        step = max(1, -(-sessions // MOST_SESSIONS))
        self._rows = np.arange(0, sessions, step)
        self._symbols = symbols
        self._shared: list[bool] = []
        self._ranks: list[FloatArray] = []
        self._levels: list[FloatArray] = []

    def add(self, name: str, values: FloatArray, ranks: FloatArray) -> None:
        """Take in a feature.

        Args:
            name: Of the catalogue.
            values: T x N; NaN where not known.
            ranks: T x N ranks of these within their session, of mean 0.
        """
        centred = np.nan_to_num(ranks[self._rows])
        length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
        scaled = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
        self._shared.append(is_shared(name))
        self._ranks.append(scaled.astype(np.float32).ravel())
        self._levels.append(_level(values[self._rows]))

    def matrix(self) -> FloatArray:
        """Return F x F mean rank correlations; NaN where a pair cannot be compared."""
        shared = np.array(self._shared, dtype=np.bool_)
        found = np.full((shared.size, shared.size), np.nan)
        _fill(found, ~shared, self._across(np.flatnonzero(~shared)))
        _fill(found, shared, self._along(np.flatnonzero(shared)))
        return found

    def _across(self, places: IntArray) -> FloatArray:
        """Average, over the sessions that know both, the correlation within the session."""
        if not places.size:
            return np.empty((0, 0))
        stacked = np.stack([self._ranks[place] for place in places])
        known = (stacked.reshape(places.size, self._rows.size, -1) != 0).any(axis=2)
        counts = known.astype(np.float64) @ known.T.astype(np.float64)
        products = (stacked @ stacked.T).astype(np.float64)
        found = np.full(products.shape, np.nan)
        np.divide(products, counts, out=found, where=counts > 0)
        return np.asarray(np.clip(found, -1.0, 1.0), dtype=np.float64)

    def _along(self, places: IntArray) -> FloatArray:
        """Correlate the ranks of what is one number per session, over the sessions."""
        from scipy.stats import rankdata

        if not places.size:
            return np.empty((0, 0))
        levels = np.stack([self._levels[place] for place in places])
        known = levels[:, np.isfinite(levels).all(axis=0)]
        if known.shape[1] < FEWEST_SHARED_SESSIONS:
            return np.full((places.size, places.size), np.nan)
        ranks = rankdata(known, axis=1)
        ranks -= ranks.mean(axis=1, keepdims=True)
        length = np.sqrt((ranks**2).sum(axis=1))
        scale = np.outer(length, length)
        found = np.full(scale.shape, np.nan)
        np.divide(ranks @ ranks.T, scale, out=found, where=scale > 0)
        return found


def clusters(redundancy: FloatArray, *, largest: float) -> IntArray:
    """Group features so that within a group all pairs say the same.

    Args:
        redundancy: F x F rank correlations; NaN counts as none.
        largest: Size of a correlation from which on two features say the same.

    Returns:
        F numbers from 1, in the order in which groups first occur: complete linkage, cut at the
        given correlation.

    >>> clusters(np.array([[1.0, 0.1, -0.9], [0.1, 1.0, 0.2], [-0.9, 0.2, 1.0]]), largest=0.8)
    array([1, 2, 1])
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    count = redundancy.shape[0]
    if count < 2:
        return np.ones(count, dtype=np.int64)
    distances = 1.0 - np.abs(np.nan_to_num((redundancy + redundancy.T) / 2))
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(np.clip(distances, 0.0, 1.0), checks=False), method="complete")
    numbers = fcluster(tree, t=1.0 - largest, criterion="distance")
    _, firsts, places = np.unique(numbers, return_index=True, return_inverse=True)
    order = np.empty(firsts.size, dtype=np.int64)
    order[np.argsort(firsts)] = np.arange(1, firsts.size + 1)
    return np.asarray(order[places], dtype=np.int64)


def _fill(found: FloatArray, chosen: BoolArray, values: FloatArray) -> None:
    found[np.ix_(chosen, chosen)] = values


def _level(values: FloatArray) -> FloatArray:
    """Return what a row says where all its known values are one; NaN where none is known."""
    known = np.isfinite(values)
    level = np.full(values.shape[0], np.nan)
    rows = known.any(axis=1)
    level[rows] = values[rows, known[rows].argmax(axis=1)]
    return level
