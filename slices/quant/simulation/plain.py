"""The compiled loop of the plain case: proportional costs, every bar there, nothing else.

What `session` does for every case this does for the one that is run a thousand times: fractional
shares, no caps, no interest, no actions. Both give the same fills and the same money.

Only the outermost loop calls functions of arrays: one that hands arrays on has them counted as
in use and not in use again for every session, which takes longer than the arithmetic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled
from slices.quant.simulation.records import PlainPlan
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.simulation.records import PlainCurves, PlainFills
    from slices.quant.types import FloatArray, IntArray

ROUNDING = 1e-9
"""Cash that is short by less than this fraction of equity is short by rounding."""


@compiled
def targets_summary(targets: FloatArray) -> tuple[IntArray, int, float]:
    """Look over target weights.

    Returns:
        The rows that hold a number, how many numbers there are, and the largest sum of a row's
        absolute values.
    """
    rows = np.empty(targets.shape[0], dtype=np.int64)
    count, known, highest = 0, 0, 0.0
    for t in range(targets.shape[0]):
        gross, decided = 0.0, 0
        for i in range(targets.shape[1]):
            weight = abs(targets[t, i])
            is_decided = not math.isnan(weight)
            gross += weight if is_decided else 0.0
            decided += int(is_decided)
        if decided > 0:
            rows[count] = t
            count += 1
            known += decided
            highest = max(highest, gross)
    return rows[:count], known, highest


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
def value_row(
    t: int,
    cash: float,
    shares: FloatArray,
    prices: FloatArray,
    targets: FloatArray,
    plan: PlainPlan,
) -> float:
    """Write what the positions to be moved are worth, and their weights; return the equity."""
    equity = cash
    for i in range(shares.size):
        is_decided = not math.isnan(targets[t - 1, i])
        value = shares[i] * prices[t, i]
        equity += value
        plan.values[i] = value if is_decided else 0.0
        plan.weights[i] = targets[t - 1, i] if is_decided else 0.0
    return equity


@compiled
def plan_row(
    t: int,
    equity: float,
    left: float,
    shares: FloatArray,
    prices: FloatArray,
    targets: FloatArray,
    plan: PlainPlan,
) -> None:
    """Write the quantities that move positions to their weights of the equity left."""
    for i in range(shares.size):
        held = left * plan.weights[i]
        change = held / prices[t, i] - shares[i]
        is_met = abs(held - plan.values[i]) <= TIE * equity
        quantity = -shares[i] if held == 0.0 else (0.0 if is_met else change)
        plan.wanted[i] = 0.0 if math.isnan(targets[t - 1, i]) else quantity


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
def hold_alone(
    first: int, stop: int, cash: float, shares: float, closes: FloatArray, curves: PlainCurves
) -> None:
    """Do what `hold` does for one symbol, several sessions at a time."""
    for t in range(first, stop):
        curves.equity[t] = cash + shares * closes[t, 0]
        curves.shares[t, 0], curves.cash[t] = shares, cash


@compiled
def affordable_share(
    t: int,
    wanted: FloatArray,
    prices: FloatArray,
    cash: float,
    left: float,
    borrowed: float,
    rate: float,
) -> float:
    """Return the share of all purchases that cash pays for, sales first.

    An account that costs and losses left nothing is closed, whatever it then owes.
    """
    sold, bought = 0.0, 0.0
    for i in range(wanted.size):
        traded = wanted[i] * prices[t, i]
        sold -= min(traded, 0.0) * (1.0 - rate)
        bought += max(traded, 0.0) * (1.0 + rate)
    available = cash + sold + borrowed * left
    if left == 0.0 or bought == 0.0 or bought <= available + ROUNDING * left:
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
            fills.quantities[count], fills.prices[count] = wanted[i], prices[t, i]
            count += int(wanted[i] * side > 0.0)
    for i in range(shares.size):
        traded = wanted[i] * prices[t, i]
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
            curves.shortfalls[t] += (1.0 - share) * wanted[i] * prices[t, i]
            wanted[i] *= share


@compiled
def simulate_plain(
    closes: FloatArray,
    prices: FloatArray,
    targets: FloatArray,
    rows: IntArray,
    money: tuple[float, float, float],
    fills: PlainFills,
    curves: PlainCurves,
) -> int:
    """Step through the sessions: fill what was decided at the close before, mark at the close.

    Args:
        closes: T x N.
        prices: T x N fill prices.
        targets: T x N weights decided at each close; NaN leaves a position alone.
        rows: Those that hold a weight, rising.
        money: Costs as a fraction of traded value, money that may be owed as a fraction of
            equity, and cash at the start.
        fills: Written; one place more than there are weights.
        curves: Written.

    Returns:
        The number of fills.
    """
    sessions, symbols = closes.shape
    rate, borrowed, cash = money
    values, weights, wanted = np.empty(symbols), np.empty(symbols), np.empty(symbols)
    plan = PlainPlan(values, weights, wanted)
    shares, count, t = np.zeros(symbols), 0, 0
    for k in range(rows.size + 1):
        following = rows[k] + 1 if k < rows.size else sessions
        if symbols == 1:
            hold_alone(t, following, cash, shares[0], closes, curves)
        else:
            hold(t, following, cash, shares, closes, curves)
        t = following
        if t < sessions:
            equity = value_row(t, cash, shares, prices, targets, plan)
            left = post_cost_equity(values, weights, equity, rate)
            plan_row(t, equity, left, shares, prices, targets, plan)
            share = affordable_share(t, wanted, prices, cash, left, borrowed, rate)
            if share < 1.0:
                scale_purchases(t, wanted, prices, share, curves)
            count, spent = trade_row(t, shares, prices, wanted, rate, fills, count)
            cash -= spent
    return count
