"""From a rule on one symbol's own bars to the signals of a panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel

ABSENT_SESSIONS = 10
"""A symbol without a bar for longer than this, a suspension's usual length, is taken as gone."""

Rule = Callable[..., FloatArray]
"""From B closes, and B each of what else it asks for, to B signals, each from bars up to it."""


def each_symbol(panel: Panel, rule: Rule, *others: FloatArray) -> FloatArray:
    """Apply a rule to every symbol's own bars and spread its signals over the sessions.

    On a session without a bar nothing is decided, so the signal stays what it was; once a symbol
    had none for more than `ABSENT_SESSIONS` it is 0. Knowing earlier that a bar was a symbol's last
    would be knowing the future.

    Args:
        panel: T sessions x N symbols.
        rule: Is called with a symbol's closes, then its values of each of `others`.
        others: T x N each.

    Returns:
        T x N signals; 0 before a symbol's first bar.
    """
    columns = [np.array(each.T, order="C") for each in (panel.close, *others)]
    signals = np.zeros(columns[0].shape)
    for place, absent in enumerate(np.isnan(columns[0])):
        if not absent.any():
            signals[place] = rule(*(each[place] for each in columns))
        elif not absent.all():
            present = np.flatnonzero(~absent)
            own = rule(*(each[place][present] for each in columns))
            signals[place] = spread(own, present, absent.size)
    return np.ascontiguousarray(signals.T)


def spread(own: FloatArray, present: IntArray, sessions: int) -> FloatArray:
    """Carry B decisions forward to every session, as far as a symbol without bars is waited for.

    >>> spread(np.array([1.0, 0.5]), np.array([1, 3]), 5).tolist()
    [0.0, 1.0, 1.0, 0.5, 0.5]
    """
    newest = np.searchsorted(present, np.arange(sessions), side="right") - 1
    absent = np.arange(sessions) - present[newest]
    known = (newest >= 0) & (absent <= ABSENT_SESSIONS)
    return np.where(known, own[newest], 0.0)


def directed(states: FloatArray, *, short: bool) -> FloatArray:
    """Turn states of 1, 0 and -1 into signals; a rule that may not sell short is flat at -1."""
    return states if short else np.maximum(states, 0.0)


def delayed(values: FloatArray, bars: int) -> FloatArray:
    """Move values so many bars later; NaN where none has come yet.

    >>> delayed(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [nan, nan, 1.0]
    """
    later = np.full(values.size, np.nan)
    later[bars:] = values[: max(0, values.size - bars)]
    return later
