"""Compiled: the exits that come with an entry: stop loss, trailing stop, take profit, time limit.

A price beyond the level at the open fills at the open, a touch within the session at the level,
and the stop comes before the target where one bar reaches both. Brackets hold on the entry bar
too; of an entry within the session an uncertain stop counts as hit and an uncertain target does
not. A trailing stop follows the highs of sessions before, or lows for a short position.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.quant.compiled import compiled
from slices.quant.simulation.endings import CANCELLED, EXITED, withdraw
from slices.quant.simulation.trading import allowed, fill
from slices.quant.simulation.triggers import LIMITS, STOPS
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.simulation.records import Bar, Order, World

LATE = (STOPS, LIMITS)
STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, TIME_LIMIT = 5, 6, 4, 8


@compiled
def note_fill(now: int, k: int, quantity: float, price: float, touch: int, world: World) -> None:
    """Count a fill for its order; what it opens or adds to falls under the order's bracket."""
    order = world.book[k]
    shares = world.positions[order.column].shares
    order.filled += quantity
    order.paid += quantity * price
    if not order.is_bracket or shares * quantity <= 0.0:
        return
    part = quantity if abs(quantity) <= abs(shares) else shares
    if order.held == 0.0:
        order.entered, order.peak, order.entry, order.touch = now, price, 0.0, touch
    order.entry = (order.held * order.entry + part * price) / (order.held + part)
    order.held += part


@compiled
def stop_of(order: Order) -> tuple[float, int]:
    """Return the nearest stop of a bracket and its reason; NaN where it has none."""
    direction = 1.0 if order.held > 0.0 else -1.0
    level, reason = order.loss_price, STOP_LOSS
    if not math.isnan(order.loss):
        level = order.entry * (1.0 - direction * order.loss)
    trailing = order.peak * (1.0 - direction * order.bracket_trail)
    if math.isnan(level) or (trailing - level) * direction > 0.0:
        level, reason = trailing, TRAILING_STOP
    return level, reason


@compiled
def target_of(order: Order) -> float:
    """Return the level at which a bracket takes its profit; NaN where it has none."""
    if math.isnan(order.profit):
        return order.profit_price
    return order.entry * (1.0 + order.profit if order.held > 0.0 else 1.0 - order.profit)


@compiled
def exit_at_open(now: int, order: Order, bar: Bar) -> int:
    """Return why a bracket's position leaves at the fill price; -1 where it stays."""
    direction = 1.0 if order.held > 0.0 else -1.0
    stop, reason = stop_of(order)
    if order.leaving >= 0:
        return order.leaving
    if (stop - bar.fill_price) * direction >= 0.0:
        return reason
    if (bar.fill_price - target_of(order)) * direction >= 0.0:
        return TAKE_PROFIT
    return TIME_LIMIT if 0 <= order.most_sessions <= now - order.entered else -1


@compiled
def stop_touched(order: Order, bar: Bar) -> tuple[float, int]:
    """Return the price at which a stop fills within the session, and its reason; -1 where none."""
    level, reason = stop_of(order)
    start = bar.fill_price if order.touch == 0 else order.entry
    if order.held > 0.0 and bar.low <= level:
        return min(level, start), reason
    if order.held < 0.0 and bar.high >= level:
        return max(level, start), reason
    return 0.0, -1


@compiled
def target_touched(order: Order, bar: Bar) -> tuple[float, int]:
    """Return the price at which a profit is taken within the session; -1 where it is not."""
    level = target_of(order)
    start = bar.fill_price if order.touch == 0 else order.entry
    if order.touch < 2 and order.held > 0.0 and bar.high >= level:
        return max(level, start), TAKE_PROFIT
    if order.touch < 2 and order.held < 0.0 and bar.low <= level:
        return min(level, start), TAKE_PROFIT
    return 0.0, -1


@compiled
def is_guarded(order: Order, world: World) -> bool:
    """Return whether a bracket still has shares; forget those that were sold in another way."""
    shares = world.positions[order.column].shares
    if order.held * shares <= 0.0:
        order.held, order.leaving = 0.0, -1
    elif abs(shares) < abs(order.held):
        order.held = shares
    return order.held != 0.0


@compiled
def leave_bracket(t: int, now: int, k: int, price: float, reason: int, world: World) -> None:
    """Close what a bracket holds, and buy no more of it.

    What volume has no room for leaves at the next fill price.
    """
    order = world.book[k]
    i, position = order.column, world.positions[order.column]
    quantity = -order.held
    if abs(position.shares + quantity) <= TIE * abs(quantity):
        quantity = -position.shares
    cut = allowed(quantity, position, world.terms)
    order.leaving = reason
    withdraw(k, CANCELLED, EXITED, world)
    if cut != 0.0:
        fill(t, i, cut, price, (now, reason, order.number, order.row), world)
        order.held += cut
    if quantity == cut:
        order.held, order.leaving = 0.0, -1
    else:
        world.closes[t].shortfall += abs(quantity - cut) * price


@compiled
def leave_at_open(t: int, now: int, world: World) -> None:
    """Close what leaves at the fill price of the session."""
    for a in range(world.purse[0].alive):
        k = world.book[a].alive
        order = world.book[k]
        bar = world.bars[t, order.column]
        if world.positions[order.column].room > 0.0 and is_guarded(order, world):
            reason = exit_at_open(now, order, bar)
            if reason >= 0:
                leave_bracket(t, now, k, bar.fill_price, reason, world)


@compiled
def leave_touched(t: int, now: int, k: int, phase: int, world: World) -> None:
    """Close what a bracket holds where a price within the session reaches its stop, or target."""
    order = world.book[k]
    bar = world.bars[t, order.column]
    if order.leaving >= 0 or world.positions[order.column].room <= 0.0:
        return
    if is_guarded(order, world):
        price, reason = target_touched(order, bar)
        if phase == STOPS:
            price, reason = stop_touched(order, bar)
        if reason >= 0:
            leave_bracket(t, now, k, price, reason, world)


@compiled
def leave_within(t: int, now: int, phase: int, world: World) -> None:
    """Close what prices within the session close of positions that its open has seen."""
    for a in range(world.purse[0].alive):
        k = world.book[a].alive
        if world.book[k].touch == 0:
            leave_touched(t, now, k, phase, world)


@compiled
def leave_late(t: int, now: int, world: World) -> None:
    """Close what prices within the session close of positions entered within it, stops first."""
    for phase in LATE:
        for a in range(world.purse[0].alive):
            k = world.book[a].alive
            if world.book[k].touch > 0:
                leave_touched(t, now, k, phase, world)
