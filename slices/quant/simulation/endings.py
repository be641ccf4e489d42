"""Compiled: how orders end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.quant.compiled import compiled

if TYPE_CHECKING:
    from slices.quant.simulation.records import Order, World

PENDING, FILLED, PARTLY_FILLED, CANCELLED, EXPIRED = 0, 1, 2, 3, 4
NOTHING_TO_REDUCE, REPLACED, SYMBOL_ENDED, NO_CASH = 1, 2, 3, 4
WHOLE_SHARES, TIME, EXITED, RUINED = 5, 6, 8, 9


@compiled
def end_order(order: Order, status: int, why: int) -> None:
    """Give an order its final status; one with fills is partly filled."""
    order.status = PARTLY_FILLED if order.filled != 0.0 else status
    order.why = why


@compiled
def withdraw(k: int, status: int, why: int, world: World) -> None:
    """End an order that still waits, and forget its target weight."""
    order = world.book[k]
    position = world.positions[order.column]
    if order.status == PENDING:
        end_order(order, status, why)
    if position.intent == k:
        position.pending, position.intent = math.nan, -1
