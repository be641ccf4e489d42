"""Lists of orders at Alpaca, and whose order a fill belongs to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from slices.live_trade.activities import REASONS
from slices.live_trade.fields import Fields, fields, rows
from slices.live_trade.wire import Wire, malformed
from slices.live_trade.wire_orders import legs

PAGE = 500
OURS = "tf-"


def is_ours(order: Fields) -> bool:
    """Tell whether an order bears a name of this system."""
    return order.text("client_order_id").startswith(OURS)


def all_orders(
    wire: Wire, *, status: str, nested: bool = False, symbol: str = ""
) -> tuple[Fields, ...]:
    """Read all orders of a status, oldest first, each once.

    Args:
        wire: Where to ask.
        status: `open` or `all`.
        nested: Whether exits are listed within the order that brought them.
        symbol: Of the orders; empty for all.

    Raises:
        BrokerError: The broker refuses or cannot be asked.
        MalformedAnswerError: The answer is not a list of orders, or never ends.
    """
    asked = {
        "status": status,
        "direction": "asc",
        "limit": str(PAGE),
        "nested": str(nested).lower(),
    }
    if symbol:
        asked["symbols"] = symbol
    found: dict[str, Fields] = {}
    while True:
        page = rows(wire.get("/orders", **asked), "an order")
        known = len(found)
        found |= {each.text("id"): each for each in page}
        if len(page) < PAGE:
            return tuple(found.values())
        if len(found) == known:
            raise malformed(f"orders: a page of {len(page)} that brings nothing new")
        # Orders of the same instant may lie on both sides of a page's end.
        last = page[-1].instant("submitted_at") - dt.timedelta(microseconds=1)
        asked["after"] = f"{last:%Y-%m-%dT%H:%M:%S.%fZ}"


@dataclass
class OrderNames:
    """Our names of the broker's orders; a bracket's exits go by the order that brought them."""

    wire: Wire
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)
    _exits: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    def of(self, activity: Fields) -> tuple[str, str]:
        """Return the name of the order that a fill belongs to, and why it was placed.

        Orders that others placed keep the name the broker has for them.
        """
        broker_id = activity.text("order_id")
        if broker_id not in self._known:
            self._known[broker_id] = self._asked(broker_id)
        return self._known[broker_id]

    def is_exit(self, order: Fields) -> bool:
        """Tell whether an order is the exit that one of ours brought with it."""
        return self._exit(order) is not None

    def _asked(self, broker_id: str) -> tuple[str, str]:
        order = fields(self.wire.get(f"/orders/{broker_id}"), f"order {broker_id}")
        if is_ours(order):
            return order.text("client_order_id"), order.text("type")
        return self._exit(order) or (order.text("client_order_id"), "not ordered here")

    def _exit(self, order: Fields) -> tuple[str, str] | None:
        if order.text("id") not in self._exits:
            entries = all_orders(self.wire, status="all", nested=True, symbol=order.text("symbol"))
            for entry in entries:
                self._learn(entry)
        return self._exits.get(order.text("id"))

    def _learn(self, entry: Fields) -> None:
        name = entry.text("client_order_id")
        self._exits[entry.text("id")] = None
        for leg in legs(entry):
            exit_of_ours = (name, REASONS.get(leg.text("type"), "trailing exit"))
            self._exits[leg.text("id")] = exit_of_ours if is_ours(entry) else None
