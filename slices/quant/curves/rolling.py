"""Measures over trailing windows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def _windows(values: FloatArray, window: int) -> FloatArray:
    if window > values.size:
        return np.empty((0, window))
    return np.asarray(sliding_window_view(values, window), dtype=np.float64)


def _vary(windows: FloatArray) -> FloatArray:
    """Mark windows whose values differ with 1 and constant ones, which have no ratio, with NaN."""
    return np.where(np.ptp(windows, axis=1) > 0, 1.0, np.nan) if windows.size else np.empty(0)


def rolling_sharpe_ratio(returns: FloatArray, window: int, *, periods_per_year: int) -> FloatArray:
    """Return the annualized Sharpe ratio of every full trailing window (ddof 1, no riskless rate).

    Args:
        returns: T simple returns.
        window: Sessions, at least 2.
        periods_per_year: Sessions in a year.

    Returns:
        T - window + 1 values, none where the series is shorter; NaN where returns did not vary.

    >>> rolling_sharpe_ratio(np.array([0.0, 0.1, 0.2]), 3, periods_per_year=1).round(12).tolist()
    [1.0]
    """
    windows = _windows(returns, window)
    deviations = windows.std(axis=1, ddof=1) * _vary(windows)
    return np.asarray(windows.mean(axis=1) / deviations * math.sqrt(periods_per_year), np.float64)


def rolling_beta(returns: FloatArray, benchmark: FloatArray, window: int) -> FloatArray:
    """Return the slope on the benchmark's returns over every full trailing window.

    Args:
        returns: T simple returns.
        benchmark: T simple returns.
        window: Sessions, at least 2.

    Returns:
        T - window + 1 values; NaN where the benchmark did not vary.

    >>> rolling_beta(np.array([0.0, 0.2, 0.4]), np.array([0.0, 0.1, 0.2]), 3).round(12).tolist()
    [2.0]
    """
    mine, market = _windows(returns, window), _windows(benchmark, window)
    centred = market - market.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1) * _vary(market)
    return np.asarray((mine * centred).sum(axis=1) / spread, dtype=np.float64)
