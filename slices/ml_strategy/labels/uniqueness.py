"""How much of its own an example brings: labels of one symbol share returns with each other.

References:
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapter 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray, IntArray


def uniqueness(
    column: IntArray, first: IntArray, last: IntArray, is_known: BoolArray
) -> FloatArray:
    """Average, over the returns of a label, one over the number of labels that hold the return.

    The return into session p is part of a label where first < p <= last; labels of one symbol
    count together, those of others do not.

    Args:
        column: R positions of the symbol.
        first: R positions of the entry.
        last: R positions of the exit, after `first`.
        is_known: R marks; a label that is not known shares nothing.

    Returns:
        R numbers between 0 and 1; NaN where the label is not known.

    >>> one = np.array([0, 0])
    >>> known = np.array([True, True])
    >>> uniqueness(one, np.array([0, 1]), np.array([2, 3]), known).tolist()
    [0.75, 0.75]
    """
    own = np.full(column.size, np.nan)
    for symbol in np.unique(column[is_known]):
        places = np.flatnonzero((column == symbol) & is_known)
        own[places] = _shares(first[places], last[places])
    return own


def example_weights(
    column: IntArray, first: IntArray, last: IntArray, is_known: BoolArray
) -> FloatArray:
    """Scale uniqueness to a mean of 1 over the known labels; see `uniqueness`."""
    own = uniqueness(column, first, last, is_known)
    return own / own[is_known].mean() if is_known.any() else own


def _shares(first: IntArray, last: IntArray) -> FloatArray:
    steps = np.zeros(int(last.max()) + 2)
    np.add.at(steps, first + 1, 1.0)
    np.add.at(steps, last + 1, -1.0)
    held = np.cumsum(steps)
    inverse = np.divide(1.0, held, out=np.zeros_like(held), where=held > 0.5)
    until = np.cumsum(inverse)
    return np.asarray((until[last] - until[first]) / (last - first), dtype=np.float64)
