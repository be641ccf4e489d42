"""Stops in the books: armed once, triggered once, ended once."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from slices.domain.stops import Stop, StopStatus
from slices.domain.trading_errors import LedgerError
from slices.ledger.journal import append, written
from slices.ledger.schema import ACCOUNTS, STOPS

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from sqlalchemy import Connection

    from slices.ledger.opening import Ledger

COLUMNS = [STOPS.c[each.name] for each in fields(Stop)]
NEXT = {
    StopStatus.ARMED: {StopStatus.TRIGGERED, StopStatus.DONE, StopStatus.CANCELLED},
    StopStatus.TRIGGERED: {StopStatus.DONE, StopStatus.CANCELLED},
}


def arm_stop(ledger: Ledger, stop: Stop, *, at: dt.datetime) -> bool:
    """Record a stop; of one that is recorded already the first recording stays.

    Returns:
        Whether it is new.

    Raises:
        LedgerError: There is no such account.
    """
    with ledger.writing() as connection:
        known = select(ACCOUNTS.c.account).where(ACCOUNTS.c.account == stop.account)
        if connection.scalar(known) is None:
            raise LedgerError(ledger=ledger.name, problem=f"no account '{stop.account}'")
        return arm_within(connection, stop, at=at)


def arm_within(connection: Connection, stop: Stop, *, at: dt.datetime) -> bool:
    """Record a stop of a known account in the transaction of the connection; see `arm_stop`."""
    if _found(connection, stop.stop_id) is not None:
        return False
    mine = STOPS.c.account == stop.account
    number = (connection.scalar(select(func.max(STOPS.c.number)).where(mine)) or 0) + 1
    connection.execute(insert(STOPS).values(number=number, **vars(stop)))
    _journal(connection, stop, at=at, number=number)
    return True


def stops_of(ledger: Ledger, account: str, *, status: StopStatus | None = None) -> tuple[Stop, ...]:
    """List an account's stops in the order in which they were armed."""
    query = select(*COLUMNS).where(STOPS.c.account == account).order_by(STOPS.c.number)
    if status is not None:
        query = query.where(STOPS.c.status == status)
    with ledger.reading() as connection:
        return tuple(Stop(**row._asdict()) for row in connection.execute(query))


def trigger_stop(
    ledger: Ledger,
    stop_id: str,
    *,
    session: dt.date,
    level: Decimal | None,
    client_order_id: str,
    at: dt.datetime,
) -> bool:
    """Record that a stop was hit, at what level, and which order leaves.

    Returns:
        Whether it was armed until now.

    Raises:
        LedgerError: There is no such stop.
    """
    return _move(
        ledger,
        stop_id,
        StopStatus.TRIGGERED,
        at=at,
        client_order_id=client_order_id,
        triggered=session,
        triggered_level=level,
    )


def end_stop(ledger: Ledger, stop_id: str, status: StopStatus, *, at: dt.datetime) -> bool:
    """Record that a stop is done or was cancelled.

    Returns:
        Whether it had not ended before.

    Raises:
        LedgerError: There is no such stop, or the status is not an end.
    """
    if status not in {StopStatus.DONE, StopStatus.CANCELLED}:
        raise LedgerError(ledger=ledger.name, problem=f"stop {stop_id}: {status} is no end")
    return _move(ledger, stop_id, status, at=at)


def _move(
    ledger: Ledger,
    stop_id: str,
    status: StopStatus,
    *,
    at: dt.datetime,
    client_order_id: str | None = None,
    triggered: dt.date | None = None,
    triggered_level: Decimal | None = None,
) -> bool:
    with ledger.writing() as connection:
        stop = _found(connection, stop_id)
        if stop is None:
            raise LedgerError(ledger=ledger.name, problem=f"no stop {stop_id}")
        if status not in NEXT.get(stop.status, set()):
            return False
        moved = replace(stop, status=status)
        if client_order_id is not None:
            moved = replace(
                moved,
                client_order_id=client_order_id,
                triggered=triggered,
                triggered_level=triggered_level,
            )
        mine = STOPS.c.stop_id == stop_id
        connection.execute(update(STOPS).where(mine).values(**vars(moved)))
        _journal(connection, moved, at=at)
        return True


def _found(connection: Connection, stop_id: str) -> Stop | None:
    row = connection.execute(select(*COLUMNS).where(STOPS.c.stop_id == stop_id)).one_or_none()
    return None if row is None else Stop(**row._asdict())


def _journal(
    connection: Connection, stop: Stop, *, at: dt.datetime, number: int | None = None
) -> None:
    payload = [(name, written(value)) for name, value in vars(stop).items() if name != "account"]
    if number is not None:
        payload.append(("number", written(number)))
    append(
        connection,
        stop.account,
        kind=f"stop.{stop.status}",
        subject=stop.stop_id,
        payload=payload,
        at=at,
    )
