"""Spreads: log prices, alone or against the market, and how far they are stretched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.factor_parameters import SpreadKind
from slices.domain.portfolio import Allocator

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class ReversionRule:
    """Which spreads are believed to come back, and when positions are taken and let go.

    Attributes:
        spread: What is watched: log prices against the equal-weight market, or alone.
        window_sessions: Closes that mean and deviation of the z-score stand on.
        evidence_sessions: Changes of the spread that half-life and stationarity stand on.
        shortest_half_life: In sessions; below it costs eat what comes back.
        longest_half_life: In sessions.
        largest_p_value: Of the augmented Dickey-Fuller test.
        entry_z: A spread stretched beyond it is taken.
        exit_z: A spread that has come back within it is let go.
        stop_z: A spread stretched beyond it is let go.
        most_sessions: A position held so long is let go.
        largest_weight: Of one position.
    """

    spread: SpreadKind = "residual"
    window_sessions: int = 60
    evidence_sessions: int = 252
    shortest_half_life: float = 2.0
    longest_half_life: float = 40.0
    largest_p_value: float = 0.1
    entry_z: float = 2.0
    exit_z: float = 0.5
    stop_z: float = 4.0
    most_sessions: int = 40
    shorting: bool = False
    allocator: Allocator = Allocator.INVERSE_VOLATILITY
    largest_weight: float = 0.2
    gross_exposure: float = 1.0


def log_spreads(closes: FloatArray, kind: SpreadKind) -> FloatArray:
    """Return what is expected to come back to its mean.

    A log price alone is close to a random walk that drifts: what the whole market does hides what
    is the symbol's own. `residual` takes the log return of the equal-weight market off, with a
    beta of 1 for all: nothing is estimated that would have to be re-estimated.

    Args:
        closes: T x N positive closes, NaN where there is none.
        kind: Which spread.

    Returns:
        T x N; row t depends on closes up to t. The market's return of a session is the mean over
        the symbols with a close in it and in the one before.

    >>> log_spreads(np.exp([[0.0, 0.0], [0.2, 0.0]]), "residual").round(9).tolist()
    [[0.0, 0.0], [0.1, -0.1]]
    """
    logarithms = np.log(np.asarray(closes, dtype=np.float64))
    if kind == "log_price":
        return logarithms
    changes = np.diff(logarithms, axis=0, prepend=np.nan)
    known = np.isfinite(changes)
    total = np.where(known, changes, 0.0).sum(axis=1)
    market = total / np.maximum(known.sum(axis=1), 1)
    return np.asarray(logarithms - np.cumsum(market)[:, None], dtype=np.float64)


def z_scores(spreads: FloatArray, window_sessions: int) -> FloatArray:
    """Return how many sample deviations each spread is from the mean of its newest window.

    Args:
        spreads: T x N.
        window_sessions: Values in the window, the newest included, at least 2.

    Returns:
        T x N; NaN where a value of the window is missing or all are equal.

    >>> z_scores(np.array([[1.0], [2.0], [3.0]]), 3).round(9).ravel().tolist()
    [nan, nan, 1.0]
    """
    from slices.adaptive_portfolio.mean_reversion.kernels import rolling_z

    return rolling_z(np.ascontiguousarray(spreads, dtype=np.float64), window_sessions)
