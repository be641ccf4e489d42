"""Trading orders: at market, at a limit, at a stop, with brackets.

The contract is that of `targets`: decided at close t, alive from the next session on, sales before
purchases, one factor where cash is short. A price beyond a level at the open fills at the open, a
touch within the session at the level, and stops come before limits where one bar reaches both.
Trailing stops follow the prices of sessions before. With closes alone every level is looked at at
the close and fills at that close, never at a price that was not observed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.inputs import (
    bars_of,
    check_actions,
    check_bars,
    check_capital,
    known_volatility,
    terms_of,
)
from slices.quant.simulation.records import ORDER, blank, opened
from slices.quant.simulation.running import lived, simulation_of, world_of
from slices.quant.simulation.targets import last_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.simulation.records import RecordArray
    from slices.quant.types import FloatArray


class OrderKind(StrEnum):
    """How an order wants to be filled; a stop becomes an order at market once it is reached."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class OrderStatus(StrEnum):
    """What has become of an order."""

    PENDING = "pending"
    FILLED = "filled"
    PARTLY_FILLED = "partly filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


KINDS, STATUSES = tuple(OrderKind), tuple(OrderStatus)
LIMITED = (OrderKind.LIMIT, OrderKind.STOP_LIMIT)
STOPPED = (OrderKind.STOP, OrderKind.STOP_LIMIT)
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
)
STILL_OPEN = 7


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """Exits that an entry brings with it; each is optional.

    They hold from the entry bar on and for the shares that their order opened. What another
    order sells first no longer needs them.

    Attributes:
        stop_loss: Fraction of the entry price that may be lost, above 0.
        take_profit: Fraction of the entry price to be gained, above 0.
        stop_loss_price: The same as a price.
        take_profit_price: The same as a price.
        trail: Fraction below the highest price since the entry, above it for a short position.
        most_sessions: Sessions after the entry's at whose fill price the position is closed.
    """

    stop_loss: float | None = None
    take_profit: float | None = None
    stop_loss_price: float | None = None
    take_profit_price: float | None = None
    trail: float | None = None
    most_sessions: int | None = None


@dataclass(frozen=True, kw_only=True)
class OrderIntent:
    """What a rule wants traded, decided at a close.

    Attributes:
        row: Session at whose close it was decided.
        column: Symbol.
        quantity: Signed shares; or else
        weight: the fraction of equity that the position is to become, costs reserved.
        limit_price: Worst price to accept.
        stop_price: Price at which a stop is set off.
        trail: Distance of a trailing stop from the best price, as a fraction of it.
        valid_sessions: Sessions it lives; None until it is cancelled.
        reduce_only: Whether it may only make a position smaller.
        bracket: Exits for what it opens.
    """

    row: int
    column: int
    quantity: float | None = None
    weight: float | None = None
    kind: OrderKind = OrderKind.MARKET
    limit_price: float | None = None
    stop_price: float | None = None
    trail: float | None = None
    valid_sessions: int | None = None
    reduce_only: bool = False
    bracket: Bracket | None = None


@dataclass(frozen=True, kw_only=True)
class OrderOutcome:
    """What became of one order.

    Attributes:
        filled_quantity: Signed shares, in those of the last session where shares were split.
        average_price: Before costs; NaN where nothing was filled.
        reason: Why it was not filled in full, in words; empty where it was.
    """

    status: OrderStatus
    filled_quantity: float
    average_price: float
    reason: str


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
    simulation = simulation_of(lived(world), capital=capital, ignored=ignored)
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


def check_order(intent: OrderIntent, *, sessions: int, symbols: int, rules: TradingRules) -> None:
    """Check that an order says what it needs and nothing that it cannot use.

    Raises:
        ParameterError: Naming the field.
    """
    _check_place("row", intent.row, sessions)
    _check_place("column", intent.column, symbols)
    _check_extent(intent, rules)
    needs_limit, needs_stop = intent.kind in LIMITED, intent.kind in STOPPED
    _check_level("limit_price", intent.limit_price, needed=needs_limit)
    _check_level("stop_price", intent.stop_price, needed=needs_stop)
    is_trailing = intent.kind is OrderKind.TRAILING_STOP
    _check_level("trail", intent.trail, needed=is_trailing, below=1.0)
    _check_count("valid_sessions", intent.valid_sessions)
    if intent.bracket is not None:
        _check_bracket(intent.bracket)


def _check_bracket(bracket: Bracket) -> None:
    _check_fraction("stop_loss", bracket.stop_loss, below=math.inf)
    _check_fraction("take_profit", bracket.take_profit, below=math.inf)
    _check_fraction("stop_loss_price", bracket.stop_loss_price, below=math.inf)
    _check_fraction("take_profit_price", bracket.take_profit_price, below=math.inf)
    _check_fraction("trail", bracket.trail, below=1.0)
    _check_count("most_sessions", bracket.most_sessions)
    for name in ("stop_loss", "take_profit"):
        if getattr(bracket, name) is not None and getattr(bracket, f"{name}_price") is not None:
            raise ParameterError(
                parameter=name, found="a fraction and a price", allowed="one of them"
            )


def _check_place(name: str, place: int, count: int) -> None:
    if not 0 <= place < count:
        raise ParameterError(parameter=name, found=str(place), allowed=f"0 to {count - 1}")


def _check_extent(intent: OrderIntent, rules: TradingRules) -> None:
    if (intent.quantity is None) == (intent.weight is None):
        found = "neither" if intent.quantity is None else "both"
        raise ParameterError(parameter="quantity and weight", found=found, allowed="one of them")
    if intent.quantity is not None:
        if not (math.isfinite(intent.quantity) and intent.quantity != 0):
            allowed = "shares other than 0"
            raise ParameterError(
                parameter="quantity", found=str(intent.quantity), allowed=allowed
            )
    elif intent.weight is not None and not abs(intent.weight) <= rules.gross_exposure:
        allowed = f"-{rules.gross_exposure:g} to {rules.gross_exposure:g}"
        raise ParameterError(parameter="weight", found=str(intent.weight), allowed=allowed)
    is_quantity_only = intent.reduce_only or intent.kind is OrderKind.TRAILING_STOP
    if intent.weight is not None and is_quantity_only:
        raise ParameterError(
            parameter="weight",
            found=f"{intent.weight:g} in an order that only reduces, or trails",
            allowed="a quantity",
        )


def _check_level(
    name: str, level: float | None, *, needed: bool, below: float = math.inf
) -> None:
    if needed != (level is not None):
        allowed = "a number for this kind of order" if needed else "nothing for this kind of order"
        raise ParameterError(parameter=name, found=str(level), allowed=allowed)
    _check_fraction(name, level, below=below)


def _check_fraction(name: str, value: float | None, *, below: float) -> None:
    if value is not None and not 0 < value < below:
        allowed = "more than 0" if below == math.inf else f"more than 0 and below {below:g}"
        raise ParameterError(parameter=name, found=str(value), allowed=allowed)


def _check_count(name: str, count: int | None) -> None:
    if count is not None and count < 1:
        raise ParameterError(parameter=name, found=str(count), allowed="at least 1")
