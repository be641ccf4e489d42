"""Compiled loops of the reversion rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray, IntArray

TIE = 1e-12
"""A z-score this close to a level, relative to it, has not crossed it."""
NO_DEVIATION = 1e-12
"""A deviation of log prices below this is rounding of prices that do not move."""
NO_END, EXIT, STOP, TIME = 0, 1, 2, 3


@compiled
def rolling_z(spreads: FloatArray, window: int) -> FloatArray:
    """Score the newest value of each window against its mean and sample deviation.

    Sums are taken anew in every window, so a row does not depend on how far back the data begins.
    """
    sessions, symbols = spreads.shape
    scores = np.full((sessions, symbols), np.nan)
    for i in range(symbols):
        for t in range(window - 1, sessions):
            mean = 0.0
            for k in range(t - window + 1, t + 1):
                mean += spreads[k, i]
            mean /= window
            squares = 0.0
            for k in range(t - window + 1, t + 1):
                squares += (spreads[k, i] - mean) ** 2
            deviation = math.sqrt(squares / (window - 1))
            if deviation > NO_DEVIATION:
                scores[t, i] = (spreads[t, i] - mean) / deviation
    return scores


@compiled
def ending(stretch: float, held: int, exit_z: float, stop_z: float, most_sessions: int) -> int:
    """Say whether a position ends: `stretch` is its z-score, positive while it has not come back.

    The stop comes before everything else. A z-score that is not defined ends nothing but time.
    """
    if stretch > stop_z * (1.0 + TIE):
        return STOP
    if stretch < exit_z - TIE:
        return EXIT
    if held >= most_sessions:
        return TIME
    return NO_END


@compiled
def episodes(
    scores: FloatArray,
    candidates: BoolArray,
    levels: FloatArray,
    most_sessions: int,
    shorting: bool,  # noqa: FBT001 - compiled functions take no keyword-only arguments
) -> tuple[IntArray, IntArray]:
    """Step each symbol through its sessions: flat, long or short.

    Without a z-score nothing is taken, and only time lets go. After a position has ended, the
    z-score must have been within the entry level before the next one is taken, so that a stop is
    not followed by the same trade.

    Args:
        scores: T x N z-scores; NaN where there is none, as without a bar.
        candidates: T x N; where a position may be taken.
        levels: Entry, exit and stop.
        most_sessions: Sessions a position is held at most, from fill to fill.
        shorting: Whether spreads above the mean are sold short.

    Returns:
        T x N positions decided at each close: 1 long, -1 short, 0 flat; and T x N reasons why
        they ended there: 0 where none did, then exit, stop, time.
    """
    entry, leave, stop = levels[0], levels[1], levels[2]
    sessions, symbols = scores.shape
    positions = np.zeros((sessions, symbols), np.int64)
    ends = np.zeros((sessions, symbols), np.int64)
    for i in range(symbols):
        position, since, armed = 0, 0, True
        for t in range(sessions):
            score = scores[t, i]
            if position != 0:
                ends[t, i] = ending(-position * score, t - since, leave, stop, most_sessions)
                if ends[t, i] != NO_END:
                    position, armed = 0, False
            elif armed and candidates[t, i]:
                stretched = abs(score) > entry * (1.0 + TIE) and abs(score) < stop
                if stretched and (score < 0.0 or shorting):
                    position, since = (1 if score < 0.0 else -1), t
            if abs(score) < entry:
                armed = True
            positions[t, i] = position
    return positions, ends
