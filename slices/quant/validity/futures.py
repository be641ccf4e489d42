"""Other futures: a panel as it is up to a session, and something else after it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray, FloatArray, IntArray

PRICE_NOISE = 0.2
VOLUME_NOISE = 1.0


class Future(StrEnum):
    """What becomes of the bars after a session; the value completes "the bars after it were"."""

    CUT = "cut off"
    NOISE = "multiplied by noise"
    SHUFFLED = "shuffled"
    ABSENT = "removed"


def with_future(panel: Panel, known: int, future: Future, *, seed: int) -> Panel:
    """Return a panel whose first `known` sessions are as they are, with another future.

    Args:
        panel: T sessions.
        known: Sessions that stay, 1 to T.
        future: What happens to the others. Noise multiplies all prices of a bar by one factor, so
            that lows stay low, and depends on the session alone, not on `known`. Bars are removed
            for half of the symbols, at least one.
        seed: Of what is drawn.
    """
    random = np.random.default_rng(seed)
    if future is Future.CUT or known >= len(panel.sessions):
        return panel.until(known)
    if future is Future.NOISE:
        return mixed(panel, noisy(panel, seed=seed, scale=PRICE_NOISE), after(panel, known))
    if future is Future.SHUFFLED:
        rest = known + random.permutation(len(panel.sessions) - known)
        order = np.concatenate((np.arange(known), rest))
        return changed(panel, lambda values: values[order])
    gone = random.permutation(len(panel.symbols))[: max(1, len(panel.symbols) // 2)]
    return changed(panel, lambda values: _without(values, known, gone))


def noisy(panel: Panel, *, seed: int, scale: float) -> Panel:
    """Multiply the prices of each bar by one random factor and its volume by another."""
    random = np.random.default_rng(seed)
    factors = np.exp(random.normal(0.0, scale, panel.close.shape))
    volumes = np.exp(random.normal(0.0, VOLUME_NOISE, panel.close.shape))
    prices = changed(panel, lambda values: values * factors)
    return replace(prices, volume=None if panel.volume is None else panel.volume * volumes)


def after(panel: Panel, known: int) -> BoolArray:
    """Mark the sessions that come after the known ones."""
    return np.asarray(np.arange(len(panel.sessions)) >= known, dtype=np.bool_)


def mixed(panel: Panel, other: Panel, rows: BoolArray) -> Panel:
    """Take the marked sessions from another panel of the same sessions and symbols."""

    def joined(own: FloatArray | None, others: FloatArray | None) -> FloatArray | None:
        return None if own is None or others is None else np.where(rows[:, None], others, own)

    return replace(
        panel,
        close=np.where(rows[:, None], other.close, panel.close),
        open=joined(panel.open, other.open),
        high=joined(panel.high, other.high),
        low=joined(panel.low, other.low),
        volume=joined(panel.volume, other.volume),
    )


def changed(panel: Panel, change: Callable[[FloatArray], FloatArray]) -> Panel:
    """Change every matrix of a panel in the same way."""
    return replace(
        panel,
        close=change(panel.close),
        open=None if panel.open is None else change(panel.open),
        high=None if panel.high is None else change(panel.high),
        low=None if panel.low is None else change(panel.low),
        volume=None if panel.volume is None else change(panel.volume),
    )


def _without(values: FloatArray, known: int, gone: IntArray) -> FloatArray:
    left = values.copy()
    left[known:, gone] = np.nan
    return left
