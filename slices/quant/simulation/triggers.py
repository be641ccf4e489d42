"""Compiled: whether a session's prices reach an order, and at which price it then fills.

Beyond the level at the open fills at the open, a touch within the session at the level.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.simulation.records import Bar, Order

OPEN, STOPS, LIMITS = PHASES = (0, 1, 2)
"""A session's phases: its fill price, then prices within it, stops before limits."""

MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING_STOP = 0, 1, 2, 3, 4


@compiled
def stop_level(order: Order, direction: float) -> float:
    """Return the price that sets a stop off."""
    if order.kind == TRAILING_STOP:
        return order.extreme * (1.0 + direction * order.trail)
    return order.stop


@compiled
def stop_price(order: Order, bar: Bar, direction: float, phase: int) -> float:
    """Return the price at which a stop is set off in this phase; NaN where it is not."""
    level = stop_level(order, direction)
    if phase == OPEN:
        return bar.fill_price if (bar.fill_price - level) * direction >= 0.0 else math.nan
    return level if phase == STOPS and bar.low <= level <= bar.high else math.nan


@compiled
def limit_price(order: Order, bar: Bar, direction: float, phase: int) -> float:
    """Return the price at which a limit is met in this phase; NaN where it is not."""
    if phase == OPEN:
        return bar.fill_price if (order.limit - bar.fill_price) * direction >= 0.0 else math.nan
    return order.limit if phase == LIMITS and bar.low <= order.limit <= bar.high else math.nan


@compiled
def stop_limit_price(order: Order, bar: Bar, direction: float, phase: int) -> float:
    """Return the price at which a limit that rests once its stop is set off is met.

    A limit set off within the session is met at once or, as nobody knows what came later, not
    before the next session.
    """
    if order.triggered:
        return limit_price(order, bar, direction, phase) if order.rests else math.nan
    price = stop_price(order, bar, direction, phase)
    if math.isnan(price):
        return math.nan
    order.triggered, order.rests = True, phase == OPEN
    return price if (order.limit - price) * direction >= 0.0 else math.nan


@compiled
def trigger_price(order: Order, bar: Bar, direction: float, phase: int) -> float:
    """Return the price at which an order fills in this phase; NaN where it does not."""
    if order.kind == STOP_LIMIT:
        return stop_limit_price(order, bar, direction, phase)
    if order.kind == LIMIT:
        return limit_price(order, bar, direction, phase)
    if order.kind == MARKET or order.triggered:
        return bar.fill_price if phase == OPEN else math.nan
    return stop_price(order, bar, direction, phase)
