"""Compiled: the volatility that was known before each session, for the cost of impact."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@compiled
def window_deviation(closes: FloatArray, splits: FloatArray, first: int, stop: int) -> float:
    """Return the sample deviation of the returns of sessions `first` to `stop` - 1."""
    count, mean, squares = 0, 0.0, 0.0
    for t in range(first, stop):
        value = closes[t] * splits[t] / closes[t - 1] - 1.0
        if not math.isnan(value):
            count += 1
            change = value - mean
            mean += change / count
            squares += change * (value - mean)
    return math.sqrt(squares / (count - 1)) if count > 1 else math.nan


@compiled
def trailing_volatility(closes: FloatArray, splits: FloatArray, window: int) -> FloatArray:
    """Return the deviation of the newest returns before each session.

    Args:
        closes: T x N; a return that lacks a close counts for nothing.
        splits: T x N new shares for one old, so that a split is no return.
        window: Sessions of returns.

    Returns:
        T x N sample deviations; NaN with fewer than two returns.
    """
    known = np.empty(closes.shape)
    for i in range(closes.shape[1]):
        for t in range(closes.shape[0]):
            first = max(1, t - window)
            known[t, i] = window_deviation(closes[:, i], splits[:, i], first, t)
    return known
