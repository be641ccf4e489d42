"""Compiled: the end of an account that is worth nothing.

An account is looked at twice in a session: at its fill prices, before and after what is filled
there, and at its close. Where it is worth 0 or less everything is closed at these prices, for
want of money free of costs, and what it owes beyond its value is written off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.quant.compiled import compiled
from slices.quant.simulation.endings import CANCELLED, RUINED, withdraw
from slices.quant.simulation.trading import account_value, close_free, value_price

if TYPE_CHECKING:
    from slices.quant.simulation.records import World
    from slices.quant.types import FloatArray

RUIN = 9
BEFORE_FILLS, AFTER_FILLS, AT_CLOSE = 0, 1, 2


@compiled
def write_off(now: int, world: World) -> None:
    """Leave an account without positions nothing, and withdraw its orders."""
    purse = world.purse[0]
    purse.ruined, purse.written_off, purse.cash = now, 0.0 - purse.cash, 0.0
    for a in range(purse.alive):
        withdraw(world.book[a].alive, CANCELLED, RUINED, world)


@compiled
def ruin_at_open(t: int, now: int, world: World) -> bool:
    """Close an account that is worth nothing at the fill prices; return whether it is ruined."""
    if world.purse[0].ruined < 0 and account_value(t, world) <= 0.0:
        for i in range(world.positions.size):
            close_free(now, i, value_price(t, i, world), RUIN, world)
        write_off(now, world)
    return world.purse[0].ruined >= 0


@compiled
def ruin_at_close(now: int, equity: float, world: World) -> None:
    """Close an account that is worth nothing at the marks."""
    if world.purse[0].ruined < 0 and equity <= 0.0:
        for i in range(world.positions.size):
            close_free(now, i, world.positions[i].mark, RUIN, world)
        write_off(now, world)


@compiled
def row_value(t: int, row: int, cash: FloatArray, shares: FloatArray, prices: FloatArray) -> float:
    """Value what the plain case holds after one session at the prices of another."""
    value = cash[row]
    for i in range(shares.shape[1]):
        value += shares[row, i] * prices[t, i]
    return float(value)


@compiled
def first_ruin(
    closes: FloatArray, prices: FloatArray, cash: FloatArray, shares: FloatArray
) -> tuple[int, int]:
    """Find the first point at which an account of the plain case is worth nothing.

    Args:
        closes: T x N.
        prices: T x N fill prices.
        cash: T amounts after each session.
        shares: T x N, likewise.

    Returns:
        The session, -1 where there is none, and whether that is before its fills, after them or
        at its close.
    """
    for t in range(cash.size):
        if t > 0 and row_value(t, t - 1, cash, shares, prices) <= 0.0:
            return t, BEFORE_FILLS
        if row_value(t, t, cash, shares, prices) <= 0.0:
            return t, AFTER_FILLS
        if row_value(t, t, cash, shares, closes) <= 0.0:
            return t, AT_CLOSE
    return -1, AT_CLOSE
