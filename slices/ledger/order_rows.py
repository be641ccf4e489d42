"""Orders as rows of a table."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Row, bindparam, insert, select, update

from slices.domain.errors import ParameterError
from slices.domain.exact import ZERO, price, quantity
from slices.domain.orders import Order, OrderRecord, OrderState
from slices.ledger.journal import Note, append_all, written
from slices.ledger.schema import ORDERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy import Connection

WANTED = tuple(each.name for each in fields(Order))
BECOME = ("state", "broker_order_id", "filled_quantity", "average_price", "reasons")
TIMES = ("decided_at", "updated_at")
NOT_A_NUMBER = Decimal("NaN")
MOVE = update(ORDERS).where(ORDERS.c.client_order_id == bindparam("name"))


def order_row(
    order: Order, *, number: int, reasons: tuple[str, ...], at: dt.datetime
) -> dict[str, object]:
    """Return the row of an order, DENIED where there are reasons.

    What is denied because no book could hold its numbers is written without them; the reasons
    and the journal say what they were.
    """
    wanted: dict[str, object] = {name: getattr(order, name) for name in WANTED}
    if reasons:
        wanted["quantity"] = _bookable(order.quantity, quantity)
        wanted["limit_price"] = _bookable(order.limit_price, price)
        wanted["stop_price"] = _bookable(order.stop_price, price)
    return wanted | {
        "number": number,
        "state": OrderState.DENIED if reasons else OrderState.INTENDED,
        "broker_order_id": "",
        "filled_quantity": ZERO,
        "average_price": None,
        "reasons": reasons,
        "decided_at": at,
        "updated_at": at,
    }


def records_within(
    connection: Connection, condition: ColumnElement[bool]
) -> tuple[OrderRecord, ...]:
    """Read orders in the order in which they were written."""
    query = select(ORDERS).where(condition).order_by(ORDERS.c.account, ORDERS.c.number)
    return tuple(_record(row) for row in connection.execute(query))


def insert_orders(connection: Connection, rows: list[dict[str, object]]) -> tuple[Note, ...]:
    """Write rows, and return what the journal is to say of them."""
    connection.execute(insert(ORDERS), rows)
    return tuple(_written_note(row) for row in rows)


def rewrite(connection: Connection, before: OrderRecord, record: OrderRecord) -> None:
    """Write what has become of an order, and journal it."""
    changed = [name for name in BECOME if getattr(before, name) != getattr(record, name)]
    values = {name: getattr(record, name) for name in (*changed, "updated_at")}
    name = record.order.client_order_id
    become = {each: getattr(record, each) for each in (*BECOME, "updated_at")}
    connection.execute(MOVE, {"name": name, **become})
    note = Note(
        kind=f"order.{record.state}",
        subject=name,
        payload=tuple((column, written(value)) for column, value in values.items()),
    )
    append_all(connection, record.order.account, [note], record.updated_at)


def _record(row: Row[Any]) -> OrderRecord:
    found = row._asdict()
    wanted = {name: found[name] for name in WANTED}
    if wanted["quantity"] is None:
        wanted["quantity"] = NOT_A_NUMBER
    become = {name: found[name] for name in (*BECOME, *TIMES)}
    return OrderRecord(order=Order(**wanted), **become)


def _written_note(row: dict[str, object]) -> Note:
    return Note(
        kind=f"order.{row['state']}",
        subject=str(row["client_order_id"]),
        payload=tuple((name, written(value)) for name, value in row.items() if name != "account"),
    )


def _bookable(number: Decimal | None, exact: Callable[[Decimal], Decimal]) -> Decimal | None:
    try:
        return None if number is None else exact(number)
    except ParameterError:
        return None
