"""What the gate judges by, read from the books in one place."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from slices.domain.calendar import sessions_between
from slices.domain.exact import ZERO
from slices.ledger.accounts import marks_of, read_book
from slices.ledger.booking import fills_of
from slices.ledger.orders import orders_of
from slices.quant.limits.facts import SESSIONS_LOOKED_AT, GateFacts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from slices.domain.orders import Fill, OrderRecord
    from slices.ledger.opening import Ledger

LONGEST_WINDOW = dt.timedelta(days=1)
"""Longest time within which a limit looks for earlier orders."""

LONGEST_BREAK = dt.timedelta(days=20)
"""Holds five sessions wherever it begins."""


def gate_facts(
    ledger: Ledger,
    account: str,
    *,
    session: dt.date,
    at: dt.datetime,
    calendar: str = "XNYS",
    cost_rate: Decimal = ZERO,
    takes_weights: bool = True,
) -> GateFacts:
    """Read everything the gate looks at.

    Args:
        ledger: Where the account is.
        account: Whose orders are to be judged.
        session: At whose close, or in which, they were decided.
        at: Instant (UTC) of the decision.
        calendar: Exchange calendar that counts the sessions.
        cost_rate: Costs of a purchase to expect, as a fraction of its notional.
        takes_weights: Whether the broker takes orders to a weight.

    Raises:
        LedgerError: Where there is no such account.
    """
    fills = fills_of(ledger, account, since=_first_counted(session, calendar))
    return GateFacts(
        book=read_book(ledger, account, curve=False),
        session=session,
        at=at,
        marks=marks_of(ledger, account),
        recent_orders=_recent_orders(ledger, account, session=session, at=at),
        recent_fills=tuple(each for each in fills if each.session <= session),
        unsettled_cash=unsettled(fills, session),
        calendar=calendar,
        cost_rate=cost_rate,
        takes_weights=takes_weights,
    )


def unsettled(fills: Iterable[Fill], session: dt.date) -> Decimal:
    """Add up what sales of this session bring; it is settled one session later (T+1)."""
    return sum((each.cash for each in fills if each.session >= session and each.quantity < 0), ZERO)


def _first_counted(session: dt.date, calendar: str) -> dt.date:
    recent = sessions_between(session - LONGEST_BREAK, session, calendar=calendar)
    return recent[-SESSIONS_LOOKED_AT:][0] if recent else session


def _recent_orders(
    ledger: Ledger, account: str, *, session: dt.date, at: dt.datetime
) -> tuple[OrderRecord, ...]:
    of_session = orders_of(ledger, account, session=session)
    of_window = orders_of(ledger, account, since=at - LONGEST_WINDOW)
    both = {each.order.client_order_id: each for each in (*of_session, *of_window)}
    return tuple(sorted(both.values(), key=lambda each: each.decided_at))
