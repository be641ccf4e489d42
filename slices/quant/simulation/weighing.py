"""Compiled: positions moved to their target weights of the equity that costs leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled
from slices.quant.simulation.brackets import note_fill
from slices.quant.simulation.endings import CANCELLED, FILLED, NO_CASH, WHOLE_SHARES, end_order
from slices.quant.simulation.trading import (
    STEPS,
    account_value,
    affordable_share,
    allowed,
    fill,
    impact_factor,
    marginal_cost,
    scaled,
    total_costs,
)
from slices.quant.simulation.triggers import OPEN
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.simulation.records import Position, Terms, World

TARGET, MARKET = 0, 1


@compiled
def is_due(position: Position) -> bool:
    """Return whether a target weight waits and the symbol trades in this session."""
    return not math.isnan(position.pending) and position.room > 0.0


@compiled
def costs_of_weights(t: int, left: float, equity: float, world: World) -> tuple[float, float]:
    """Return the costs of moving due positions to their weights of `left`, and their slope."""
    terms, spent, slope = world.terms, 0.0, 0.0
    for i in range(world.positions.size):
        position = world.positions[i]
        if is_due(position):
            bar = world.bars[t, i]
            price = bar.fill_price
            traded = left * position.pending - position.shares * price
            if abs(traded) > TIE * equity:
                factor = impact_factor(bar, price, terms)
                marginal = position.pending * marginal_cost(abs(traded), price, factor, terms)
                spent += total_costs(traded / price, price, factor, terms)
                slope += marginal if traded > 0.0 else -marginal
    return spent, slope


@compiled
def equity_left(t: int, equity: float, world: World) -> float:
    """Solve for the equity left when due positions have been moved to their weights of it.

    The equation E + costs(E) = equity has a convex left side: Newton's steps from `equity` fall
    to its largest root. Returns 0 where costs leave nothing.
    """
    left = equity
    for _ in range(STEPS):
        if left <= 0.0:
            return 0.0
        spent, slope = costs_of_weights(t, left, equity, world)
        if slope <= -1.0:
            return 0.0
        renewed = left - (left + spent - equity) / (1.0 + slope)
        if renewed >= left - 1e-15 * equity:
            return left
        left = renewed
    return left


@compiled
def wanted_change(
    position: Position, price: float, left: float, equity: float, terms: Terms
) -> float:
    """Return the quantity that moves a position to its weight of the equity left."""
    weight = position.pending
    if weight == 0.0 or left == 0.0:
        return -position.shares
    if abs(left * weight - position.shares * price) <= TIE * equity:
        return 0.0
    held = left * weight / price
    if terms.whole:
        floor = float(math.floor(abs(held) * (1.0 + TIE)))
        held = floor if held > 0.0 else -floor
    return held - position.shares


@compiled
def plan_weights(t: int, left: float, equity: float, world: World) -> None:
    """Write the quantities wanted of every symbol; a decision that is met is no longer due.

    What volume has no room for stays due; what whole shares leave out does not.
    """
    for i in range(world.positions.size):
        position = world.positions[i]
        position.wanted = 0.0
        if is_due(position):
            price = world.bars[t, i].fill_price
            quantity = wanted_change(position, price, left, equity, world.terms)
            position.wanted = allowed(quantity, position, world.terms)
            missed = abs(left * position.pending - (position.shares + position.wanted) * price)
            if missed > TIE * equity:
                world.closes[t].shortfall += missed
                note_missing(position, WHOLE_SHARES, world)
            if abs(quantity) <= position.room:
                position.pending = math.nan


@compiled
def note_missing(position: Position, why: int, world: World) -> None:
    """Tell the order of a position why it is not filled in full; of whole shares, only if none."""
    if position.intent >= 0 and (why != WHOLE_SHARES or position.wanted == 0.0):
        world.book[position.intent].why = why


@compiled
def scale_purchases(t: int, left: float, world: World) -> None:
    """Make wanted purchases smaller by one factor where cash does not pay for them."""
    size = world.positions.size
    quantities, prices, factors = np.zeros(size), np.zeros(size), np.zeros(size)
    for i in range(size):
        if world.positions[i].wanted > 0.0:
            bar = world.bars[t, i]
            quantities[i], prices[i] = world.positions[i].wanted, bar.fill_price
            factors[i] = impact_factor(bar, bar.fill_price, world.terms)
    share = affordable_share(quantities, prices, factors, left, world)
    if share == 1.0:
        return
    world.closes[t].is_scaled = True
    for i in range(size):
        if quantities[i] > 0.0:
            position = world.positions[i]
            position.wanted = scaled(quantities[i], share, world.terms)
            world.closes[t].shortfall += (quantities[i] - position.wanted) * prices[i]
            note_missing(position, NO_CASH, world)


@compiled
def fill_weights(t: int, now: int, side: float, world: World) -> None:
    """Fill the wanted sales, or the wanted purchases, of target weights."""
    for i in range(world.positions.size):
        position = world.positions[i]
        if position.wanted * side > 0.0:
            k, price, why = position.intent, world.bars[t, i].fill_price, (now, TARGET, -1)
            if k >= 0:
                why = (now, MARKET, world.book[k].number)
            fill(t, i, position.wanted, price, (*why, position.decided), world)
            if k >= 0:
                note_fill(now, k, position.wanted, price, int(OPEN), world)


@compiled
def finish_weights(world: World) -> None:
    """Give the orders whose weights are no longer due their final status."""
    for i in range(world.positions.size):
        position = world.positions[i]
        if position.intent >= 0 and math.isnan(position.pending):
            order = world.book[position.intent]
            end_order(order, CANCELLED, order.why)
            if order.why == 0:
                order.status = FILLED
            position.intent = -1


@compiled
def trade_weights(t: int, now: int, world: World) -> None:
    """Move every due position to its weight of the equity left, sales first."""
    due = 0
    for i in range(world.positions.size):
        due += int(is_due(world.positions[i]))
    if due == 0:
        return
    equity = account_value(t, world)
    left = equity_left(t, equity, world)
    plan_weights(t, left, equity, world)
    fill_weights(t, now, -1.0, world)
    scale_purchases(t, left, world)
    fill_weights(t, now, 1.0, world)
    finish_weights(world)
