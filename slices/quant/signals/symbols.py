"""From a rule on one symbol's own bars to the signals of a panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel

ABSENT_SESSIONS = 10
"""A symbol without a bar for longer than this, a suspension's usual length, is taken as gone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnBars:
    """The bars one symbol has, without the sessions on which it has none.

    Attributes:
        close: B closes, none of them NaN.
        high: B highs; the closes where the data is close-only. The same for low.
    """

    close: FloatArray
    high: FloatArray
    low: FloatArray


Rule = Callable[[OwnBars], FloatArray]
"""From B bars to B signals, each from bars up to its own."""


def each_symbol(panel: Panel, rule: Rule) -> FloatArray:
    """Apply a rule to every symbol's own bars and spread its signals over the sessions.

    On a session without a bar nothing is decided, so the signal stays what it was; once a symbol
    had none for more than `ABSENT_SESSIONS` it is 0. Knowing earlier that a bar was a symbol's last
    would be knowing the future.

    Returns:
        T x N signals; 0 before a symbol's first bar.
    """
    signals = np.zeros(panel.close.shape)
    for place in range(len(panel.symbols)):
        present = np.flatnonzero(~np.isnan(panel.close[:, place]))
        if present.size:
            decided = rule(_own_bars(panel, place, present))
            signals[:, place] = spread(decided, present, len(panel.sessions))
    return signals


def spread(own: FloatArray, present: IntArray, sessions: int) -> FloatArray:
    """Carry B decisions forward to every session, as far as a symbol without bars is waited for.

    >>> spread(np.array([1.0, 0.5]), np.array([1, 3]), 5).tolist()
    [0.0, 1.0, 1.0, 0.5, 0.5]
    """
    if present.size == sessions:
        return own
    newest = np.searchsorted(present, np.arange(sessions), side="right") - 1
    absent = np.arange(sessions) - present[newest]
    known = (newest >= 0) & (absent <= ABSENT_SESSIONS)
    return np.where(known, own[newest], 0.0)


def directed(states: FloatArray, *, short: bool) -> FloatArray:
    """Turn states of 1, 0 and -1 into signals; a rule that may not sell short is flat at -1."""
    return states if short else np.maximum(states, 0.0)


def _own_bars(panel: Panel, place: int, present: IntArray) -> OwnBars:
    close = panel.close[present, place]
    high = close if panel.high is None else panel.high[present, place]
    low = close if panel.low is None else panel.low[present, place]
    return OwnBars(close=close, high=high, low=low)
