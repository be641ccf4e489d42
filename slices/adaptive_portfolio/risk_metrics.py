"""What an account's own returns and its positions tell of its risk."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.crowding import held_returns, position_weights
from slices.domain.errors import listed
from slices.domain.risk_monitoring import AccountMetrics, HoldingsTail
from slices.quant.curves.rolling import rolling_beta
from slices.quant.curves.stress import STRESS_WINDOWS, stress_windows
from slices.quant.metrics import performance
from slices.quant.metrics.tails import expected_shortfall, value_at_risk
from slices.quant.returns import complete_rows, simple_returns

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook
    from slices.domain.tearsheets import StressWindow
    from slices.quant.curves.stress import NamedWindow
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

FEWEST_RETURNS = 20
LEAST_GROWTH = 1e-9
"""What a session leaves of an account that it takes everything from."""


def equity_returns(book: AccountBook) -> FloatArray:
    """Return the simple returns from close to close; none after a value that is not above 0."""
    values = np.array([float(each.equity) for each in book.curve], dtype=np.float64)
    stop = int(np.argmax(values <= 0)) + 1 if (values <= 0).any() else values.size
    return simple_returns(values[:stop]) if stop > 1 else np.empty(0)


def universe_returns(panel: Panel) -> FloatArray:
    """Return the mean return of all symbols, session by session.

    Returns:
        T - 1 values; NaN where no symbol has this bar and the one before.
    """
    returns = simple_returns(panel.close)
    known = np.isfinite(returns)
    count = known.sum(axis=1)
    total = np.where(known, returns, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def paired_returns(
    book: AccountBook, panel: Panel
) -> tuple[tuple[dt.date, ...], FloatArray, FloatArray]:
    """Set the account's returns beside the universe's over the same pairs of sessions.

    Returns:
        Sessions, returns of the account and of the universe; only those of sessions that follow
        one another in the bars.
    """
    rows = {session: row for row, session in enumerate(panel.sessions)}
    market = universe_returns(panel)
    mine = equity_returns(book)
    points = book.curve[: mine.size + 1]
    kept = [
        (after.session, float(mine[i]), float(market[rows[after.session] - 1]))
        for i, (before, after) in enumerate(pairwise(points))
        if rows.get(after.session, 0) > 0
        and rows.get(before.session) == rows[after.session] - 1
        and math.isfinite(market[rows[after.session] - 1])
    ]
    sessions = tuple(each[0] for each in kept)
    numbers = np.array([each[1:] for each in kept], dtype=np.float64).reshape(-1, 2)
    return sessions, numbers[:, 0], numbers[:, 1]


def betas(
    book: AccountBook, panel: Panel, *, window: int
) -> tuple[tuple[dt.date, ...], tuple[float, ...]]:
    """Return the account's beta on the equal-weight universe over every full window."""
    sessions, mine, market = paired_returns(book, panel)
    slopes = rolling_beta(mine, market, window)
    return sessions[window - 1 :], tuple(slopes.tolist())


def account_metrics(
    book: AccountBook, *, beta: float, window: int, periods_per_year: int, confidence: float
) -> AccountMetrics:
    """Measure the account's returns; a measure with too few of them is NaN and says so.

    Args:
        book: The account.
        beta: Its newest beta, NaN where there is none.
        window: Sessions that beta stands on.
        periods_per_year: Sessions in a year.
        confidence: Of value at risk and expected shortfall.
    """
    returns = equity_returns(book)
    found = performance(returns, periods_per_year=periods_per_year, confidence=confidence)
    needed = {
        "total_return": 1,
        "max_drawdown": 1,
        "annualized_volatility": FEWEST_RETURNS,
        "sharpe_ratio": FEWEST_RETURNS,
        "sortino_ratio": FEWEST_RETURNS,
        "calmar_ratio": FEWEST_RETURNS,
        "value_at_risk": tail_returns(confidence),
        "expected_shortfall": tail_returns(confidence),
    }
    values = {
        name: float(getattr(found, name)) if returns.size >= least else math.nan
        for name, least in needed.items()
    } | {"beta": beta}
    needed["beta"] = window
    return AccountMetrics(
        returns=returns.size,
        undefined=tuple(
            (name, _why(returns.size, needed[name]))
            for name, value in values.items()
            if not math.isfinite(value)
        ),
        **values,
    )


def tail_returns(confidence: float) -> int:
    """Return how many returns a tail of at least one takes.

    >>> tail_returns(0.95), tail_returns(0.99)
    (20, 100)
    """
    return max(FEWEST_RETURNS, math.ceil(round(1.0 / (1.0 - confidence), 9)))


def _why(found: int, needed: int) -> str:
    if found < needed:
        return f"takes {needed} returns of the account, there are {found}"
    return "the returns, or those it is compared with, do not vary"


def holdings_tail(
    book: AccountBook, panel: Panel, *, lookback_sessions: int, confidence: float
) -> HoldingsTail:
    """Say what today's positions would have lost in the worst of the newest sessions."""
    symbols = tuple(each.symbol for each in book.positions)
    missing = tuple(each for each in symbols if each not in panel.symbols)
    if not symbols or missing:
        why = f"the bars lack {listed(missing, most=5)}" if missing else "nothing is held"
        return _no_tail(0, why)
    returns = held_returns(panel, symbols, lookback_sessions=lookback_sessions)
    least = tail_returns(confidence)
    if len(returns) < least:
        return _no_tail(len(returns), f"takes {least} returns in common, there are {len(returns)}")
    mine = returns @ position_weights(book)
    return HoldingsTail(
        returns=len(returns),
        value_at_risk=value_at_risk(mine, confidence=confidence),
        expected_shortfall=expected_shortfall(mine, confidence=confidence),
        unknown="",
    )


def _no_tail(returns: int, why: str) -> HoldingsTail:
    return HoldingsTail(
        returns=returns, value_at_risk=math.nan, expected_shortfall=math.nan, unknown=why
    )


def stressed(book: AccountBook, panel: Panel) -> tuple[StressWindow, ...]:
    """Hold today's weights through the bad times the bars cover, beside the equal-weight universe.

    Weights are restored every session without cost, what is not invested is cash without interest.
    Only sessions in which everything held has a bar count; a loss of everything ends as one.
    """
    symbols = tuple(each.symbol for each in book.positions)
    if not symbols or any(each not in panel.symbols for each in symbols):
        return ()
    closes = panel.columns([panel.symbols.index(each) for each in symbols]).close
    rows = np.flatnonzero(complete_rows(closes))
    market = np.concatenate(([1.0], np.cumprod(1.0 + np.nan_to_num(universe_returns(panel)))))
    mine = simple_returns(closes[rows]) @ position_weights(book)
    sessions = tuple(panel.sessions[row] for row in rows)
    return tuple(
        found
        for window in STRESS_WINDOWS
        for found in _stressed_in(window, mine, market[rows], sessions)
    )


def _stressed_in(
    window: NamedWindow, mine: FloatArray, market: FloatArray, sessions: tuple[dt.date, ...]
) -> tuple[StressWindow, ...]:
    """Begin with a whole account at the window's start; one that loses everything stands still."""
    first = max(0, bisect_right(sessions, window.start) - 1)
    last = bisect_left(sessions, window.end) + 1
    growth = np.maximum(1.0 + mine[first : last - 1], LEAST_GROWTH)
    ruin = int(np.argmax(growth == LEAST_GROWTH)) if (growth == LEAST_GROWTH).any() else growth.size
    growth[ruin + 1 :] = 1.0
    values = np.concatenate(([1.0], np.cumprod(growth)))
    found = stress_windows(values, market[first:last], sessions[first:last])
    return tuple(each for each in found if each.name == window.name)


def uncovered(found: tuple[StressWindow, ...]) -> tuple[str, ...]:
    """Name the bad times that are not among those found."""
    names = {each.name for each in found}
    return tuple(each.name for each in STRESS_WINDOWS if each.name not in names)
