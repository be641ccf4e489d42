"""Which stops still guard a position, and which have had their day."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.stops.past import entry_of
from slices.domain.exact import price
from slices.domain.orders import OrderState
from slices.domain.stops import Stop, StopKind, StopStatus

if TYPE_CHECKING:
    import datetime as dt

    from slices.adaptive_portfolio.stops.past import Past
    from slices.domain.accounts import AccountBook, Position
    from slices.domain.stop_monitor import DefaultStop

DEFAULT = "default"


def end_of(stop: Stop, position: Position | None, past: Past) -> StopStatus | None:
    """Say how a stop has ended; None where it stands.

    It is done where its own exit was filled, here or by the bracket of its order, and cancelled
    where what it guarded is gone in any other way: sold, left by another stop, or never opened.
    """
    leaving = past.exit_order(stop)
    if stop.status is StopStatus.TRIGGERED and leaving is not None:
        if leaving.state is OrderState.FILLED:
            return StopStatus.DONE
        if leaving.state.is_open:
            return None
    if _guards(stop, position, past):
        return None
    return StopStatus.DONE if past.bracket_exits(stop) else StopStatus.CANCELLED


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
    return opening is None or _holds_what_was_opened(stop, position, past)


def _holds_what_was_opened(stop: Stop, position: Position, past: Past) -> bool:
    name = entry_of(stop)
    own = [each for each in past.fills if each.client_order_id == name]
    entries = [each.session for each in own if not each.is_exit]
    if not entries or position.opened > max(entries):
        return False
    return past.covers(stop, position) != 0


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
