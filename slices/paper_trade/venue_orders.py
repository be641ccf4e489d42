"""Orders at the simulated exchange, read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, or_, select, update

from slices.domain.orders import OPEN_STATES
from slices.ledger.venue_tables import VENUE_ORDERS
from slices.paper_trade.venue_state import VenueOrder
from slices.runtime.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from slices.domain.orders import Order
    from slices.quant.simulation.stepping import Account

COLUMNS = VENUE_ORDERS.c


def next_place(connection: Connection, account: str) -> int:
    """Return the place of the next order."""
    newest = select(func.max(COLUMNS.place)).where(COLUMNS.account == account)
    place = connection.execute(newest).scalar_one()
    return 0 if place is None else int(place) + 1


def place_order(connection: Connection, order: Order) -> VenueOrder:
    """Accept an order behind all others."""
    placed = VenueOrder(order=order, place=next_place(connection, order.account))
    connection.execute(
        insert(VENUE_ORDERS).values(
            account=order.account,
            client_order_id=order.client_order_id,
            place=placed.place,
            wanted=encode(order).decode("ascii"),
            state=placed.state,
            filled=placed.filled,
            paid=placed.paid,
            reason="",
        )
    )
    return placed


def write_orders(connection: Connection, orders: Sequence[VenueOrder]) -> None:
    """Write what has become of orders."""
    written = update(VENUE_ORDERS).where(
        COLUMNS.account == bindparam("of_account"),
        COLUMNS.client_order_id == bindparam("of_order"),
    )
    rows = [
        {
            "of_account": each.order.account,
            "of_order": each.order.client_order_id,
            "number": each.number,
            "state": each.state,
            "filled": each.filled,
            "paid": each.paid,
            "reason": each.reason,
        }
        for each in orders
    ]
    if rows:
        connection.execute(written, rows)


def find_order(connection: Connection, account: str, client_order_id: str) -> VenueOrder | None:
    """Return an order by our name for it."""
    found = _listed(connection, account, COLUMNS.client_order_id == client_order_id)
    return found[0] if found else None


def open_orders(connection: Connection, account: str) -> tuple[VenueOrder, ...]:
    """List orders that may still be filled, by place."""
    return _listed(connection, account, COLUMNS.state.in_(OPEN_STATES))


def living_orders(connection: Connection, account: str, engine: Account) -> tuple[VenueOrder, ...]:
    """List orders that wait, or whose brackets do, by place."""
    is_known = COLUMNS.number.in_(engine.book["number"].tolist())
    return _listed(connection, account, or_(COLUMNS.state.in_(OPEN_STATES), is_known))


def _listed(
    connection: Connection, account: str, condition: ColumnElement[bool]
) -> tuple[VenueOrder, ...]:
    query = select(VENUE_ORDERS).where(COLUMNS.account == account, condition)
    return tuple(_order(each) for each in connection.execute(query.order_by(COLUMNS.place)))


def _order(row: Row[tuple[object, ...]]) -> VenueOrder:
    return VenueOrder(
        order=decode(row.wanted.encode("ascii")),
        place=row.place,
        number=row.number,
        state=row.state,
        filled=row.filled,
        paid=row.paid,
        reason=row.reason,
    )
