"""What fills and share actions make of a position; the same result in whatever order they arrive.

Within a session share actions come first, then fills by instant, then by fill id. Adding to a
position adds what was paid; reducing it takes out the same fraction of what was paid, rounded to
money; closing it takes out all. A fill that turns a position over closes it and opens another.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO, money, notional
from slices.domain.orders import Fill, ShareAction

if TYPE_CHECKING:
    from collections.abc import Iterable

Event = Fill | ShareAction


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A symbol's shares and what has become of earlier ones.

    Attributes:
        quantity: Signed shares; 0 where all were sold.
        basis: Money paid for them before costs, negative where received.
        realized_pnl: Money gained by shares that are gone, before costs.
        opened: Session of the fill that opened the position; None where there is none.
        newest: Place of the newest event in the order of events.
    """

    symbol: str
    quantity: Decimal = ZERO
    basis: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    opened: dt.date | None = None
    newest: str = ""


def place_of(event: Event) -> str:
    """Return a text that sorts events in the order in which they count."""
    is_fill = isinstance(event, Fill)
    name = event.fill_id if isinstance(event, Fill) else event.action_id
    instant = event.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return f"{event.session.isoformat()} {int(is_fill)} {instant} {name}"


def after(holding: Holding, event: Event) -> Holding:
    """Return the holding after a fill or a share action."""
    later = _filled(holding, event) if isinstance(event, Fill) else _restated(holding, event)
    return replace(later, newest=place_of(event))


def rebuilt_positions(fills: Iterable[Fill], actions: Iterable[ShareAction]) -> tuple[Holding, ...]:
    """Work every holding out from the first event on; symbols sorted."""
    holdings: dict[str, Holding] = {}
    events: list[Event] = [*fills, *actions]
    for event in sorted(events, key=place_of):
        before = holdings.get(event.symbol) or Holding(symbol=event.symbol)
        holdings[event.symbol] = after(before, event)
    return tuple(holdings[symbol] for symbol in sorted(holdings))


def _filled(holding: Holding, fill: Fill) -> Holding:
    held, value = holding.quantity, notional(fill.quantity, fill.price)
    if held == 0 or (held > 0) == (fill.quantity > 0):
        return replace(
            holding,
            quantity=held + fill.quantity,
            basis=holding.basis + value,
            opened=holding.opened if held else fill.session,
        )
    if abs(fill.quantity) < abs(held):
        part = money(holding.basis * -fill.quantity / held)
        return replace(
            holding,
            quantity=held + fill.quantity,
            basis=holding.basis - part,
            realized_pnl=holding.realized_pnl - value - part,
        )
    closing = notional(-held, fill.price) if fill.quantity != -held else value
    left = held + fill.quantity
    return replace(
        holding,
        quantity=left,
        basis=value - closing,
        realized_pnl=holding.realized_pnl - closing - holding.basis,
        opened=fill.session if left else None,
    )


def _restated(holding: Holding, action: ShareAction) -> Holding:
    """Add what the action added, so that a fill that arrives after it still counts before it."""
    quantity = holding.quantity + action.new_quantity - action.old_quantity
    if quantity:
        return replace(holding, quantity=quantity, opened=holding.opened or action.session)
    gone = holding.realized_pnl - holding.basis
    return replace(holding, quantity=ZERO, basis=ZERO, realized_pnl=gone, opened=None)
