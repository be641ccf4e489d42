"""Meta-labels: was a side that something else chose right?

References:
    Lopez de Prado (2018), Advances in Financial Machine Learning, chapter 3.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def meta_labels(sides: FloatArray, returns: FloatArray, *, costs: float = 0.0) -> FloatArray:
    """Say of each position taken whether it earned more than it cost.

    Args:
        sides: T x N signed sides; 0 or NaN where no position was taken.
        returns: T x N simple returns of the symbol until the position ended, whatever the side.
        costs: Of a round trip, as a fraction.

    Returns:
        T x N: 1 where it did, 0 where it did not; NaN where no position was taken or the return is
        not known.

    >>> meta_labels(np.array([[1.0, -1.0, 0.0]]), np.array([[0.02, 0.02, 0.02]])).tolist()
    [[1.0, 0.0, nan]]
    """
    earned = np.sign(sides) * returns
    is_known = np.isfinite(earned) & (sides != 0.0)
    return np.where(is_known, (earned > costs).astype(np.float64), np.nan)
