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
from slices.quant.simulation.ruin import ruin_at_close, ruin_at_open
from slices.quant.simulation.trading import close_free

if TYPE_CHECKING:
    from slices.quant.simulation.records import Bar, Terms, World

DELISTING = 7


@compiled
def hold_overnight(t: int, now: int, world: World) -> None:
    """Apply splits, pay interest, borrow fees and dividends; nothing before the first session.

    Interest is of cash without what short positions are worth: what they were sold for is the
    lender's collateral. Positive it earns `interest`, negative it costs `margin`.
    """
    purse, line, borrowed = world.purse[0], world.closes[t], 0.0
    for i in range(world.positions.size):
        position, bar = world.positions[i], world.bars[t, i]
        position.shares *= bar.split
        position.mark /= bar.split
        if position.shares < 0.0:
            borrowed -= position.shares * position.mark
        line.dividends += position.shares * bar.dividend
    if now > 0:
        free = purse.cash - borrowed
        line.interest = free * (world.terms.interest if free > 0.0 else world.terms.margin)
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
    """Close a position at its last mark: the data ends."""
    position = world.positions[i]
    close_free(now, i, position.mark, DELISTING, world)
    position.ended, position.pending = True, math.nan


@compiled
def marked_value(world: World) -> float:
    """Value the account at the marks."""
    value = world.purse[0].cash
    for i in range(world.positions.size):
        position = world.positions[i]
        if position.shares != 0.0:
            value += position.shares * position.mark
    return value


@compiled
def close_session(t: int, now: int, world: World) -> None:
    """Mark positions, let symbols that end leave, and write what the account is worth.

    One that is worth nothing is closed.
    """
    for i in range(world.positions.size):
        position, close = world.positions[i], world.bars[t, i].close
        if not math.isnan(close):
            position.mark = close
        if position.last == t:
            leave(now, i, world)
    equity = marked_value(world)
    ruin_at_close(now, equity, world)
    for i in range(world.positions.size):
        position = world.positions[i]
        world.shares[t, i], world.marks[t, i] = position.shares, position.mark
    world.closes[t].equity, world.closes[t].cash = max(equity, 0.0), world.purse[0].cash


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
    """Take in what was decided at a close: weights, then orders; of no use after ruin."""
    if world.purse[0].ruined < 0:
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
        if not ruin_at_open(t, now, world):
            trade_all(t, now, world)
        close_session(t, now, world)
        settle_orders(t, world)
        take_decisions(t, now, world)
    return sessions
