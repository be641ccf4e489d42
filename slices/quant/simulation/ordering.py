"""Compiled: the life of orders, from the close they are decided at to their final status."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.compiled import compiled
from slices.quant.simulation.brackets import (
    is_guarded,
    leave_at_open,
    leave_late,
    leave_within,
    note_fill,
)
from slices.quant.simulation.endings import (
    CANCELLED,
    EXPIRED,
    FILLED,
    NO_CASH,
    NOTHING_TO_REDUCE,
    PENDING,
    REPLACED,
    RUINED,
    SYMBOL_ENDED,
    TIME,
    WHOLE_SHARES,
    end_order,
    withdraw,
)
from slices.quant.simulation.ruin import ruin_at_open
from slices.quant.simulation.sizing import coverable, sized, wanted_quantity
from slices.quant.simulation.trading import (
    account_value,
    affordable_share,
    allowed,
    fill,
    impact_factor,
    scaled,
)
from slices.quant.simulation.triggers import (
    LIMIT,
    MARKET,
    OPEN,
    PHASES,
    trigger_price,
)
from slices.quant.simulation.weighing import trade_weights
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.simulation.records import Order, World

REASONS = (1, 2, 3, 2, 4)
"""How the fills of each kind of order are recorded."""


@compiled
def expire_orders(now: int, world: World) -> None:
    """End orders whose time is over."""
    for a in range(world.purse[0].alive):
        k = world.book[a].alive
        order = world.book[k]
        if order.status == PENDING and 0 <= order.valid < now - order.row:
            withdraw(k, EXPIRED, TIME, world)


@compiled
def plan_order(t: int, k: int, phase: int, side: float, world: World) -> None:
    """Write what an order trades in this phase: nothing, or a quantity and a price."""
    order = world.book[k]
    position, bar = world.positions[order.column], world.bars[t, order.column]
    order.wanted = 0.0
    is_weight = math.isnan(order.quantity)
    if order.status != PENDING or position.room <= 0.0 or (is_weight and order.kind == MARKET):
        return
    expected = sized(t, order, bar.fill_price, world) if is_weight else order.quantity
    if expected * side <= 0.0:
        return
    price = trigger_price(order, bar, side, phase)
    if math.isnan(price):
        return
    if is_weight:
        order.quantity = sized(t, order, price, world)
        if order.quantity * side <= 0.0:
            order.quantity = math.nan
            return
    order.full, order.at = wanted_quantity(order, world), price
    order.wanted = allowed(order.full, position, world.terms)
    if order.full == 0.0:
        end_order(order, CANCELLED, NOTHING_TO_REDUCE)
    elif order.wanted == 0.0:
        end_order(order, CANCELLED, WHOLE_SHARES)


@compiled
def settle_fill(order: Order, quantity: float, room: float) -> None:
    """Give an order its status after a fill; what volume had no room for stays open."""
    if abs(quantity) < abs(order.wanted):
        end_order(order, CANCELLED, NO_CASH)
    elif abs(order.full) > room:
        order.triggered = order.triggered or order.kind != LIMIT
        order.rests = True
    elif abs(order.full - quantity) > TIE * abs(order.full):
        end_order(order, CANCELLED, WHOLE_SHARES)
    elif abs(order.quantity - order.filled) > TIE * abs(order.quantity):
        end_order(order, CANCELLED, NOTHING_TO_REDUCE)
    else:
        order.status = FILLED


@compiled
def fill_intent(t: int, now: int, k: int, share: float, phase: int, world: World) -> None:
    """Fill an order as far as cash, exposure and volume allow."""
    order = world.book[k]
    position, line = world.positions[order.column], world.closes[t]
    quantity, room = scaled(order.wanted, share, world.terms), position.room
    quantity = coverable(t, quantity, order, world)
    line.is_scaled = line.is_scaled or abs(quantity) < abs(order.wanted)
    line.shortfall += abs(order.full - quantity) * order.at
    if quantity == 0.0:
        end_order(order, CANCELLED, NO_CASH)
        return
    why = (now, REASONS[order.kind], order.number, order.row)
    fill(t, order.column, quantity, order.at, why, world)
    note_fill(now, k, quantity, order.at, phase, world)
    settle_fill(order, quantity, room)


@compiled
def purchase_share(t: int, world: World) -> float:
    """Return the share of all wanted purchases of orders that cash pays for."""
    alive = world.purse[0].alive
    quantities, prices, factors = np.zeros(alive), np.zeros(alive), np.zeros(alive)
    for a in range(alive):
        order = world.book[world.book[a].alive]
        if order.wanted > 0.0:
            quantities[a], prices[a] = order.wanted, order.at
            factors[a] = impact_factor(world.bars[t, order.column], order.at, world.terms)
    return affordable_share(quantities, prices, factors, account_value(t, world), world)


@compiled
def trade_orders(t: int, now: int, phase: int, side: float, world: World) -> None:
    """Fill the sales, or the purchases, of one phase of a session."""
    alive, planned = world.purse[0].alive, False
    for a in range(alive):
        k = world.book[a].alive
        plan_order(t, k, phase, side, world)
        planned = planned or world.book[k].wanted != 0.0
    if not planned:
        return
    share = purchase_share(t, world) if side > 0.0 else 1.0
    for a in range(alive):
        k = world.book[a].alive
        order = world.book[k]
        if order.wanted != 0.0:
            position = world.positions[order.column]
            order.wanted = allowed(order.wanted, position, world.terms)
            if order.wanted != 0.0:
                fill_intent(t, now, k, share, phase, world)


@compiled
def trade_all(t: int, now: int, world: World) -> None:
    """Live through a session's prices: the fill price, then stops, then limits."""
    if world.purse[0].alive == 0:
        trade_weights(t, now, world)
        ruin_at_open(t, now, world)
        return
    expire_orders(now, world)
    for phase in PHASES:
        if phase == OPEN:
            leave_at_open(t, now, world)
        else:
            leave_within(t, now, phase, world)
        trade_orders(t, now, phase, -1.0, world)
        if phase == OPEN:
            trade_weights(t, now, world)
        trade_orders(t, now, phase, 1.0, world)
        if phase == OPEN:
            ruin_at_open(t, now, world)
    leave_late(t, now, world)


@compiled
def split_orders(t: int, world: World) -> None:
    """Restate orders and brackets in new shares."""
    for a in range(world.purse[0].alive):
        order = world.book[world.book[a].alive]
        ratio = world.bars[t, order.column].split
        if ratio != 1.0:
            order.quantity *= ratio
            order.filled *= ratio
            order.held *= ratio
            order.limit /= ratio
            order.stop /= ratio
            order.loss_price /= ratio
            order.profit_price /= ratio
            order.extreme /= ratio
            order.peak /= ratio
            order.entry /= ratio


@compiled
def follow_prices(t: int, order: Order, world: World) -> None:
    """Let trailing stops follow the session's prices, for the sessions that come."""
    bar = world.bars[t, order.column]
    if math.isnan(bar.close):
        return
    if math.isnan(order.extreme):
        order.extreme = bar.close
    sells = order.quantity < 0.0
    order.extreme = max(order.extreme, bar.high) if sells else min(order.extreme, bar.low)
    high = bar.high if order.touch < 2 else bar.close
    low = bar.low if order.touch < 2 else bar.close
    order.peak = max(order.peak, high) if order.held > 0.0 else min(order.peak, low)
    order.touch, order.rests = 0, order.triggered


@compiled
def settle_orders(t: int, world: World) -> None:
    """After the close keep the orders that are alive, or whose brackets are."""
    purse, kept = world.purse[0], 0
    for a in range(purse.alive):
        k = world.book[a].alive
        order = world.book[k]
        if order.status == PENDING and world.positions[order.column].ended:
            withdraw(k, CANCELLED, SYMBOL_ENDED, world)
        follow_prices(t, order, world)
        if order.status == PENDING or is_guarded(order, world):
            world.book[kept].alive = k
            kept += 1
    purse.alive = kept


@compiled
def take_order(now: int, k: int, world: World) -> None:
    """Take an order in; a target weight at market replaces the one that waits."""
    order = world.book[k]
    position = world.positions[order.column]
    order.extreme = position.mark
    if position.ended or world.purse[0].ruined >= 0:
        end_order(order, CANCELLED, SYMBOL_ENDED if position.ended else RUINED)
        return
    if order.kind == MARKET and math.isnan(order.quantity):
        if position.intent >= 0:
            withdraw(position.intent, CANCELLED, REPLACED, world)
        position.pending, position.decided, position.intent = order.weight, now, k
    world.book[world.purse[0].alive].alive = k
    world.purse[0].alive += 1


@compiled
def take_orders(now: int, world: World) -> None:
    """Take in what was decided at this close."""
    purse = world.purse[0]
    while purse.taken < world.book.size and world.book[purse.taken].row <= now:
        take_order(now, purse.taken, world)
        purse.taken += 1
