"""The compiled loop of the plain case: proportional costs, every bar there, nothing else.

What `session` does for every case this does for the one that is run a thousand times: fractional
shares, no caps, no interest, no actions. Both give the same fills and the same money.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.simulation.records import PlainCurves, PlainFills
    from slices.quant.types import FloatArray

TIE = 1e-12
"""A position this close to its target, as a fraction of equity, is at the target."""

ROUNDING = 1e-9
"""Cash that is short by less than this fraction of equity is short by rounding."""


@compiled
def targets_summary(targets: FloatArray) -> tuple[int, int, float]:
    """Look over target weights.

    Returns:
        How many are numbers, how many are infinite, and the largest sum of absolute weights.
    """
    known, infinite, highest = 0, 0, 0.0
    for t in range(targets.shape[0]):
        gross = 0.0
        for i in range(targets.shape[1]):
            weight = abs(targets[t, i])
            if not math.isnan(weight):
                known += 1
                infinite += int(math.isinf(weight))
                gross += weight
        highest = max(highest, gross)
    return known, infinite, highest


@compiled
def post_cost_equity(values: FloatArray, weights: FloatArray, equity: float, rate: float) -> float:
    """Solve for the equity left when positions have been moved to their weights of it.

    The equation is E + rate * sum|E w - v| = equity. Its left side is convex, and given which
    positions are bought and which sold it is linear: starting from `equity` the solutions of
    these lines fall until no side changes, and the last is the exact root.

    Args:
        values: N position values before trading; 0 for a position that is left alone.
        weights: N signed target weights; 0 for a position that is left alone.
        equity: Value before trading.
        rate: Costs as a fraction of traded value, below 1.

    Returns:
        The root; 0 where costs leave nothing.
    """
    left = equity
    while left > 0.0:
        sold, bought = 0.0, 0.0
        for i in range(values.size):
            side = 1.0 if left * weights[i] > values[i] else -1.0
            sold += side * values[i]
            bought += side * weights[i]
        slope = 1.0 + rate * bought
        renewed = (equity + rate * sold) / slope if slope > 0.0 else 0.0
        if renewed >= left:
            return left
        left = renewed
    return 0.0


@compiled
def plan_trades(
    shares: FloatArray,
    prices: FloatArray,
    targets: FloatArray,
    cash: float,
    rate: float,
    wanted: FloatArray,
    values: FloatArray,
    weights: FloatArray,
) -> float:
    """Write the quantities that move positions to their weights; return the equity left."""
    equity = cash
    for i in range(shares.size):
        is_decided = not math.isnan(targets[i])
        value = shares[i] * prices[i]
        equity += value
        values[i] = value if is_decided else 0.0
        weights[i] = targets[i] if is_decided else 0.0
    left = post_cost_equity(values, weights, equity, rate)
    for i in range(shares.size):
        held = left * weights[i]
        change = held / prices[i] - shares[i]
        is_met = abs(held - values[i]) <= TIE * equity
        wanted[i] = -shares[i] if held == 0.0 else (0.0 if is_met else change)
        wanted[i] = 0.0 if math.isnan(targets[i]) else wanted[i]
    return left


@compiled
def next_decision(targets: FloatArray, t: int) -> int:
    """Return the first row, from this one on, that holds a weight; else the number of rows."""
    for row in range(t, targets.shape[0]):
        for i in range(targets.shape[1]):
            if not math.isnan(targets[row, i]):
                return row
    return int(targets.shape[0])


@compiled
def hold(
    first: int, stop: int, cash: float, shares: FloatArray, closes: FloatArray, curves: PlainCurves
) -> None:
    """Write what the account is worth in sessions without a fill."""
    for t in range(first, stop):
        equity = cash
        for i in range(shares.size):
            equity += shares[i] * closes[t, i]
            curves.shares[t, i] = shares[i]
        curves.equity[t], curves.cash[t] = equity, cash


@compiled
def affordable_share(
    wanted: FloatArray, prices: FloatArray, cash: float, left: float, borrowed: float, rate: float
) -> float:
    """Return the share of all purchases that cash pays for, sales first.

    An account that costs and losses left nothing is closed, whatever it then owes.
    """
    sold, bought = 0.0, 0.0
    for i in range(wanted.size):
        traded = wanted[i] * prices[i]
        sold -= min(traded, 0.0) * (1.0 - rate)
        bought += max(traded, 0.0) * (1.0 + rate)
    available = cash + sold + borrowed * left
    if left == 0.0 or bought <= available + ROUNDING * left:
        return 1.0
    return max(0.0, available / bought)


@compiled
def trade_row(
    t: int,
    shares: FloatArray,
    prices: FloatArray,
    wanted: FloatArray,
    rate: float,
    fills: PlainFills,
    count: int,
) -> tuple[int, float]:
    """Fill sales, then purchases; return the number of fills so far and the money spent.

    Every place is written and counted only where there is a fill: no branch to be guessed.
    """
    spent = 0.0
    for side in (-1.0, 1.0):
        for i in range(shares.size):
            fills.rows[count], fills.columns[count] = t, i
            fills.quantities[count], fills.prices[count] = wanted[i], prices[i]
            count += int(wanted[i] * side > 0.0)
    for i in range(shares.size):
        traded = wanted[i] * prices[i]
        spent += traded + rate * abs(traded)
        shares[i] += wanted[i]
    return count, spent


@compiled
def scale_purchases(
    t: int, wanted: FloatArray, prices: FloatArray, share: float, curves: PlainCurves
) -> None:
    """Make purchases smaller by one factor and note what is missing."""
    curves.is_scaled[t] = True
    for i in range(wanted.size):
        if wanted[i] > 0.0:
            curves.shortfalls[t] += (1.0 - share) * wanted[i] * prices[i]
            wanted[i] *= share


@compiled
def simulate_plain(
    closes: FloatArray,
    prices: FloatArray,
    targets: FloatArray,
    rate: float,
    borrowed: float,
    capital: float,
    fills: PlainFills,
    curves: PlainCurves,
) -> int:
    """Step through the sessions: fill what was decided at the close before, mark at the close.

    Args:
        closes: T x N.
        prices: T x N fill prices.
        targets: T x N weights decided at each close; NaN leaves a position alone.
        rate: Costs as a fraction of traded value.
        borrowed: Money that may be owed, as a fraction of equity.
        capital: Cash at the start.
        fills: Written; one place more than there are weights.
        curves: Written.

    Returns:
        The number of fills.
    """
    sessions, symbols = closes.shape
    shares, wanted, cash, count = np.zeros(symbols), np.empty(symbols), capital, 0
    values, weights, t = np.empty(symbols), np.empty(symbols), 0
    while t < sessions:
        following = min(next_decision(targets, t) + 1, sessions)
        hold(t, following, cash, shares, closes, curves)
        t = following
        if t < sessions:
            row = prices[t]
            left = plan_trades(shares, row, targets[t - 1], cash, rate, wanted, values, weights)
            share = affordable_share(wanted, row, cash, left, borrowed, rate)
            if share < 1.0:
                scale_purchases(t, wanted, row, share, curves)
            count, spent = trade_row(t, shares, row, wanted, rate, fills, count)
            cash -= spent
    return count
