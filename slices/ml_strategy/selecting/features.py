"""What is known at a decision: how every strategy has done lately, and what the market is doing.

Every window ends at the close that decides. One that begins before all strategies could trade is
NaN, since an account that waits for its history would seem to be one without risk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.regimes import REGIMES
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.regimes import RegimeHistory
    from slices.domain.strategies import StrategyName
    from slices.quant.panel import Panel
    from slices.quant.types import IntArray

RETURN_SESSIONS = (21, 63, 252)
SHARPE_SESSIONS = (63, 252)
DRAWDOWN_SESSIONS = 252
VOLATILITY_SESSIONS = (21, 63)
TREND_SESSIONS = (21, 126)
BREADTH_SESSIONS = 126

Named = tuple[tuple[str, ...], FloatArray]


def performance_features(
    strategies: tuple[StrategyName, ...], returns: FloatArray, rows: IntArray, *, first: int
) -> Named:
    """Measure recent returns relative to all strategies, Sharpe ratios and drawdowns.

    Args:
        strategies: S names.
        returns: T x S net returns of their accounts.
        rows: P positions of sessions that decide.
        first: Position at whose close all strategies can decide; returns after it count.

    Returns:
        F names, and P x F values: returns over 21, 63 and 252 sessions less the mean of all
        strategies, mean over deviation of 63 and 252 sessions, and the distance from the peak of
        252 sessions as a positive fraction. NaN where a window begins too early, or where an
        account did not move.
    """
    parts = [
        *((f"return_{each}", each, _relative_growth) for each in RETURN_SESSIONS),
        *((f"sharpe_{each}", each, mean_over_deviation) for each in SHARPE_SESSIONS),
        (f"drawdown_{DRAWDOWN_SESSIONS}", DRAWDOWN_SESSIONS, _drawdown),
    ]
    names = tuple(f"{each.value}.{name}" for name, _, _ in parts for each in strategies)
    values = [
        measured(returns, rows, measure, window=window, first=first) for _, window, measure in parts
    ]
    return names, np.concatenate(values, axis=1)


def market_features(panel: Panel, history: RegimeHistory, rows: IntArray) -> Named:
    """Measure the market: regimes, volatility, trend and breadth.

    Args:
        panel: T sessions of N symbols.
        history: Regimes as they were known at each close.
        rows: P positions of sessions that decide.

    Returns:
        F names, and P x F values: the probability of each regime and of the most volatile state,
        the forecast of volatility, deviation and return of the equal-weight index, and the share
        of symbols above their own mean close of 126 sessions. NaN where not known.
    """
    told = np.column_stack(
        [history.probabilities, history.state_probabilities[:, -1], history.next_volatility]
    )
    places = regime_places(panel.sessions, history, rows)
    regimes = np.where((places >= 0)[:, None], told[places], np.nan)
    index = np.concatenate([[0.0], index_returns(panel.close)])[:, None]
    parts = [
        *(measured(index, rows, _deviation, window=each) for each in VOLATILITY_SESSIONS),
        *(measured(index, rows, _growth, window=each) for each in TREND_SESSIONS),
        measured(panel.close, rows, _breadth, window=BREADTH_SESSIONS)[:, :1],
    ]
    names = (
        *(f"regime.{each.value}" for each in REGIMES), "regime.most_volatile_state",
        "market.next_volatility", *(f"market.volatility_{each}" for each in VOLATILITY_SESSIONS),
        *(f"market.trend_{each}" for each in TREND_SESSIONS), f"market.breadth_{BREADTH_SESSIONS}",
    )  # fmt: skip
    return names, np.column_stack([regimes, *parts])


def measured(
    values: FloatArray,
    rows: IntArray,
    measure: Callable[[FloatArray], FloatArray],
    *,
    window: int,
    first: int = 0,
) -> FloatArray:
    """Apply a measure to the window that ends at each row.

    Args:
        values: T x S.
        rows: P positions.
        measure: From W x S to S.
        window: Length W.
        first: Position after which a window must begin.

    Returns:
        P x S; NaN where the window begins too early.

    >>> values = np.array([[1.0], [2.0], [3.0]])
    >>> measured(values, np.array([0, 2]), lambda each: each.sum(axis=0), window=2).tolist()
    [[nan], [5.0]]
    """
    found = np.full((rows.size, values.shape[1]), np.nan)
    for place, row in enumerate(rows.tolist()):
        if row - window >= first:
            found[place] = measure(values[row + 1 - window : row + 1])
    return found


def regime_places(sessions: tuple[object, ...], history: RegimeHistory, rows: IntArray) -> IntArray:
    """Return the positions in a history of regimes of some sessions; -1 where it has none."""
    place = {session: i for i, session in enumerate(history.sessions)}
    return np.array([place.get(sessions[row], -1) for row in rows.tolist()], dtype=np.int64)


def index_returns(closes: FloatArray) -> FloatArray:
    """Return T - 1 mean returns of the symbols with a bar at both closes; 0 where none has."""
    changes = closes[1:] / closes[:-1] - 1.0
    has_return = np.isfinite(changes)
    count = np.maximum(has_return.sum(axis=1), 1)
    return np.asarray(np.where(has_return, changes, 0.0).sum(axis=1) / count, dtype=np.float64)


def mean_over_deviation(returns: FloatArray) -> FloatArray:
    """Return S ratios of the mean and the deviation (ddof 1) of W x S returns.

    An account that did not move has NaN, and so has everything with fewer than two sessions.

    >>> mean_over_deviation(np.array([[0.01, 0.0], [0.03, 0.0]])).round(3).tolist()
    [1.414, nan]
    """
    found = np.full(returns.shape[1], np.nan)
    if returns.shape[0] < 2:
        return found
    moved = np.ptp(returns, axis=0) > 0
    return np.asarray(np.divide(returns.mean(axis=0), _deviation(returns), out=found, where=moved))


def _growth(returns: FloatArray) -> FloatArray:
    return np.asarray(np.prod(1.0 + returns, axis=0) - 1.0)


def _relative_growth(returns: FloatArray) -> FloatArray:
    grown = _growth(returns)
    return np.asarray(grown - grown.mean())


def _deviation(returns: FloatArray) -> FloatArray:
    return np.asarray(returns.std(axis=0, ddof=1))


def _drawdown(returns: FloatArray) -> FloatArray:
    wealth = np.concatenate([np.ones((1, returns.shape[1])), np.cumprod(1.0 + returns, axis=0)])
    return np.asarray(1.0 - wealth[-1] / wealth.max(axis=0))


def _breadth(closes: FloatArray) -> FloatArray:
    """Return the share of symbols above their mean close, once per symbol for the shape."""
    whole = np.isfinite(closes).all(axis=0)
    above = closes[-1, whole] > closes[:, whole].mean(axis=0)
    return np.full(closes.shape[1], above.mean() if above.size else np.nan)
