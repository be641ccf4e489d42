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
        values: N position values before trading.
        weights: N signed target weights; NaN for a position that is left alone.
        equity: Value before trading.
        rate: Costs as a fraction of traded value, below 1.

    Returns:
        The root; 0 where costs leave nothing.
    """
    left = equity
    while left > 0.0:
        sold, bought = 0.0, 0.0
        for i in range(values.size):
            weight = weights[i]
            if not math.isnan(weight):
                side = 1.0 if left * weight > values[i] else -1.0
                sold += side * values[i]
                bought += side * weight
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
    weights: FloatArray,
    cash: float,
    rate: float,
    wanted: FloatArray,
) -> float:
    """Write the quantities that move positions to their weights; return the equity left."""
    equity, values = cash, np.empty(shares.size)
    for i in range(shares.size):
        values[i] = shares[i] * prices[i]
        equity += values[i]
    left = post_cost_equity(values, weights, equity, rate)
    for i in range(shares.size):
        weight = weights[i]
        wanted[i] = 0.0
        if weight == 0.0 or (left == 0.0 and not math.isnan(weight)):
            wanted[i] = -shares[i]
        elif abs(left * weight - values[i]) > TIE * equity:
            wanted[i] = left * weight / prices[i] - shares[i]
    return left


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
        if traded < 0.0:
            sold -= traded * (1.0 - rate)
        else:
            bought += traded * (1.0 + rate)
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
    """Fill sales, then purchases; return the number of fills so far and the money spent."""
    spent = 0.0
    for side in (-1.0, 1.0):
        for i in range(shares.size):
            if wanted[i] * side > 0.0:
                traded = wanted[i] * prices[i]
                spent += traded + rate * abs(traded)
                shares[i] += wanted[i]
                fills.rows[count], fills.columns[count] = t, i
                fills.quantities[count], fills.prices[count] = wanted[i], prices[i]
                count += 1
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
        fills: Written; as many places as there are weights.
        curves: Written.

    Returns:
        The number of fills.
    """
    sessions, symbols = closes.shape
    shares, wanted, cash, count = np.zeros(symbols), np.empty(symbols), capital, 0
    for t in range(sessions):
        if t > 0 and not np.all(np.isnan(targets[t - 1])):
            left = plan_trades(shares, prices[t], targets[t - 1], cash, rate, wanted)
            share = affordable_share(wanted, prices[t], cash, left, borrowed, rate)
            if share < 1.0:
                scale_purchases(t, wanted, prices[t], share, curves)
            count, spent = trade_row(t, shares, prices[t], wanted, rate, fills, count)
            cash -= spent
        equity = cash
        for i in range(symbols):
            equity += shares[i] * closes[t, i]
            curves.shares[t, i] = shares[i]
        curves.equity[t], curves.cash[t] = equity, cash
    return count
