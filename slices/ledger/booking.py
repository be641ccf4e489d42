"""Booking what happened: fills, cash flows and share actions, each once, in whatever order.

One transaction writes what is new and what it makes of cash, positions and orders. What is booked
already is left alone where it says the same, and is a contradiction where it does not; what
contradicts the books changes nothing and halts the account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Table, bindparam, select

from slices.domain.accounts import TradingState
from slices.domain.orders import CashFlow, Fill, ShareAction
from slices.domain.trading_errors import LedgerError
from slices.ledger.accounts import no_account
from slices.ledger.arrivals import ContradictionError, arrived
from slices.ledger.effects import apply
from slices.ledger.positions import place_of
from slices.ledger.schema import ACCOUNTS, CASH_FLOWS, FILLS, SHARE_ACTIONS
from slices.ledger.states import set_state

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from typing import Any

    from slices.ledger.opening import Ledger

BY = "booking"
KNOWN = select(ACCOUNTS.c.account).where(ACCOUNTS.c.account == bindparam("owner"))


def book(
    ledger: Ledger,
    account: str,
    *,
    fills: Sequence[Fill] = (),
    flows: Sequence[CashFlow] = (),
    actions: Sequence[ShareAction] = (),
    at: dt.datetime,
) -> int:
    """Book what is not booked yet; in whatever order and parts it arrives, the books are the same.

    An order is complete once its fills are its quantity, also where it was taken for cancelled or
    expired; of an order to a weight the broker says when it is.

    Args:
        ledger: Where the account is.
        account: Its name.
        fills: Shares that changed hands.
        flows: Money that came or went without a fill.
        actions: Shares restated.
        at: Instant (UTC) to record it with.

    Returns:
        How many of them were new.

    Raises:
        LedgerError: Something contradicts the books: a name that stands for something else, more
            shares than ordered, a fill of an order that nobody wrote or that never left, or of
            another symbol or side. The account is halted.
    """
    try:
        with ledger.writing() as connection:
            if connection.scalar(KNOWN, {"owner": account}) is None:
                raise no_account(ledger, account)
            news = arrived(connection, account, fills=fills, flows=flows, actions=actions)
            if news.count:
                apply(connection, account, news, at=at)
            return news.count
    except ContradictionError as contradiction:
        problem = str(contradiction)
    set_state(ledger, account, TradingState.HALTED, reason=problem, by=BY, at=at)
    raise LedgerError(ledger=ledger.name, problem=f"{account}: {problem}")


def fills_of(ledger: Ledger, account: str, *, since: dt.date | None = None) -> tuple[Fill, ...]:
    """List fills of sessions from `since` on, in the order in which they count."""
    rows = _rows(ledger, FILLS, account, since)
    return tuple(sorted((Fill(**each) for each in rows), key=place_of))


def flows_of(ledger: Ledger, account: str, *, since: dt.date | None = None) -> tuple[CashFlow, ...]:
    """List cash flows of sessions from `since` on, the oldest first."""
    found = (CashFlow(**each) for each in _rows(ledger, CASH_FLOWS, account, since))
    return tuple(sorted(found, key=lambda each: (each.session, each.at, each.flow_id)))


def actions_of(
    ledger: Ledger, account: str, *, since: dt.date | None = None
) -> tuple[ShareAction, ...]:
    """List share actions of sessions from `since` on, in the order in which they count."""
    rows = _rows(ledger, SHARE_ACTIONS, account, since)
    return tuple(sorted((ShareAction(**each) for each in rows), key=place_of))


def _rows(
    ledger: Ledger, table: Table, account: str, since: dt.date | None
) -> list[dict[str, Any]]:
    query = select(table).where(table.c.account == account)
    if since is not None:
        query = query.where(table.c.session >= since)
    with ledger.reading() as connection:
        return [row._asdict() for row in connection.execute(query)]
