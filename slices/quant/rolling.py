"""Rolling extremes, deviations and relative strength; bits depend on the bars before alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@compiled
def _larger(first: float, second: float) -> float:
    return first if first > second or np.isnan(first) else second


@compiled
def rolling_highest(values: FloatArray, window: int) -> FloatArray:
    """Find the largest of the newest `window` values; NaN before there are that many.

    A NaN among the values makes every window that holds it NaN.

    Args:
        values: T numbers.
        window: 1 or more.

    References:
        van Herk (1992), A fast algorithm for local minimum and maximum filters.
    """
    count = values.size
    highest = np.full(count, np.nan)
    ends = np.full(window + 1, -np.inf)
    for start in range(0, count, window):
        stop = min(start + window, count)
        most = -np.inf
        for t in range(start, stop):
            most = _larger(values[t], most)
            if start > 0 or t == window - 1:
                highest[t] = _larger(ends[t - start + 1], most)
        most = -np.inf
        for place in range(stop - start - 1, -1, -1):
            most = _larger(values[start + place], most)
            ends[place] = most
    return highest


@compiled
def rolling_lowest(values: FloatArray, window: int) -> FloatArray:
    """Find the smallest of the newest `window` values; NaN as for the highest."""
    return -rolling_highest(-values, window)


@compiled
def rolling_deviation(values: FloatArray, window: int, ddof: int) -> FloatArray:
    """Return the standard deviation of the newest `window` values; NaN before.

    Squares are summed about the mean of their own part of the window and parts then merged, so
    that nothing cancels: equal values have a deviation of exactly 0.

    Args:
        values: T numbers without NaN.
        window: More than `ddof`.
        ddof: 1 for a sample's deviation, 0 for a population's.

    References:
        Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.
    """
    count = values.size
    deviations = np.full(count, np.nan)
    means, squares = np.zeros(window + 1), np.zeros(window + 1)
    for start in range(0, count, window):
        stop = min(start + window, count)
        mean, square = 0.0, 0.0
        for t in range(start, stop):
            size = t - start + 1
            change = values[t] - mean
            mean += change / size
            square += change * (values[t] - mean)
            if start > 0 or size == window:
                apart = mean - means[size]
                between = apart * apart * (size * (window - size) / window)
                deviations[t] = np.sqrt((square + squares[size] + between) / (window - ddof))
        mean, square = 0.0, 0.0
        for place in range(stop - start - 1, -1, -1):
            change = values[start + place] - mean
            mean += change / (stop - start - place)
            square += change * (values[start + place] - mean)
            means[place], squares[place] = mean, square
    return deviations


@compiled
def relative_strength(closes: FloatArray, window: int) -> FloatArray:
    """Return Wilder's relative strength index, 0 to 100, as TA-Lib defines it.

    Args:
        closes: T closes without NaN.
        window: Changes to average, 1 or more.

    Returns:
        T values; NaN before `window` changes, and where no price has moved yet.

    References:
        Wilder (1978), New concepts in technical trading systems.
    """
    strength = np.full(closes.size, np.nan)
    gain, loss = 0.0, 0.0
    for t in range(1, closes.size):
        change = closes[t] - closes[t - 1]
        kept = 1.0 if t <= window else window - 1.0
        divisor = 1.0 if t < window else float(window)
        gain = (gain * kept + max(change, 0.0)) / divisor
        loss = (loss * kept + max(-change, 0.0)) / divisor
        if t >= window and gain + loss > 0.0:
            strength[t] = 100.0 * (gain / (gain + loss))
    return strength
