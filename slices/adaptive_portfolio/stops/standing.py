"""Which stops still guard a position, and which have had their day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO, price
from slices.domain.orders import Fill, OrderRecord, OrderState, ShareAction
from slices.domain.stop_monitor import StopExit
from slices.domain.stops import Stop, StopKind, StopStatus
from slices.ledger.booking import actions_of, fills_of
from slices.ledger.orders import orders_of

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook, Position
    from slices.domain.stop_monitor import DefaultStop
    from slices.ledger.opening import Ledger

WORKFLOW = "stop_loss_monitor"
DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class Past:
    """What happened to an account that its stops depend on."""

    orders: tuple[OrderRecord, ...]
    fills: tuple[Fill, ...]
    actions: tuple[ShareAction, ...]

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
        name = stop.stop_id.partition(":")[0]
        return next((e for e in self.orders if e.order.client_order_id == name), None)

    def ratio(self, stop: Stop) -> float:
        """Return what a price of when it was armed is worth in prices of now."""
        restated = (
            each.old_quantity / each.new_quantity
            for each in self.actions
            if each.symbol == stop.symbol and each.session > stop.armed and each.new_quantity
        )
        return float(math.prod(restated, start=Decimal(1)))


def past_of(ledger: Ledger, account: str) -> Past:
    """Read what happened to an account."""
    return Past(
        orders=orders_of(ledger, account),
        fills=fills_of(ledger, account),
        actions=actions_of(ledger, account),
    )


def end_of(stop: Stop, position: Position | None, past: Past) -> StopStatus | None:
    """Say how a stop has ended; None where it stands.

    It is done where its own exit was filled, and cancelled where the position it guarded is gone
    in any other way: sold, closed by its bracket, or never opened.
    """
    leaving = past.exit_order(stop)
    if stop.status is StopStatus.TRIGGERED and leaving is not None:
        if leaving.state is OrderState.FILLED:
            return StopStatus.DONE
        if leaving.state.is_open:
            return None
    return None if _guards(stop, position, past) else StopStatus.CANCELLED


def is_waiting(stop: Stop, position: Position | None, past: Past) -> bool:
    """Tell whether the order that opens its position may still be filled, and has not been."""
    opening = past.opening_order(stop)
    is_open = opening is not None and opening.state.is_open and opening.filled_quantity == 0
    return position is None or is_open


def _guards(stop: Stop, position: Position | None, past: Past) -> bool:
    opening = past.opening_order(stop)
    if opening is not None and opening.state.is_open:
        return True
    if position is None:
        return False
    if stop.stop_id.startswith(f"{DEFAULT}:"):
        return position.opened.isoformat() in stop.stop_id
    return opening is None or _holds_what_was_opened(opening, position, past)


def _holds_what_was_opened(opening: OrderRecord, position: Position, past: Past) -> bool:
    name = opening.order.client_order_id
    own = [each for each in past.fills if each.client_order_id == name]
    entries = [each.session for each in own if not each.is_exit]
    if not entries or position.opened > max(entries):
        return False
    has_left = any(each.is_exit for each in own)
    return not (has_left and sum((each.quantity for each in own), ZERO) == 0)


def default_stop_for(
    position: Position, account: str, rule: DefaultStop, *, session: dt.date
) -> Stop | None:
    """Make the stop a position without one gets; None where the rule gives none.

    It is named by the position, so that it is recorded once.

    Args:
        position: What it guards.
        account: Whose.
        rule: Kind and number.
        session: From whose close on it holds.
    """
    if rule.kind == "none":
        return None
    kind = StopKind(rule.kind)
    sign = Decimal(1 if position.quantity > 0 else -1)
    distance = 1 - sign * Decimal(repr(rule.fraction))
    return Stop(
        stop_id=f"{DEFAULT}:{account}:{position.symbol}:{position.opened}:{kind}",
        account=account,
        symbol=position.symbol,
        kind=kind,
        level=price(position.average_price * distance) if kind is StopKind.FIXED else None,
        trail=rule.fraction if kind is StopKind.TRAILING else None,
        multiple=rule.multiple if kind is StopKind.ATR else None,
        most_sessions=rule.most_sessions if kind is StopKind.TIME else None,
        armed=session,
    )


def unguarded(book: AccountBook, stops: tuple[Stop, ...]) -> tuple[Position, ...]:
    """List the positions that no stop guards."""
    guarded = {each.symbol for each in stops}
    return tuple(each for each in book.positions if each.symbol not in guarded)


def exit_of(stop: Stop, past: Past) -> StopExit | None:
    """Tell what an exit brought, against what its stop promised; None where it was not filled."""
    names = {
        each.order.client_order_id
        for each in past.orders
        if each.order.workflow == WORKFLOW and each.order.strategy == stop.stop_id
    }
    fills = [each for each in past.fills if each.client_order_id in names]
    shares = float(sum((each.quantity for each in fills), ZERO))
    if not shares:
        return None
    paid = float(sum((each.quantity * each.price for each in fills), ZERO)) / shares
    level = _level_then(stop, past, fills[-1].session)
    beyond = math.copysign(1.0, -shares) * (level - paid)
    return StopExit(
        stop_id=stop.stop_id,
        symbol=stop.symbol,
        kind=stop.kind,
        triggered=stop.triggered,
        filled=fills[-1].session,
        quantity=shares,
        level=level,
        price=paid,
        beyond=beyond / level,
        beyond_money=beyond * abs(shares),
        costs=float(sum((each.costs for each in fills), ZERO)),
    )


def _level_then(stop: Stop, past: Past, filled: dt.date) -> float:
    """Return the level at which it was hit in the prices of the fill."""
    if stop.triggered is None or stop.triggered_level is None:
        return math.nan
    hit = stop.triggered
    restated = (
        each.old_quantity / each.new_quantity
        for each in past.actions
        if each.symbol == stop.symbol and hit < each.session <= filled and each.new_quantity
    )
    return float(stop.triggered_level * math.prod(restated, start=Decimal(1)))
