"""Reading an account's book within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Row, and_, select

from slices.domain.accounts import AccountBook, EquityPoint, Position
from slices.domain.exact import ZERO
from slices.domain.orders import OPEN_STATES
from slices.ledger.order_rows import records_within
from slices.ledger.own_money import standard_within
from slices.ledger.schema import ACCOUNTS, EQUITY, MARKS, ORDERS, POSITIONS
from slices.ledger.states import state_within

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Any

    from sqlalchemy import Connection

    from slices.ledger.opening import Ledger

POINT = [EQUITY.c[name] for name in ("session", "equity", "cash", "long_value", "short_value")]


def read_book_within(
    connection: Connection, ledger: Ledger, account: str, *, curve: bool
) -> AccountBook | None:
    """Read an account's book in the transaction of the connection; None where there is none."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).one_or_none()
    if row is None:
        return None
    state, reason = state_within(connection, ledger, account)
    positions, realized = _positions(connection, account)
    standard = standard_within(
        connection,
        account,
        opening=row.opening_capital,
        equity=row.cash + sum((each.value for each in positions), ZERO),
    )
    is_open = (ORDERS.c.account == account) & ORDERS.c.state.in_(OPEN_STATES)
    return AccountBook(
        name=account,
        mode=ledger.mode,
        capital=row.capital,
        opened=row.opened,
        session=row.session,
        cash=row.cash,
        positions=positions,
        open_orders=records_within(connection, is_open),
        state=state,
        state_reason=reason,
        realized_pnl=realized,
        costs=row.costs,
        day_start_equity=standard.day_start,
        peak_equity=standard.peak,
        curve=points_within(connection, account) if curve else (),
    )


def points_within(connection: Connection, account: str) -> tuple[EquityPoint, ...]:
    """List equity after every session."""
    query = select(*POINT).where(EQUITY.c.account == account).order_by(EQUITY.c.session)
    return tuple(EquityPoint(**row._asdict()) for row in connection.execute(query))


def _positions(connection: Connection, account: str) -> tuple[tuple[Position, ...], Decimal]:
    """Return what is held, and the gains of everything that ever was."""
    same = and_(MARKS.c.account == POSITIONS.c.account, MARKS.c.symbol == POSITIONS.c.symbol)
    query = (
        select(POSITIONS, MARKS.c.price, MARKS.c.session)
        .join(MARKS, same, isouter=True)
        .where(POSITIONS.c.account == account)
        .order_by(POSITIONS.c.symbol)
    )
    rows = connection.execute(query).all()
    held = tuple(_position(row) for row in rows if row.quantity)
    return held, sum((row.realized_pnl for row in rows), ZERO)


def _position(row: Row[Any]) -> Position:
    return Position(
        symbol=row.symbol,
        quantity=row.quantity,
        basis=row.basis,
        mark=row.price,
        marked=row.session,
        opened=row.opened,
    )
