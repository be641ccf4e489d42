"""Returns from prices and wealth from returns.

Prices are matrices of T sessions x N symbols, or one series of T; returns have one row less.
Missing prices are NaN: a return is NaN where either of its two prices is. Nothing is filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray


def simple_returns(prices: FloatArray) -> FloatArray:
    """Return the fractional change from each row to the next.

    Args:
        prices: T x N or T positive prices; NaN where there is none.

    Returns:
        T - 1 rows; no rows where `prices` has fewer than two.

    >>> simple_returns(np.array([100.0, 110.0, 99.0])).round(12).tolist()
    [0.1, -0.1]
    """
    values = np.asarray(prices, dtype=np.float64)
    change: FloatArray = values[1:] / values[:-1] - 1.0
    return change


def log_returns(prices: FloatArray) -> FloatArray:
    """Return the logarithm of each row's price over the one before.

    Args:
        prices: T x N or T positive prices; NaN where there is none.

    Returns:
        T - 1 rows; they add up over time where simple returns multiply.

    >>> float(log_returns(np.array([100.0, 110.0, 100.0])).sum().round(12))
    0.0
    """
    logarithms = np.log(np.asarray(prices, dtype=np.float64))
    change: FloatArray = logarithms[1:] - logarithms[:-1]
    return change


def compounded(returns: FloatArray) -> FloatArray:
    """Return the wealth that 1 has become after each return.

    Args:
        returns: T x N or T simple returns. A NaN makes everything after it NaN.

    Returns:
        As many rows as `returns`; the 1 at the start is not among them.

    >>> compounded(np.array([0.1, -0.1])).round(12).tolist()
    [1.1, 0.99]
    """
    growth = 1.0 + np.asarray(returns, dtype=np.float64)
    return np.asarray(np.cumprod(growth, axis=0), dtype=np.float64)


def complete_rows(prices: FloatArray) -> BoolArray:
    """Mark the sessions where every symbol has a price; nothing is filled.

    Args:
        prices: T x N, NaN where there is no price.

    Returns:
        T marks.

    >>> complete_rows(np.array([[1.0, np.nan], [1.0, 2.0]])).tolist()
    [False, True]
    """
    return np.asarray(np.isfinite(prices).all(axis=1), dtype=np.bool_)
