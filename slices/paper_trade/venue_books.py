"""The simulated exchange's tables, read and written."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, insert, select, update

from slices.domain.calendar import session_close
from slices.domain.orders import CashFlow, Fill, ShareAction
from slices.ledger.positions import Holding
from slices.ledger.venue_tables import (
    VENUE_ACCOUNTS,
    VENUE_ACTIONS,
    VENUE_FILLS,
    VENUE_FLOWS,
    VENUE_POSITIONS,
)
from slices.paper_trade.restating import KnownCloses
from slices.paper_trade.venue_orders import write_orders
from slices.paper_trade.venue_state import EngineState, VenueBook, VenueTerms
from slices.quant.simulation.stepping import open_account
from slices.runtime.codec import decode, encode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row, RowMapping, Table

    from slices.domain.parameters import Costs, TradingRules
    from slices.paper_trade.pricing import Lived


def opening_book(terms: VenueTerms) -> VenueBook:
    """Describe an account that has not lived through a session: cash alone."""
    nothing = KnownCloses(symbols=(), sessions=(), closes=np.zeros((0, 0)))
    account = open_account((), capital=float(terms.capital))
    return VenueBook(
        terms=terms,
        session=None,
        cash=terms.capital,
        engine=EngineState(account=account, known=nothing),
    )


def write_opening(connection: Connection, terms: VenueTerms) -> None:
    """Write an account's first row."""
    book = opening_book(terms)
    values = {
        "account": terms.account,
        "opened": terms.opened,
        "calendar": terms.calendar,
        "capital": terms.capital,
        "costs": _text(terms.costs),
        "rules": _text(terms.rules),
        "cash": book.cash,
        "state": _text(book.engine),
    }
    connection.execute(insert(VENUE_ACCOUNTS).values(values))


def read_terms(connection: Connection, account: str) -> VenueTerms | None:
    """Return what an account was opened with; None where the venue does not know it."""
    query = select(VENUE_ACCOUNTS).where(VENUE_ACCOUNTS.c.account == account)
    row = connection.execute(query).one_or_none()
    return None if row is None else _terms(row)


def read_venue(connection: Connection, account: str, *, holdings: bool = True) -> VenueBook | None:
    """Return everything the venue knows of an account but its orders; None where unknown.

    Args:
        connection: Within whose transaction.
        account: Whose.
        holdings: Whether to read what is held, in exact numbers.

    Raises:
        IntegrityError: Where the stored state is not what was written.
    """
    query = select(VENUE_ACCOUNTS).where(VENUE_ACCOUNTS.c.account == account)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    column = VENUE_POSITIONS.c
    query = select(VENUE_POSITIONS).where(column.account == account).order_by(column.symbol)
    held = connection.execute(query).all() if holdings else ()
    return VenueBook(
        terms=_terms(row),
        session=row.session,
        cash=row.cash,
        engine=_engine(row.state),
        holdings=tuple(
            Holding(symbol=each.symbol, quantity=each.quantity, basis=each.basis) for each in held
        ),
        marks=tuple((each.symbol, each.mark) for each in held if each.mark is not None),
    )


def read_session(connection: Connection, account: str) -> dt.date | None:
    """Return the newest session an account has lived through."""
    column = VENUE_ACCOUNTS.c
    return connection.execute(
        select(column.session).where(column.account == account)
    ).scalar_one_or_none()


def write_engine(connection: Connection, account: str, engine: EngineState) -> None:
    """Write the simulation's state alone."""
    connection.execute(
        update(VENUE_ACCOUNTS)
        .where(VENUE_ACCOUNTS.c.account == account)
        .values(state=_text(engine))
    )


def write_lived(connection: Connection, lived: Lived) -> None:
    """Write everything that a session did."""
    book, account = lived.book, lived.book.terms.account
    connection.execute(
        update(VENUE_ACCOUNTS)
        .where(VENUE_ACCOUNTS.c.account == account)
        .values(session=book.session, cash=book.cash, state=_text(book.engine))
    )
    marks = dict(book.marks)
    connection.execute(delete(VENUE_POSITIONS).where(VENUE_POSITIONS.c.account == account))
    _insert(
        connection,
        VENUE_POSITIONS,
        (
            {
                "account": account,
                "symbol": each.symbol,
                "quantity": each.quantity,
                "basis": each.basis,
                "mark": marks.get(each.symbol),
            }
            for each in book.holdings
        ),
    )
    for table, values in (
        (VENUE_FILLS, lived.fills),
        (VENUE_FLOWS, lived.flows),
        (VENUE_ACTIONS, lived.actions),
    ):
        names = table.c.keys()
        _insert(connection, table, ({n: getattr(v, n) for n in names} for v in values))
    write_orders(connection, lived.orders)


def read_fills(
    connection: Connection, terms: VenueTerms, since: dt.date | None
) -> tuple[Fill, ...]:
    """List fills of sessions from `since` on in the order in which they happened."""
    rows = _since(connection, VENUE_FILLS, terms, since)
    return tuple(Fill(**row, at=_close(row["session"], terms)) for row in rows)


def read_flows(
    connection: Connection, terms: VenueTerms, since: dt.date | None
) -> tuple[CashFlow, ...]:
    """List cash that came or went without a fill, of sessions from `since` on."""
    rows = _since(connection, VENUE_FLOWS, terms, since)
    return tuple(CashFlow(**row, at=_close(row["session"], terms)) for row in rows)


def read_actions(
    connection: Connection, terms: VenueTerms, since: dt.date | None
) -> tuple[ShareAction, ...]:
    """List holdings restated, of sessions from `since` on."""
    rows = _since(connection, VENUE_ACTIONS, terms, since)
    return tuple(ShareAction(**row, at=_close(row["session"], terms)) for row in rows)


def _terms(row: Row[tuple[object, ...]]) -> VenueTerms:
    costs, rules = _opened_with(row.costs, row.rules)
    return VenueTerms(
        account=row.account,
        capital=row.capital,
        opened=row.opened,
        calendar=row.calendar,
        costs=costs,
        rules=rules,
    )


@lru_cache(maxsize=4)
def _engine(text: str) -> EngineState:
    """Read a state, which nobody changes, once for as long as its text stays the same."""
    engine: EngineState = decode(text.encode("ascii"))
    return engine


@lru_cache(maxsize=4)
def _opened_with(costs: str, rules: str) -> tuple[Costs, TradingRules]:
    read: tuple[Costs, TradingRules] = decode(costs.encode("ascii")), decode(rules.encode("ascii"))
    return read


def _text(value: object) -> str:
    return encode(value).decode("ascii")


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, object]]) -> None:
    values = list(rows)
    if values:
        connection.execute(insert(table), values)


def _since(
    connection: Connection, table: Table, terms: VenueTerms, since: dt.date | None
) -> list[RowMapping]:
    names = table.primary_key.columns.values()
    query = select(table).where(table.c.account == terms.account)
    query = query.order_by(table.c.session, names[1])
    if since is not None:
        query = query.where(table.c.session >= since)
    return list(connection.execute(query).mappings())


def _close(session: dt.date, terms: VenueTerms) -> dt.datetime:
    return session_close(session, calendar=terms.calendar)
