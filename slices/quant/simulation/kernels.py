"""Compiled loops of the simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.types import FloatArray, IntArray

TIE = 1e-12
"""A position this close to its target, as a fraction of equity, is at the target."""


@compiled
def post_cost_equity(values: FloatArray, weights: FloatArray, equity: float, rate: float) -> float:
    """Solve for the equity left when positions have been moved to their weights of it.

    The equation is E + rate * sum|E w - v| = equity. Its left side is convex and rises, and given
    which positions are bought and which sold it is linear: starting from `equity` the solutions
    of these lines fall until no side changes, and the last is the exact root.

    Args:
        values: N position values before trading.
        weights: N target weights, not negative, with sum of at most 1.
        equity: Value before trading.
        rate: Costs as a fraction of traded value, below 1.
    """
    left = equity
    while True:
        sold, bought = 0.0, 0.0
        for i in range(values.size):
            side = 1.0 if left * weights[i] > values[i] else -1.0
            sold += side * values[i]
            bought += side * weights[i]
        renewed = (equity + rate * sold) / (1.0 + rate * bought)
        if renewed >= left:
            return left
        left = renewed


@compiled
def rebalance(
    shares: FloatArray,
    prices: FloatArray,
    weights: FloatArray,
    cash: float,
    rate: float,
    quantities: FloatArray,
) -> float:
    """Trade to target weights at these prices; sells pay for buys.

    Args:
        shares: N shares held; changed in place. A weight of 0 leaves exactly 0 shares.
        prices: N fill prices.
        weights: N target weights.
        cash: Cash before.
        rate: Costs as a fraction of traded value.
        quantities: N signed quantities traded, written in place.

    Returns:
        Cash after trades and costs.
    """
    values = shares * prices
    equity = cash + np.sum(values)
    target = post_cost_equity(values, weights, equity, rate) * weights
    for i in range(shares.size):
        quantities[i] = 0.0
        traded = target[i] - values[i]
        if abs(traded) <= TIE * equity and weights[i] > 0.0:
            continue
        held = target[i] / prices[i] if weights[i] > 0.0 else 0.0
        quantities[i] = held - shares[i]
        shares[i] = held
        cash -= traded + rate * abs(traded)
    return cash


@compiled
def simulate_weights(
    closes: FloatArray,
    fill_prices: FloatArray,
    targets: FloatArray,
    decisions: IntArray,
    rate: float,
    capital: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Step through the sessions: fill what was decided at the close before, mark at the close.

    Args:
        closes: T x N.
        fill_prices: T x N.
        targets: One row of N weights per decision.
        decisions: The sessions (rows of `closes`) they were made at, rising.
        rate: Costs as a fraction of traded value.
        capital: Cash at the start.

    Returns:
        Cash (T), shares (T x N) and signed quantities traded (one row per decision) after each
        session.
    """
    sessions, symbols = closes.shape
    cash_curve, holdings = np.empty(sessions), np.zeros((sessions, symbols))
    quantities = np.zeros((decisions.size, symbols))
    shares, cash, following = np.zeros(symbols), capital, 0
    for t in range(sessions):
        if following < decisions.size and decisions[following] == t - 1:
            cash = rebalance(
                shares, fill_prices[t], targets[following], cash, rate, quantities[following]
            )
            following += 1
        cash_curve[t] = cash
        holdings[t] = shares
    return cash_curve, holdings, quantities
