"""Trading orders: at market, at a limit, at a stop, with brackets.

The contract is that of `targets`: decided at close t, alive from the next session on, sales before
purchases, one factor where cash is short. A price beyond a level at the open fills at the open, a
touch within the session at the level, and stops come before limits where one bar reaches both.
Trailing stops follow the prices of sessions before. With closes alone every level is looked at at
the close and fills at that close, never at a price that was not observed. Ruin cancels every order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.orders import Bracket, OrderKind
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.inputs import (
    bars_of,
    check_actions,
    check_bars,
    check_capital,
    known_volatility,
    terms_of,
)
from slices.quant.simulation.intents import OrderIntent, OrderOutcome, OrderStatus, check_order
from slices.quant.simulation.records import ORDER, blank, opened
from slices.quant.simulation.running import lived, simulation_of, world_of
from slices.quant.simulation.targets import last_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.simulation.records import RecordArray
    from slices.quant.types import FloatArray

__all__ = [
    "Bracket",
    "OrderIntent",
    "OrderKind",
    "OrderOutcome",
    "OrderSimulation",
    "OrderStatus",
    "simulate_orders",
]

KINDS, STATUSES = tuple(OrderKind), tuple(OrderStatus)
REASONS = (
    "",
    "there was no position to reduce",
    "a newer decision replaced it",
    "the symbol's bars end",
    "cash or gross exposure did not allow it",
    "less than a whole share",
    "its time was over",
    "still open at the end",
    "its bracket closed the position",
    "the account was ruined",
    "it was cancelled",
)
STILL_OPEN, CANCELLED_BY_HAND = 7, 10


@dataclass(frozen=True, kw_only=True, eq=False)
class OrderSimulation(Simulation):
    """What became of a sequence of orders.

    Attributes:
        outcomes: One for each order, in the order in which they were given.
    """

    outcomes: tuple[OrderOutcome, ...]


def simulate_orders(
    panel: Panel,
    orders: Sequence[OrderIntent],
    *,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    dividends: FloatArray | None = None,
    splits: FloatArray | None = None,
) -> OrderSimulation:
    """Simulate an account that trades orders.

    Weights at market are solved together, as `simulate_targets` does; a weight with another kind
    is sized when its level is reached. A sale that opens a short position is cut to what
    `rules.gross_exposure` leaves room for.

    Args:
        panel: T sessions x N symbols of bars.
        orders: In any order; those of one session are looked at as they are given.
        costs: Of every fill, and of holding.
        rules: What may be traded. Where `volume_share` is below 1, all fills of a symbol in a
            session take at most this share of its volume, where that is known; the rest of an
            order stays open.
        capital: Cash before the first session, positive.
        dividends: T x N cash per new share on the ex-date; shorts pay.
        splits: T x N new shares for one old, applied before the open, also to orders.

    Raises:
        BadDataError: Where a bar has a price that is not positive, or actions are not allowed.
        MissingColumnsError: Where impact is charged and there is no volume.
        ParameterError: Naming what is not allowed about an order, or about the capital.
    """
    check_capital(capital)
    check_bars(panel)
    check_actions(panel.close.shape, dividends=dividends, splits=splits)
    sessions, symbols = panel.close.shape
    for intent in orders:
        check_order(intent, sessions=sessions, symbols=symbols, rules=rules)
    book = book_of(orders)
    purse, positions = opened(symbols, capital)
    positions["last"] = last_rows(panel.close)
    world = world_of(
        bars_of(
            panel,
            volatility=known_volatility(panel, costs, splits=splits),
            dividends=dividends,
            splits=splits,
        ),
        terms_of(costs, rules, periods_per_year=panel.periods_per_year),
        purse=purse,
        positions=positions,
        book=book,
        targets=None,
    )
    ignored = np.zeros((0, 2), dtype=np.int64)
    simulation = simulation_of(lived(world), capital=capital, ignored=ignored, splits=splits)
    parts = {each.name: getattr(simulation, each.name) for each in fields(simulation)}
    return OrderSimulation(**parts, outcomes=outcomes_of(book))


def book_of(orders: Sequence[OrderIntent], *, first: int = 0) -> RecordArray:
    """Write checked orders as records, by session of decision; numbers begin at `first`."""
    book = blank(ORDER, len(orders))
    by_session = sorted(range(len(orders)), key=lambda place: orders[place].row)
    for record, place in zip(book, by_session, strict=True):
        _write(record, orders[place], first + place)
    return book


def _write(record: np.record, intent: OrderIntent, number: int) -> None:
    bracket = intent.bracket or Bracket()
    values: dict[str, float | None] = {
        "quantity": intent.quantity,
        "weight": intent.weight,
        "limit": intent.limit_price,
        "stop": intent.stop_price,
        "trail": intent.trail,
        "loss": bracket.stop_loss,
        "loss_price": bracket.stop_loss_price,
        "profit": bracket.take_profit,
        "profit_price": bracket.take_profit_price,
        "bracket_trail": bracket.trail,
    }
    for name, value in values.items():
        record[name] = math.nan if value is None else value
    record["number"], record["row"], record["column"] = number, intent.row, intent.column
    record["kind"] = KINDS.index(intent.kind)
    record["valid"] = -1 if intent.valid_sessions is None else intent.valid_sessions
    record["most_sessions"] = -1 if bracket.most_sessions is None else bracket.most_sessions
    record["reduces"] = intent.reduce_only
    record["is_bracket"] = intent.bracket is not None
    record["leaving"] = -1


def outcomes_of(book: RecordArray) -> tuple[OrderOutcome, ...]:
    """Read what has become of the orders of a book, by number."""
    return tuple(_outcome(record) for record in np.sort(book, order="number"))


def _outcome(record: np.void) -> OrderOutcome:
    status, why, filled = STATUSES[record["status"]], int(record["why"]), float(record["filled"])
    if status is OrderStatus.PENDING:
        why = STILL_OPEN
        status = OrderStatus.PARTLY_FILLED if filled else status
    return OrderOutcome(
        status=status,
        filled_quantity=filled,
        average_price=float(record["paid"]) / filled if filled else math.nan,
        reason="" if status is OrderStatus.FILLED else REASONS[why],
    )
