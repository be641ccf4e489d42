"""Orders in the books: written before they leave, and moved forward by what the broker answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from slices.domain.orders import OPEN_STATES, OrderRecord, OrderState
from slices.domain.trading_errors import LedgerError
from slices.ledger.journal import append_all, written
from slices.ledger.order_rows import insert_orders, order_row, records_within, rewrite
from slices.ledger.schema import ORDERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from decimal import Decimal

    from sqlalchemy import Connection

    from slices.domain.brokers import BrokerOrder
    from slices.domain.limits import GateDecision
    from slices.domain.orders import Order
    from slices.ledger.opening import Ledger

RANK = {
    OrderState.INTENDED: 0,
    OrderState.UNKNOWN: 1,
    OrderState.ACCEPTED: 2,
    OrderState.PARTLY_FILLED: 3,
}
"""How far an open order has come; what has ended is further than all of them."""


def write_intents(
    connection: Connection,
    account: str,
    judged: Sequence[tuple[Order, GateDecision]],
    *,
    at: dt.datetime,
) -> None:
    """Write orders the gate has judged as INTENDED or DENIED, with what it said, in the journal.

    An order whose name is written already stays as it is.
    """
    names = [order.client_order_id for order, _ in judged]
    written_before = set(
        connection.scalars(
            select(ORDERS.c.client_order_id).where(ORDERS.c.client_order_id.in_(names))
        )
    )
    fresh = [pair for pair in judged if pair[0].client_order_id not in written_before]
    if not fresh:
        return
    newest = select(func.max(ORDERS.c.number)).where(ORDERS.c.account == account)
    first = (connection.scalar(newest) or 0) + 1
    rows = [
        order_row(order, number=number, reasons=tuple(map(str, decision.breaches)), at=at)
        for number, (order, decision) in enumerate(fresh, start=first)
    ]
    notes = insert_orders(connection, rows)
    told = [
        replace(note, payload=note.payload + _projected(decision))
        for note, (_, decision) in zip(notes, fresh, strict=True)
    ]
    append_all(connection, account, told, at)


def _projected(decision: GateDecision) -> tuple[tuple[str, str], ...]:
    names = ("projected_quantity", "projected_gross", "projected_cash")
    return tuple((name, written(getattr(decision, name))) for name in names)


def write_answer(
    ledger: Ledger, client_order_id: str, answer: BrokerOrder, *, at: dt.datetime
) -> OrderRecord:
    """Take over what the broker says of one order; see `write_answers`."""
    (record,) = write_answers(ledger, [replace(answer, client_order_id=client_order_id)], at=at)
    return record


def write_answers(
    ledger: Ledger, answers: Sequence[BrokerOrder], *, at: dt.datetime
) -> tuple[OrderRecord, ...]:
    """Take over what the broker says of orders, as far as that moves them forward; all at once.

    Filled quantities come from fills alone: an order the broker calls filled is ACCEPTED until its
    fills are booked. Only the broker knows when an order to a weight is filled.

    Raises:
        LedgerError: There is no such order, or the broker has a second one of its name.
    """
    with ledger.writing() as connection:
        return tuple(_answered(connection, ledger, each, at=at) for each in answers)


def _answered(
    connection: Connection, ledger: Ledger, answer: BrokerOrder, *, at: dt.datetime
) -> OrderRecord:
    is_filled = answer.state in {OrderState.FILLED, OrderState.PARTLY_FILLED}
    return _moved(
        connection,
        ledger,
        answer.client_order_id,
        OrderState.ACCEPTED if is_filled else answer.state,
        broker_order_id=answer.broker_order_id,
        reason=answer.reason,
        filled=answer.filled_quantity if answer.state is OrderState.FILLED else None,
        at=at,
    )


def write_unknown(
    ledger: Ledger, client_order_id: str, problem: str, *, at: dt.datetime
) -> OrderRecord:
    """Write that nobody can tell whether the broker took an order."""
    with ledger.writing() as connection:
        return _moved(
            connection, ledger, client_order_id, OrderState.UNKNOWN, reason=problem, at=at
        )


def write_ended(
    ledger: Ledger, client_order_id: str, state: OrderState, reason: str, *, at: dt.datetime
) -> OrderRecord:
    """Write that an order has ended, and why."""
    with ledger.writing() as connection:
        return _moved(connection, ledger, client_order_id, state, reason=reason, at=at)


def _moved(
    connection: Connection,
    ledger: Ledger,
    client_order_id: str,
    state: OrderState,
    *,
    broker_order_id: str = "",
    reason: str,
    filled: Decimal | None = None,
    at: dt.datetime,
) -> OrderRecord:
    found = records_within(connection, ORDERS.c.client_order_id == client_order_id)
    if not found:
        raise LedgerError(ledger=ledger.name, problem=f"no order '{client_order_id}'")
    record = found[0]
    _check_same_order(ledger, record, broker_order_id)
    if record.order.target_weight is not None and record.filled_quantity == filled:
        state = OrderState.FILLED
    if not _is_forward(record.state, state):
        return record
    moved = replace(
        record,
        state=state,
        broker_order_id=broker_order_id or record.broker_order_id,
        reasons=(reason,) if reason else (),
        updated_at=max(at, record.updated_at),
    )
    rewrite(connection, record, moved)
    return moved


def _check_same_order(ledger: Ledger, record: OrderRecord, broker_order_id: str) -> None:
    known = record.broker_order_id
    if known and broker_order_id not in {"", known}:
        what = f"order '{record.order.client_order_id}'"
        problem = f"{what} is {known} at the broker, who answers for {broker_order_id}"
        raise LedgerError(ledger=ledger.name, problem=problem)


def _is_forward(found: OrderState, wanted: OrderState) -> bool:
    if found not in OPEN_STATES or found is wanted:
        return False
    return wanted not in OPEN_STATES or RANK[wanted] > RANK[found]


def find_order(ledger: Ledger, client_order_id: str) -> OrderRecord | None:
    """Return an order by its name, or None."""
    with ledger.reading() as connection:
        found = records_within(connection, ORDERS.c.client_order_id == client_order_id)
    return found[0] if found else None


def orders_named(ledger: Ledger, beginning: str) -> tuple[OrderRecord, ...]:
    """List the orders whose names begin like this."""
    with ledger.reading() as connection:
        begins = ORDERS.c.client_order_id.startswith(beginning, autoescape=True)
        return records_within(connection, begins)


def orders_of(
    ledger: Ledger,
    account: str,
    *,
    session: dt.date | None = None,
    since: dt.datetime | None = None,
    states: Collection[OrderState] | None = None,
) -> tuple[OrderRecord, ...]:
    """List an account's orders in the order in which they were written.

    Args:
        ledger: Where the account is.
        account: Its name.
        session: Only those decided in it.
        since: Only those decided at or after this instant.
        states: Only those in one of these states.
    """
    wanted = ORDERS.c.account == account
    if session is not None:
        wanted &= ORDERS.c.session == session
    if since is not None:
        wanted &= ORDERS.c.decided_at >= since
    if states is not None:
        wanted &= ORDERS.c.state.in_(sorted(states))
    with ledger.reading() as connection:
        return records_within(connection, wanted)
