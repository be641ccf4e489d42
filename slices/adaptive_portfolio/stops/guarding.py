"""How far the stops of a position sell it, and what they leave without a stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO
from slices.domain.stop_monitor import Unguarded

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.stop_monitor import StopReading
    from slices.domain.trading import OrderPlan

Shares = Mapping[str, Decimal]
"""Signed shares held by symbol."""


def unguarded_of(held: Shares, readings: tuple[StopReading, ...]) -> dict[str, Decimal]:
    """Return the signed shares of every position that no stop sells; 0 where all are guarded."""
    parts: dict[str, dict[str, Decimal]] = {each: {} for each in held}
    for each in readings:
        parts[each.stop.symbol][each.entry] = abs(each.quantity)
    return {
        symbol: max(ZERO, abs(shares) - sum(parts[symbol].values(), ZERO)).copy_sign(shares)
        for symbol, shares in held.items()
    }


def unguarded_shares(
    book: AccountBook, held: Shares, readings: tuple[StopReading, ...]
) -> tuple[Unguarded, ...]:
    """List what is held without a stop."""
    loose, equity = unguarded_of(held, readings), float(book.equity)
    return tuple(
        Unguarded(
            symbol=each.symbol,
            shares=loose[each.symbol],
            weight=math.nan
            if equity <= 0
            else float(abs(each.value) * loose[each.symbol] / each.quantity) / equity,
            is_whole=loose[each.symbol] == each.quantity,
        )
        for each in book.positions
        if loose[each.symbol]
    )


def after_exits(
    held: Shares,
    readings: tuple[StopReading, ...],
    leaving: tuple[StopReading, ...],
    plans: tuple[OrderPlan, ...],
) -> tuple[dict[str, Decimal], tuple[StopReading, ...]]:
    """Return what is held, and the stops that still guard it, once all exits are filled."""
    kept = dict(held)
    for plan in plans:
        for order in plan.orders:
            kept[order.symbol] += order.side.sign * (order.quantity or ZERO)
    gone = {(each.stop.symbol, each.entry) for each in leaving}
    return kept, tuple(e for e in readings if (e.stop.symbol, e.entry) not in gone)


def stop_losses(held: Shares, readings: tuple[StopReading, ...]) -> float:
    """Return the money lost down to the nearest stops, each share counted once."""
    left = {symbol: abs(float(shares)) for symbol, shares in held.items()}
    known = [each for each in readings if each.at_risk >= 0 and each.quantity]
    used: dict[tuple[str, str], float] = {}
    lost = 0.0
    for each in sorted(known, key=_per_share):
        symbol, part = each.stop.symbol, (each.stop.symbol, each.entry)
        free = abs(float(each.quantity)) - used.get(part, 0.0)
        taken = max(0.0, min(free, left[symbol]))
        used[part] = used.get(part, 0.0) + taken
        left[symbol] -= taken
        lost += taken * _per_share(each)
    return lost


def _per_share(reading: StopReading) -> float:
    return reading.at_risk / abs(float(reading.quantity))
