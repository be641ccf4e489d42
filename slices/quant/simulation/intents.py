"""Order intents: what a rule wants traded, and the checks that it makes sense."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError
from slices.domain.orders import Bracket, OrderKind

if TYPE_CHECKING:
    from slices.domain.parameters import TradingRules


class OrderStatus(StrEnum):
    """What has become of an order."""

    PENDING = "pending"
    FILLED = "filled"
    PARTLY_FILLED = "partly filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIMITED = (OrderKind.LIMIT, OrderKind.STOP_LIMIT)
STOPPED = (OrderKind.STOP, OrderKind.STOP_LIMIT)


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
            raise ParameterError(parameter="quantity", found=str(intent.quantity), allowed=allowed)
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


def _check_level(name: str, level: float | None, *, needed: bool, below: float = math.inf) -> None:
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
