"""Compiled loops of sweeps: one account after the other, kept only as its figures.

An account is the engine's plain case (`simulation.plain`) for one symbol: fractional shares, the
post-cost equity solved exactly, a position that drifts until its signal changes. What a sleeve is
worth is added up over the symbols, and the sum becomes figures before the next configuration
begins, so that memory does not grow with configurations x sessions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from slices.quant.compiled import compiled
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.types import BoolArray, FloatArray, IntArray


class Market(NamedTuple):
    """N symbols over T sessions, each complete from its first bar on.

    Attributes:
        closes: N x T.
        prices: N x T fill prices.
        begins: N sessions of the first bar.
        ends: B sessions at which a block of returns ends, rising; the last is T - 1.
    """

    closes: FloatArray
    prices: FloatArray
    begins: IntArray
    ends: IntArray


class Figures(NamedTuple):
    """What is kept of C accounts; rows are written in place.

    Attributes:
        equity: C final values.
        trades: C closed round trips.
        drawdowns: C largest drawdowns.
        sums: C x B sums of returns by block; NaN where the account was ruined.
        squares: C x B sums of their squares.
    """

    equity: FloatArray
    trades: IntArray
    drawdowns: FloatArray
    sums: FloatArray
    squares: FloatArray


@compiled
def equity_after(value: float, weight: float, equity: float, rate: float) -> float:
    """Solve for the equity left when one position has been moved to a weight of it.

    The equation is E + rate * |E w - v| = equity; which side the trade is on is tried at E =
    equity first, as its left side rises with E.

    Args:
        value: Of the position before, signed.
        weight: Its target, signed.
        equity: Before.
        rate: Costs as a fraction of traded value, below 1.
    """
    if equity <= 0.0:
        return 0.0
    left = equity
    for _ in range(2):
        side = 1.0 if left * weight > value else -1.0
        slope = 1.0 + rate * side * weight
        renewed = (equity + rate * side * value) / slope if slope > 0.0 else 0.0
        if renewed >= left:
            break
        left = renewed
    return max(left, 0.0)


@compiled
def traded(
    shares: float, cash: float, price: float, weight: float, rate: float
) -> tuple[float, float]:
    """Move a position to a weight; return the shares and the cash after."""
    value = shares * price
    equity = cash + value
    left = equity_after(value, weight, equity, rate)
    if weight == 0.0 or left == 0.0:
        return 0.0, cash + value - rate * abs(value)
    moved = left * weight - value
    if abs(moved) <= TIE * equity:
        return shares, cash
    return left * weight / price, cash - moved - rate * abs(moved)


@compiled
def add_sleeve(
    closes: FloatArray,
    prices: FloatArray,
    signals: FloatArray,
    begin: int,
    rate: float,
    capital: float,
    equity: FloatArray,
) -> int:
    """Run one symbol's account and add its value at every close to `equity`.

    One that a short position has ruined adds nothing from then on.

    Args:
        closes: T, known from `begin` on.
        prices: T fill prices, likewise.
        signals: T weights decided at each close; only changes are traded, the first included.
        begin: The first session with a bar.
        rate: Costs as a fraction of traded value.
        capital: Cash before the first session.
        equity: T values, added to.

    Returns:
        The number of round trips closed.
    """
    sessions = closes.size
    for t in range(min(begin + 1, sessions)):
        equity[t] += capital
    shares, cash, held, trades = 0.0, capital, 0.0, 0
    for t in range(begin + 1, sessions):
        before = shares
        if signals[t - 1] != held:
            held = signals[t - 1]
            shares, cash = traded(shares, cash, prices[t], held, rate)
            if before != 0.0 and shares * before <= 0.0:
                trades += 1
        if (shares < 0.0 or before < 0.0) and worth(cash, shares, prices[t], closes[t]) <= 0.0:
            return trades + int(shares * before > 0.0)
        equity[t] += cash + shares * closes[t]
    return trades


@compiled
def worth(cash: float, shares: float, price: float, close: float) -> float:
    """Return the lesser value of an account at two prices."""
    return cash + min(shares * price, shares * close)


@compiled
def write_figures(equity: FloatArray, ends: IntArray, row: int, figures: Figures) -> None:
    """Turn T account values into figures; after ruin no return means anything."""
    before, peak, low, high = equity[0], equity[0], 1.0, 1.0
    first, ruined = 1, equity[0] <= 0.0
    for block in range(ends.size):
        total, squares = 0.0, 0.0
        for t in range(first, ends[block] + 1):
            value = equity[t]
            if value == before:
                continue
            change = value / before - 1.0
            total += change
            squares += change * change
            before = value
            if value > peak:
                peak = value
            elif value * high < low * peak:
                low, high = value, peak
                ruined = ruined or value <= 0.0
        first = ends[block] + 1
        figures.sums[row, block] = math.nan if ruined else total
        figures.squares[row, block] = math.nan if ruined else squares
    figures.equity[row] = equity[-1]
    figures.drawdowns[row] = 1.0 - low / high


@compiled
def write_crosses(
    fast: FloatArray,
    slow: FloatArray,
    is_short: bool,  # noqa: FBT001 - compiled functions take no keywords
    first: int,
    signals: FloatArray,
) -> None:
    """Write what `averages.cross_states` says from one session on, without making arrays.

    Args:
        fast: S values of the faster average; NaN where undefined.
        slow: S values of the slower one.
        is_short: Whether to be short where the faster one is below, in place of flat.
        first: The session the first signal is written for.
        signals: S - `first` signals, written.
    """
    state, low = 0.0, -1.0 if is_short else 0.0
    for t in range(fast.size):
        gap, tie = fast[t] - slow[t], TIE * abs(slow[t])
        if gap > tie:
            state = 1.0
        elif gap < -tie:
            state = low
        if t >= first:
            signals[t - first] = state


@compiled
def sweep_signals(
    market: Market, signals: FloatArray, start: int, rate: float, capital: float, figures: Figures
) -> None:
    """Run an equal sleeve of every symbol for each configuration.

    Args:
        market: Sessions from the account's first on.
        signals: C x N x T.
        start: Row of `figures` the first configuration is written to.
        rate: Costs as a fraction of traded value.
        capital: Of all sleeves together.
        figures: Written.
    """
    symbols, sessions = market.closes.shape
    equity = np.empty(sessions)
    for c in range(signals.shape[0]):
        equity[:] = 0.0
        trades = 0
        for i in range(symbols):
            trades += add_sleeve(
                market.closes[i], market.prices[i], signals[c, i], market.begins[i],
                rate, capital / symbols, equity,
            )  # fmt: skip
        figures.trades[start + c] = trades
        write_figures(equity, market.ends, start + c, figures)


@compiled
def sweep_crosses(
    market: Market,
    table: FloatArray,
    pairs: IntArray,
    is_short: BoolArray,
    first: int,
    span: tuple[int, int],
    money: tuple[float, float],
    figures: Figures,
) -> None:
    """Run an equal sleeve of every symbol for each pair of averages.

    Args:
        market: Sessions from the account's first on.
        table: N x K x S averages over all S sessions, those before the account's first included.
        pairs: C x 2 rows of the table: faster and slower average.
        is_short: C switches: sell short where the faster one is below.
        first: The account's first session among the S.
        span: First configuration to run, and the one to stop before.
        money: Costs as a fraction of traded value, and the capital of all sleeves together.
        figures: Written.
    """
    symbols, sessions = market.closes.shape
    rate, capital = money
    equity, signals = np.empty(sessions), np.empty(sessions)
    for c in range(span[0], span[1]):
        equity[:] = 0.0
        trades = 0
        for i in range(symbols):
            write_crosses(table[i, pairs[c, 0]], table[i, pairs[c, 1]], is_short[c], first, signals)
            trades += add_sleeve(
                market.closes[i], market.prices[i], signals, market.begins[i],
                rate, capital / symbols, equity,
            )  # fmt: skip
        figures.trades[c] = trades
        write_figures(equity, market.ends, c, figures)
