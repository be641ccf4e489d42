"""Rules whose decision depends on what is held already, as compiled loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@compiled
def _above(value: float, level: float) -> bool:
    return value > level + TIE * max(1.0, abs(level))


@compiled
def _below(value: float, level: float) -> bool:
    return value < level - TIE * max(1.0, abs(level))


@compiled
def reversal_states(
    values: FloatArray,
    lower: float,
    upper: float,
    leave_long: float,
    leave_short: float,
    stop: float,
    most_sessions: int,
) -> FloatArray:
    """Buy what is unusually low and sell short what is unusually high, until it is usual again.

    A value at a level is a tie and changes nothing; NaN decides nothing but still counts as a
    session held. After a stop or the longest time held, a side is entered again only once the
    value was back inside its level.

    Args:
        values: T values of an oscillator.
        lower: Go long below it.
        upper: Go short above it; infinite where that is never done.
        leave_long: Sell what is long above it.
        leave_short: Buy back what is short below it.
        stop: Give up where long below -`stop` or short above `stop`; infinite for never.
        most_sessions: Give up after so many sessions.

    Returns:
        T states: 1 long, 0 flat, -1 short.
    """
    states = np.zeros(values.size)
    state, blocked, held = 0.0, 0.0, 0
    for t in range(values.size):
        value = values[t]
        held += 1
        if state != 0.0 and (
            held >= most_sessions or _left(state, value, leave_long, leave_short, stop)
        ):
            state, blocked = 0.0, state
        side = _side(value, lower, upper)
        if side != blocked and not np.isnan(value):
            blocked = 0.0
        if state == 0.0 and side != blocked:
            state, held = side, 0
        states[t] = state
    return states


@compiled
def _left(state: float, value: float, long: float, short: float, stop: float) -> bool:
    if state > 0.0:
        return _above(value, long) or _below(value, -stop)
    return _below(value, short) or _above(value, stop)


@compiled
def _side(value: float, lower: float, upper: float) -> float:
    if _below(value, lower):
        return 1.0
    return -1.0 if _above(value, upper) else 0.0


@compiled
def breakout_states(
    closes: FloatArray,
    entry_high: FloatArray,
    entry_low: FloatArray,
    exit_high: FloatArray,
    exit_low: FloatArray,
) -> FloatArray:
    """Follow a close beyond the prices before it, until it is beyond the nearer ones opposite.

    Args:
        closes: T closes.
        entry_high: T highest prices before; go long above. NaN, as on a tie, decides nothing.
        entry_low: T lowest prices before; go short below.
        exit_high: T highest prices of the shorter window; what is short is bought back above.
        exit_low: T lowest prices of the shorter window; what is long is sold below.

    Returns:
        T states: 1 long, 0 flat, -1 short.
    """
    states, state = np.zeros(closes.size), 0.0
    up, down = 1.0 + TIE, 1.0 - TIE
    for t in range(closes.size):
        close = closes[t]
        if close > entry_high[t] * up:
            state = 1.0
        elif close < entry_low[t] * down:
            state = -1.0
        elif (state > 0.0 and close < exit_low[t] * down) or (
            state < 0.0 and close > exit_high[t] * up
        ):
            state = 0.0
        states[t] = state
    return states


@compiled
def banded(wanted: FloatArray, band: float) -> FloatArray:
    """Move to what is wanted only where that is more than `band` away from what is held.

    Args:
        wanted: T values; NaN wants nothing.
        band: Largest difference that is left alone.

    Returns:
        T values held; 0 before the first that is wanted.
    """
    held, current = np.zeros(wanted.size), np.nan
    for t in range(wanted.size):
        if np.isnan(current) or abs(wanted[t] - current) > band + TIE:
            current = wanted[t]
        held[t] = 0.0 if np.isnan(current) else current
    return held
