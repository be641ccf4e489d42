"""Compiled: how much an order trades once its price is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.quant.compiled import compiled
from slices.quant.simulation.plain import ROUNDING
from slices.quant.simulation.trading import (
    account_value,
    gross_value,
    impact_factor,
    total_costs,
    value_price,
)
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.simulation.records import Order, World

SIZING_STEPS = 100


@compiled
def sized(t: int, order: Order, price: float, world: World) -> float:
    """Return the quantity that moves a position to an order's weight, its costs reserved."""
    i, quantity = order.column, 0.0
    equity = account_value(t, world)
    shares = world.positions[i].shares
    equity += shares * (price - value_price(t, i, world))
    factor = impact_factor(world.bars[t, i], price, world.terms)
    for _ in range(SIZING_STEPS):
        before = quantity
        costs = total_costs(quantity, price, factor, world.terms) if quantity != 0.0 else 0.0
        quantity = max(0.0, equity - costs) * order.weight / price - shares
        if abs(quantity - before) <= 1e-15 * abs(quantity):
            break
    return quantity


@compiled
def wanted_quantity(order: Order, world: World) -> float:
    """Return what an order still wants, cut to the position where it may only reduce it."""
    shares = world.positions[order.column].shares
    quantity = order.quantity - order.filled
    if order.reduces:
        if shares * quantity >= 0.0:
            return 0.0
        if abs(quantity) > abs(shares):
            quantity = -shares
    return -shares if abs(shares + quantity) <= TIE * abs(quantity) else quantity


@compiled
def coverable(t: int, quantity: float, order: Order, world: World) -> float:
    """Return how much of a quantity the rules allow.

    All that reduces a position; no purchase without equity; and of a short sale as much as gross
    exposure leaves room for.
    """
    shares, equity = world.positions[order.column].shares, account_value(t, world)
    if quantity > 0.0:
        return quantity if equity > 0.0 else min(quantity, max(-shares, 0.0))
    closing = min(-quantity, max(shares, 0.0))
    gross = gross_value(t, world) - closing * value_price(t, order.column, world)
    opening = max(0.0, world.terms.gross * max(0.0, equity) - gross) / order.at
    if -quantity - closing <= opening * (1.0 + ROUNDING):
        return quantity
    return -(closing + (float(math.floor(opening)) if world.terms.whole else opening))
