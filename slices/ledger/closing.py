"""Marks and equity, written within a transaction."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from slices.domain.accounts import AccountBook, EquityPoint, Mark, Position
from slices.domain.exact import ZERO, price
from slices.ledger.journal import append, written
from slices.ledger.schema import ACCOUNTS, EQUITY, MARKS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from slices.domain.orders import ShareAction


def marks_within(connection: Connection, account: str) -> tuple[Mark, ...]:
    """List the newest mark of every symbol, by symbol."""
    columns = (MARKS.c.symbol, MARKS.c.price, MARKS.c.session)
    query = select(*columns).where(MARKS.c.account == account).order_by(MARKS.c.symbol)
    return tuple(Mark(**row._asdict()) for row in connection.execute(query))


def marks_digest(marks: Iterable[Mark]) -> str:
    """Return what the journal says of all marks of an account."""
    lines = sorted(f"{each.symbol} {written(each.price)} {each.session}" for each in marks)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def close_within(
    connection: Connection,
    book: AccountBook,
    *,
    session: dt.date,
    marks: Sequence[Mark],
    at: dt.datetime,
) -> EquityPoint:
    """Write marks and the equity point of a session; nothing where both stand written."""
    known = {each.symbol: each for each in marks_within(connection, book.name)}
    newer = {each.symbol: each for each in marks if _is_news(each, known.get(each.symbol))}
    now = known | newer
    point = _point(book, now, session)
    found = _point_of(connection, book.name, session)
    if found == point and not newer:
        return point
    write_marks(connection, book.name, newer.values())
    mine = (EQUITY.c.account == book.name) & (EQUITY.c.session == session)
    if found is not None:
        connection.execute(delete(EQUITY).where(mine))
    connection.execute(insert(EQUITY).values(account=book.name, **vars(point)))
    connection.execute(
        update(ACCOUNTS).where(ACCOUNTS.c.account == book.name).values(session=session)
    )
    payload = [(name, written(value)) for name, value in vars(point).items()]
    payload.append(("marks", marks_digest(now.values())))
    subject = session.isoformat()
    append(connection, book.name, kind="equity.closed", subject=subject, payload=payload, at=at)
    return point


def write_marks(connection: Connection, account: str, marks: Iterable[Mark]) -> None:
    """Put marks in the place of the ones there were."""
    rows = [{"account": account, **vars(each)} for each in marks]
    if rows:
        symbols = [str(row["symbol"]) for row in rows]
        mine = (MARKS.c.account == account) & MARKS.c.symbol.in_(symbols)
        connection.execute(delete(MARKS).where(mine))
        connection.execute(insert(MARKS), rows)


def restate_marks(connection: Connection, account: str, actions: Iterable[ShareAction]) -> str:
    """Restate marks of before a split, so that what is held keeps its value until the next close.

    Returns:
        The digest of all marks; empty where none was restated.
    """
    marks = {each.symbol: each for each in marks_within(connection, account)}
    changed: dict[str, Mark] = {}
    for action in actions:
        mark = marks.get(action.symbol)
        if mark is not None and mark.session < action.session and _can_be_restated(action):
            at = price(mark.price * action.old_quantity / action.new_quantity)
            changed[action.symbol] = marks[action.symbol] = replace(mark, price=at)
    write_marks(connection, account, changed.values())
    return marks_digest(marks.values()) if changed else ""


def _can_be_restated(action: ShareAction) -> bool:
    return action.old_quantity * action.new_quantity > 0


def _is_news(mark: Mark, known: Mark | None) -> bool:
    return known is None or (known.session <= mark.session and known != mark)


def _point_of(connection: Connection, account: str, session: dt.date) -> EquityPoint | None:
    mine = (EQUITY.c.account == account) & (EQUITY.c.session == session)
    columns = (EQUITY.c.session, EQUITY.c.equity, EQUITY.c.cash)
    query = select(*columns, EQUITY.c.long_value, EQUITY.c.short_value).where(mine)
    row = connection.execute(query).one_or_none()
    return None if row is None else EquityPoint(**row._asdict())


def _marked(position: Position, marks: dict[str, Mark]) -> Position:
    mark = marks.get(position.symbol)
    return position if mark is None else replace(position, mark=mark.price, marked=mark.session)


def _point(book: AccountBook, marks: dict[str, Mark], session: dt.date) -> EquityPoint:
    values = [_marked(each, marks).value for each in book.positions]
    long_value = sum((each for each in values if each > 0), ZERO)
    short_value = sum((each for each in values if each < 0), ZERO)
    return EquityPoint(
        session=session,
        equity=book.cash + long_value + short_value,
        cash=book.cash,
        long_value=long_value,
        short_value=short_value,
    )
