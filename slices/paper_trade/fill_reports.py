"""Fills of the simulation, told in exact numbers.

Quantities are differences of rounded holdings, so that they add up to what is held to the last
unit. What completes an order for so many shares makes them exactly as many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.exact import ZERO, money, price, quantity
from slices.domain.orders import Fill, OrderKind
from slices.quant.simulation.account import FillReason
from slices.quant.simulation.intents import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from slices.paper_trade.reporting import Session
    from slices.paper_trade.venue_state import VenueOrder

EXITS = {
    FillReason.STOP_LOSS: "stop loss",
    FillReason.TAKE_PROFIT: "take profit",
    FillReason.TRAILING_STOP: "trailing exit",
    FillReason.TIME_LIMIT: "time limit",
}
WORDS = {
    FillReason.TARGET: "target weight",
    FillReason.MARKET: "market",
    FillReason.LIMIT: "limit",
    FillReason.STOP: "stop",
    FillReason.TRAILING_STOP: "trailing stop",
    FillReason.DELISTING: "delisting",
    FillReason.RUIN: "ruin",
}
OWN = frozenset(WORDS.values())


def fills_of(session: Session) -> tuple[Fill, ...]:
    """List fills in their order, in which their names sort too."""
    lines, found = session.stepped.session.fills, list[Fill]()
    held, told = session.shares * session.ratios, dict(session.restated_holdings())
    completing = _completing(session)
    for place in range(lines.rows.size):
        column = int(lines.columns[place])
        symbol = session.symbols[column]
        held[column] += lines.quantities[place]
        changed = quantity(float(held[column])) - told[symbol]
        if place in completing:
            changed = _missing(completing[place], found)
        if changed:
            told[symbol] += changed
            found.append(_fill(session, place, changed))
    return tuple(found)


def _fill(session: Session, place: int, changed: Decimal) -> Fill:
    lines, order = session.stepped.session.fills, _order_of(session, place)
    return Fill(
        fill_id=f"{session.account}-{session.name}-{place:05d}",
        account=session.account,
        client_order_id="" if order is None else order.order.client_order_id,
        symbol=session.symbols[int(lines.columns[place])],
        quantity=changed,
        price=price(float(lines.prices[place])),
        commission=money(float(lines.commissions[place])),
        spread=money(float(lines.spreads[place])),
        impact=money(float(lines.impacts[place])),
        session=session.name,
        at=session.at,
        reason=_reason(session, place),
    )


def _order_of(session: Session, place: int) -> VenueOrder | None:
    number = int(session.stepped.session.fills.orders[place])
    return next((each for each in session.orders if each.number == number), None)


def _reason(session: Session, place: int) -> str:
    """Tell the fills of orders from those of their brackets."""
    lines, order = session.stepped.session.fills, _order_of(session, place)
    reason = FillReason(lines.reasons[place])
    if order is None:
        return WORDS[reason]
    wanted = order.order
    is_ordered = float(lines.quantities[place]) * wanted.side.sign > 0
    is_own = wanted.kind is OrderKind.TRAILING_STOP and is_ordered
    if reason in EXITS and not (reason is FillReason.TRAILING_STOP and is_own):
        return EXITS[reason]
    return WORDS[FillReason.TARGET if wanted.target_weight is not None else reason]


def _completing(session: Session) -> dict[int, VenueOrder]:
    """Find the last fill of every order for so many shares that was filled in this session."""
    filled = {n for n, each in session.stepped.outcomes if each.status is OrderStatus.FILLED}
    last: dict[int, VenueOrder] = {}
    for order in session.orders:
        if order.number in filled and order.order.target_weight is None:
            lines = session.stepped.session.fills.orders == order.number
            own = [p for p in lines.nonzero()[0].tolist() if _reason(session, p) in OWN]
            last |= {own[-1]: order} if own else {}
    return last


def _missing(order: VenueOrder, fills: Sequence[Fill]) -> Decimal:
    """Return what completes an order after earlier fills."""
    wanted = order.order
    earlier = [
        each.quantity
        for each in fills
        if each.client_order_id == wanted.client_order_id and not each.is_exit
    ]
    return wanted.signed_quantity - wanted.side.sign * order.filled - sum(earlier, ZERO)
