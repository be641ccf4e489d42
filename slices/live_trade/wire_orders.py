"""Orders in Alpaca's words: out as fields of text, back as what the broker says of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.brokers import BrokerOrder
from slices.domain.errors import ParameterError
from slices.domain.exact import ZERO
from slices.domain.orders import OrderKind, OrderState
from slices.live_trade.fields import Fields, rows
from slices.live_trade.wire import malformed

if TYPE_CHECKING:
    from slices.domain.orders import Bracket, Order

OPEN_STATUSES = frozenset(
    {
        "new", "accepted", "pending_new", "accepted_for_bidding", "pending_cancel",
        "pending_replace", "pending_review", "held", "stopped", "suspended", "calculated",
        "done_for_day", "partially_filled",
    }
)  # fmt: skip
FINAL_STATUSES = {
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "replaced": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
UNSUPPORTED_EXITS = ("stop_loss", "take_profit", "trail", "most_sessions")


def order_fields(order: Order) -> dict[str, object]:
    """Write an order as Alpaca takes it; every number is text, as exact as it was decided.

    Raises:
        ParameterError: Naming what this broker does not take.
    """
    if order.target_weight is not None:
        raise _unsupported("target_weight", order.target_weight, "an order in shares")
    if not order.quantity > ZERO:
        raise _unsupported("quantity", order.quantity, "shares above 0")
    asked: dict[str, object] = {
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.kind.value,
        "qty": plain(order.quantity),
        "client_order_id": order.client_order_id,
        "time_in_force": _time_in_force(order),
    }
    return asked | _prices(order) | (_exits(order.bracket) if order.bracket else {})


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without zeros at its end.

    >>> plain(Decimal("120.500000000")), plain(Decimal("100"))
    ('120.5', '100')
    """
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def order_answer(order: Fields) -> BrokerOrder:
    """Read what the broker says of an order.

    Raises:
        MalformedAnswerError: Where something is missing, or a state is not known here.
    """
    filled = order.shares("filled_qty")
    if filled < ZERO:
        raise malformed(f"{order.what}: filled_qty is {filled}")
    return BrokerOrder(
        client_order_id=order.text("client_order_id"),
        broker_order_id=order.text("id"),
        state=_state(order, filled),
        symbol=order.text("symbol"),
        filled_quantity=filled,
        average_price=order.price("filled_avg_price") if filled else None,
        reason="" if order.text("status") in OPEN_STATUSES | {"filled"} else order.text("status"),
    )


def legs(order: Fields) -> tuple[Fields, ...]:
    """Return the exits that were placed with an order."""
    return rows(order.values.get("legs") or [], "a leg")


def _state(order: Fields, filled: Decimal) -> OrderState:
    status = order.text("status")
    if status in OPEN_STATUSES:
        return OrderState.PARTLY_FILLED if filled else OrderState.ACCEPTED
    if status in FINAL_STATUSES:
        return FINAL_STATUSES[status]
    raise malformed(f"{order.what}: its status is {status!r}, which is not known here")


def _time_in_force(order: Order) -> str:
    if order.bracket is not None:
        return "gtc"  # with `day` the exits would lapse with the session
    if order.kind is OrderKind.MARKET or order.valid_sessions == 1:
        return "day"
    if order.valid_sessions is None:
        return "gtc"
    raise _unsupported("valid_sessions", order.valid_sessions, "1, or none for until cancelled")


def _prices(order: Order) -> dict[str, object]:
    asked: dict[str, object] = {}
    if order.kind in (OrderKind.LIMIT, OrderKind.STOP_LIMIT):
        asked["limit_price"] = _price(order.limit_price, "limit_price")
    if order.kind in (OrderKind.STOP, OrderKind.STOP_LIMIT):
        asked["stop_price"] = _price(order.stop_price, "stop_price")
    if order.kind is OrderKind.TRAILING_STOP:
        if order.trail is None or not 0 < order.trail < 1:
            raise _unsupported("trail", order.trail, "a fraction between 0 and 1")
        asked["trail_percent"] = plain(100 * Decimal(repr(order.trail)))
    return asked


def _price(price: Decimal | None, name: str) -> str:
    if price is None or not price > ZERO:
        raise _unsupported(name, price, "a price above 0")
    return plain(price)


def _exits(bracket: Bracket) -> dict[str, object]:
    for name in UNSUPPORTED_EXITS:
        if getattr(bracket, name) is not None:
            raise _unsupported(
                f"bracket.{name}", getattr(bracket, name), "stop_loss_price, take_profit_price"
            )
    prices = {
        "stop_loss": ("stop_price", bracket.stop_loss_price),
        "take_profit": ("limit_price", bracket.take_profit_price),
    }
    exits: dict[str, object] = {
        name: {field: plain(Decimal(repr(price)))}
        for name, (field, price) in prices.items()
        if price is not None
    }
    return {"order_class": "bracket" if len(exits) == 2 else "oto", **exits} if exits else {}


def _unsupported(name: str, found: object, allowed: str) -> ParameterError:
    return ParameterError(parameter=name, found=str(found), allowed=f"{allowed} (broker alpaca)")
