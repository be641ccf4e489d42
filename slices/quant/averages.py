"""Moving averages and the states of their crossing: one kernel for every signal and sweep.

An average of a window adds up nothing but the bars of that window, in an order that only their
place in the series decides: no rounding accumulates over a long series, and cutting the series
off later changes no bit of what came before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray


@compiled
def moving_average(values: FloatArray, window: int) -> FloatArray:
    """Average the newest `window` values at each place; NaN before there are that many.

    The series is cut into blocks as long as the window. Any window then is the end of one block
    and the start of the next, whose sums cost two additions a value.

    Args:
        values: T numbers without NaN.
        window: How many to average, 1 or more.

    References:
        van Herk (1992), A fast algorithm for local minimum and maximum filters.
    """
    count = values.size
    averages = np.full(count, np.nan)
    ends = np.zeros(window + 1)
    for start in range(0, count, window):
        stop = min(start + window, count)
        total = 0.0
        for t in range(start, stop):
            total += values[t]
            if start > 0 or t == window - 1:
                averages[t] = (ends[t - start + 1] + total) / window
        total = 0.0
        for place in range(stop - start - 1, -1, -1):
            total += values[start + place]
            ends[place] = total
    return averages


@compiled
def averages(closes: FloatArray, windows: IntArray) -> FloatArray:
    """Tabulate moving averages of many windows, each over the symbol's own bars.

    Args:
        closes: T closes; NaN where the symbol has no bar.
        windows: K window lengths, each 1 or more.

    Returns:
        K x T; NaN where there is no bar, or not yet enough of them.
    """
    present = np.flatnonzero(~np.isnan(closes))
    table = np.full((windows.size, closes.size), np.nan)
    own = closes[present]
    for k in range(windows.size):
        row = moving_average(own, windows[k])
        for i in range(present.size):
            table[k, present[i]] = row[i]
    return table


@compiled
def exponential_average(values: FloatArray, window: int) -> FloatArray:
    """Average with weights that fall by 1 - 2 / (window + 1) a bar, as TA-Lib's EMA does.

    It starts from the plain average of the first `window` values; NaN before.

    Args:
        values: T numbers without NaN.
        window: Nominal length, 1 or more.
    """
    averaged = np.full(values.size, np.nan)
    if values.size < window:
        return averaged
    level, share = 0.0, 2.0 / (window + 1.0)
    for t in range(window):
        level += values[t]
    level /= window
    averaged[window - 1] = level
    for t in range(window, values.size):
        level += (values[t] - level) * share
        averaged[t] = level
    return averaged


@compiled
def gap_states(gaps: FloatArray, scales: FloatArray) -> FloatArray:
    """Say where gaps are: 1 above zero, -1 below, as before on a tie or NaN, 0 at the start.

    Args:
        gaps: T differences; NaN where nothing is decided.
        scales: T sizes of what was subtracted; a tie is a gap of `TIE` of it or less.
    """
    states, state = np.zeros(gaps.size), 0.0
    for t in range(gaps.size):
        tie = TIE * abs(scales[t])
        if gaps[t] > tie:
            state = 1.0
        elif gaps[t] < -tie:
            state = -1.0
        states[t] = state
    return states


@compiled
def cross_states(fast: FloatArray, slow: FloatArray) -> FloatArray:
    """Say which average is higher: 1 the fast one, -1 the slow one, as before on a tie or NaN.

    Args:
        fast: T values; NaN where undefined.
        slow: T values; a tie is a difference of `TIE` of them or less.

    Returns:
        T states; 0 until both are defined for the first time and differ.
    """
    return gap_states(fast - slow, slow)
