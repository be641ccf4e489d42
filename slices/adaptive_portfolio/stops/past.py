"""What happened to an account that its stops depend on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO, quantity
from slices.domain.orders import Fill, OrderRecord, ShareAction
from slices.domain.stops import Stop, StopKind
from slices.ledger.booking import actions_of, fills_of
from slices.ledger.orders import orders_of
from slices.ledger.stops import stops_of

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import Position
    from slices.ledger.opening import Ledger

WORKFLOW = "stop_loss_monitor"
FIRED = {
    "stop loss": (StopKind.FIXED, StopKind.ATR, StopKind.TRAILING),
    "trailing exit": (StopKind.TRAILING, StopKind.ATR),
    "take profit": (StopKind.TARGET,),
    "time limit": (StopKind.TIME,),
}
"""Which recorded stop a bracket's exit belongs to: the first kind that there is."""


def entry_of(stop: Stop) -> str:
    """Return the name of the order a stop came with, as far as its own name tells it."""
    return stop.stop_id.partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class Past:
    """What happened to an account that its stops depend on."""

    orders: tuple[OrderRecord, ...]
    fills: tuple[Fill, ...]
    actions: tuple[ShareAction, ...]
    stops: tuple[Stop, ...]

    def exit_order(self, stop: Stop) -> OrderRecord | None:
        """Return the newest order that was to leave because of a stop, or None."""
        own = [
            each
            for each in self.orders
            if each.order.workflow == WORKFLOW and each.order.strategy == stop.stop_id
        ]
        return own[-1] if own else None

    def opening_order(self, stop: Stop) -> OrderRecord | None:
        """Return the order a stop was recorded with, or None where a person or a rule did."""
        name = entry_of(stop)
        return next((e for e in self.orders if e.order.client_order_id == name), None)

    def ratio(self, stop: Stop) -> float:
        """Return what a price of when it was armed is worth in prices of now."""
        return float(1 / self.shares_since(stop.symbol, stop.armed))

    def shares_since(self, symbol: str, session: dt.date) -> Decimal:
        """Return what became of one share held at the close of a session, by splits alone."""
        restated = (
            each.new_quantity / each.old_quantity
            for each in self.actions
            if each.symbol == symbol and each.session > session
            if each.new_quantity and each.old_quantity
        )
        return math.prod(restated, start=Decimal(1))

    def bracket_held(self, stop: Stop) -> Decimal | None:
        """Return the signed shares that the bracket of its order holds; None without a bracket.

        What this monitor has sold of them counts as gone.
        """
        opening = self.opening_order(stop)
        if opening is None or opening.order.bracket is None:
            return None
        name = entry_of(stop)
        own = {name} | {
            each.order.client_order_id
            for each in self.orders
            if each.order.workflow == WORKFLOW and each.order.strategy.startswith(f"{name}:")
        }
        parts = (
            each.quantity * self.shares_since(each.symbol, each.session)
            for each in self.fills
            if each.client_order_id in own
        )
        return quantity(sum(parts, ZERO))

    def covers(self, stop: Stop, position: Position | None) -> Decimal | None:
        """Return the shares of a position that a stop sells; None where it sells all of it."""
        held = self.bracket_held(stop)
        if held is None or position is None:
            return held
        return min(abs(held), abs(position.quantity)) if held * position.quantity > 0 else ZERO

    def bracket_exits(self, stop: Stop) -> tuple[Fill, ...]:
        """List the fills by which the bracket of its order left because of this stop."""
        name = entry_of(stop)
        fills = [e for e in self.fills if e.client_order_id == name and e.is_exit]
        if not fills:
            return ()
        own = [each for each in self.stops if entry_of(each) == name]
        kinds = FIRED.get(fills[-1].reason, ())
        fired = next((e for kind in kinds for e in own if e.kind is kind), None)
        return tuple(fills) if fired is not None and fired.stop_id == stop.stop_id else ()


def past_of(ledger: Ledger, account: str) -> Past:
    """Read what happened to an account."""
    return Past(
        orders=orders_of(ledger, account),
        fills=fills_of(ledger, account),
        actions=actions_of(ledger, account),
        stops=stops_of(ledger, account),
    )
