"""Compiled: one session after the other, in the order in which things happen.

Splits; interest, borrow fees and dividends on what was held overnight; fills; the close, at which
positions are marked, symbols without a future leave, and the next decisions are taken in.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.quant.compiled import compiled
from slices.quant.simulation.endings import CANCELLED, REPLACED, withdraw
from slices.quant.simulation.ordering import settle_orders, split_orders, take_orders, trade_all

if TYPE_CHECKING:
    from slices.quant.simulation.records import Bar, Terms, World

DELISTING = 7


@compiled
def hold_overnight(t: int, now: int, world: World) -> None:
    """Apply splits, pay interest, borrow fees and dividends; nothing before the first session."""
    purse, line, borrowed = world.purse[0], world.closes[t], 0.0
    for i in range(world.positions.size):
        position, bar = world.positions[i], world.bars[t, i]
        position.shares *= bar.split
        position.mark /= bar.split
        if position.shares < 0.0:
            borrowed -= position.shares * position.mark
        line.dividends += position.shares * bar.dividend
    if now > 0:
        line.interest = max(purse.cash, 0.0) * world.terms.interest
        line.borrow = borrowed * world.terms.borrow
    purse.cash += line.interest - line.borrow + line.dividends


@compiled
def room_for(bar: Bar, terms: Terms) -> float:
    """Return how many shares of a symbol may be traded in this session.

    None without a bar; and where impact is charged none without the volume and volatility that
    it is worked out from.
    """
    is_priced = bar.volume > 0.0 and not math.isnan(bar.volatility)
    if math.isnan(bar.close) or (terms.impact > 0.0 and not is_priced):
        return 0.0
    if terms.volume_share == 1.0 or math.isnan(bar.volume):
        return math.inf
    room = terms.volume_share * bar.volume
    return float(math.floor(room)) if terms.whole else room


@compiled
def leave(now: int, i: int, world: World) -> None:
    """Close a position at its last mark, free of costs: the data ends, nobody trades."""
    purse, position = world.purse[0], world.positions[i]
    if position.shares != 0.0:
        line = world.tape[purse.fills]
        line.row, line.column, line.reason = now, i, DELISTING
        line.quantity, line.price = -position.shares, position.mark
        line.commission, line.spread, line.impact = 0.0, 0.0, 0.0
        line.order, line.decided = -1, now - 1
        purse.fills += 1
        purse.cash += position.shares * position.mark
        position.shares = 0.0
    position.ended, position.pending = True, math.nan


@compiled
def close_session(t: int, now: int, world: World) -> None:
    """Mark positions, let symbols that end leave, and write what the account is worth."""
    for i in range(world.positions.size):
        position, close = world.positions[i], world.bars[t, i].close
        if not math.isnan(close):
            position.mark = close
        if position.last == t:
            leave(now, i, world)
    equity = world.purse[0].cash
    for i in range(world.positions.size):
        position = world.positions[i]
        world.shares[t, i], world.marks[t, i] = position.shares, position.mark
        if position.shares != 0.0:
            equity += position.shares * position.mark
    world.closes[t].equity, world.closes[t].cash = equity, world.purse[0].cash


@compiled
def take_weights(t: int, now: int, world: World) -> None:
    """Let newer weights replace those that still wait; NaN leaves a position alone."""
    for i in range(world.positions.size):
        weight, position = world.targets[t, i], world.positions[i]
        if not math.isnan(weight) and not position.ended:
            if position.intent >= 0:
                withdraw(position.intent, CANCELLED, REPLACED, world)
            position.pending, position.decided, position.intent = weight, now, -1


@compiled
def take_decisions(t: int, now: int, world: World) -> None:
    """Take in what was decided at a close: weights, then orders."""
    take_weights(t, now, world)
    take_orders(now, world)


@compiled
def advance(first: int, shift: int, world: World) -> int:
    """Live through sessions until the bars end or the tape might.

    Args:
        first: Row of the bars to begin with.
        shift: Number of the session that row 0 is.
        world: Bars, costs and rules; the account, its books and its curves, which change.

    Returns:
        The row to go on with; the number of rows where all is done.
    """
    sessions, symbols = world.bars.shape
    for t in range(first, sessions):
        now = t + shift
        most = 2 * symbols + 3 * world.purse[0].alive
        if world.purse[0].fills + most > world.tape.size:
            return t
        hold_overnight(t, now, world)
        for i in range(symbols):
            world.positions[i].room = room_for(world.bars[t, i], world.terms)
        split_orders(t, world)
        trade_all(t, now, world)
        close_session(t, now, world)
        settle_orders(t, world)
        take_decisions(t, now, world)
    return sessions
