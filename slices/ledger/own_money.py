"""What losses are counted from: earlier values, with money paid in or out since accounted for.

Money that a person pays in or out is neither a gain nor a loss. So an earlier value is changed by
the same fraction as the account was: what was lost of it before stays the same fraction. A recorded
release counts losses anew from the newest close before it, since whoever released knew them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from slices.domain.accounts import TradingState
from slices.domain.exact import ZERO, money
from slices.domain.orders import FlowKind
from slices.ledger.schema import CASH_FLOWS, EQUITY, JOURNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

OWN_MONEY = frozenset({FlowKind.DEPOSIT, FlowKind.WITHDRAWAL})
CLOSED = "equity.closed"
RELEASED = f"state.{TradingState.ACTIVE}"


@dataclass(frozen=True, kw_only=True)
class Standard:
    """Values an account's equity is held against; see `domain.accounts.AccountBook`."""

    day_start: Decimal
    peak: Decimal


def standard_within(
    connection: Connection, account: str, *, opening: Decimal, equity: Decimal
) -> Standard:
    """Return the values that losses are counted from.

    Args:
        connection: Of the transaction.
        account: Its name.
        opening: Money it was opened with.
        equity: What it is worth now.
    """
    paid = _paid_by_session(connection, account)
    mine = EQUITY.c.account == account
    released = _released_after(connection, account)
    if released is not None:
        kept = select(EQUITY.c.equity).where(mine, EQUITY.c.session == released)
        opening = connection.scalars(kept).one()
        mine &= EQUITY.c.session > released
    if not paid:
        newest = select(EQUITY.c.equity).where(mine).order_by(EQUITY.c.session.desc()).limit(2)
        found = connection.scalars(newest).all()
        highest = connection.scalar(select(func.max(EQUITY.c.equity)).where(mine))
        day_start = found[1] if len(found) == 2 else opening
        return Standard(day_start=day_start, peak=max(opening, highest or opening))
    query = select(EQUITY.c.session, EQUITY.c.equity).where(mine).order_by(EQUITY.c.session)
    points = [(row.session, row.equity) for row in connection.execute(query)]
    return _carried(points, paid, opening=opening, equity=equity)


def _released_after(connection: Connection, account: str) -> dt.date | None:
    """Return the newest close before a person released the account last; None where nobody did."""
    mine = JOURNAL.c.account == account
    number = connection.scalar(
        select(func.max(JOURNAL.c.number)).where(mine, JOURNAL.c.kind == RELEASED)
    )
    if number is None:
        return None
    closes = select(JOURNAL.c.subject).where(mine, JOURNAL.c.kind == CLOSED)
    before = closes.where(JOURNAL.c.number < number).order_by(JOURNAL.c.number.desc()).limit(1)
    found = connection.scalar(before)
    return None if found is None else dt.date.fromisoformat(found)


def _carried(
    points: Sequence[tuple[dt.date, Decimal]],
    paid: Mapping[dt.date | None, Decimal],
    *,
    opening: Decimal,
    equity: Decimal,
) -> Standard:
    day_start = peak = newest = opening
    for session, value in points:
        moved = paid.get(session, ZERO)
        day_start = carried(newest, after=value, paid=moved)
        peak = max(carried(peak, after=value, paid=moved), value)
        newest = value
    moved = paid.get(None, ZERO)
    return Standard(
        day_start=carried(day_start, after=equity, paid=moved),
        peak=carried(peak, after=equity, paid=moved),
    )


def carried(value: Decimal, *, after: Decimal, paid: Decimal) -> Decimal:
    """Change an earlier value by the fraction by which money paid in or out changed the account.

    Args:
        value: Of before.
        after: What the account is worth with the money.
        paid: The money, negative where it went.

    >>> carried(Decimal(100), after=Decimal(45), paid=Decimal(-45))
    Decimal('50.000000')
    """
    before = after - paid
    if not paid:
        return value
    return money(value * after / before) if before > 0 and after > 0 else value + paid


def _paid_by_session(connection: Connection, account: str) -> dict[dt.date | None, Decimal]:
    """Add up what was paid in or out after the opening, by the close that was the first with it.

    The journal tells which that was: money may come with a date after the session it is booked in.
    """
    own = (CASH_FLOWS.c.account == account) & CASH_FLOWS.c.kind.in_(sorted(OWN_MONEY))
    query = select(CASH_FLOWS.c.flow_id, CASH_FLOWS.c.amount).where(own)
    later = [row for row in connection.execute(query) if row.flow_id != f"{account}-opening"]
    paid: dict[dt.date | None, Decimal] = defaultdict(lambda: ZERO)
    for row in later:
        paid[_first_close_with(connection, account, row.flow_id)] += row.amount
    return paid


def _first_close_with(connection: Connection, account: str, flow_id: str) -> dt.date | None:
    mine = JOURNAL.c.account == account
    booked = (
        select(func.max(JOURNAL.c.number))
        .where(mine, JOURNAL.c.subject == flow_id, JOURNAL.c.kind == "flow.booked")
        .scalar_subquery()
    )
    closes = select(JOURNAL.c.subject).where(
        mine, JOURNAL.c.kind == CLOSED, JOURNAL.c.number > booked
    )
    first = connection.scalar(closes.order_by(JOURNAL.c.number).limit(1))
    return None if first is None else dt.date.fromisoformat(first)
