"""Accounts as the books have them: worth, risk, orders, stops, limits."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from slices.domain.exact import ZERO
from slices.domain.fingerprint import fingerprint
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.observations import AccountFacts, StopFacts
from slices.domain.orders import OrderKind, OrderState
from slices.domain.stops import StopStatus
from slices.ledger.accounts import account_names, read_book
from slices.ledger.booking import fills_of, flows_of
from slices.ledger.fingerprints import KIND
from slices.ledger.order_rows import records_within
from slices.ledger.schema import JOURNAL, ORDERS
from slices.ledger.stops import stops_of
from slices.monitor.observing.curves import curve_risk, thinned
from slices.monitor.observing.trades import trade_facts, window_start
from slices.quant.limits.headroom import headroom

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from slices.domain.accounts import AccountBook
    from slices.domain.limits import LimitLine
    from slices.domain.orders import OrderRecord
    from slices.ledger.opening import Ledger

MOST_POINTS = 500
STOP_KINDS = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT, OrderKind.TRAILING_STOP})


def account_facts(ledger: Ledger, *, at: dt.datetime) -> tuple[AccountFacts, ...]:
    """Look at every account of a ledger; nothing is written.

    Args:
        ledger: Of paper or of live accounts.
        at: Now (UTC).

    Raises:
        LedgerError: The books cannot be read.
    """
    return tuple(_facts(ledger, each, at=at) for each in account_names(ledger))


def _facts(ledger: Ledger, account: str, *, at: dt.datetime) -> AccountFacts:
    book = read_book(ledger, account)
    since = window_start(book, at=at)
    orders = _orders_since(ledger, account, since)
    fills = fills_of(ledger, account, since=since)
    return AccountFacts(
        name=account,
        mode=book.mode,
        state=book.state,
        state_reason=book.state_reason,
        session=book.session,
        capital=float(book.capital),
        equity=float(book.equity),
        cash=float(book.cash),
        day_pnl=float(book.equity - book.day_start_equity),
        realized_pnl=float(book.realized_pnl),
        unrealized_pnl=float(sum((each.unrealized_pnl for each in book.positions), ZERO)),
        costs=float(book.costs),
        gross=_of_equity(book, book.long_value - book.short_value),
        net=_of_equity(book, book.long_value + book.short_value),
        leverage=_of_equity(book, book.equity + max(ZERO, -book.cash)),
        concentration=_of_equity(book, max((abs(e.value) for e in book.positions), default=ZERO)),
        drawdown=book.drawdown,
        open_orders=len(book.open_orders),
        unknown_orders=sum(each.state is OrderState.UNKNOWN for each in book.open_orders),
        positions=book.positions,
        stops=_stops(ledger, book),
        limits=limit_lines(ledger, book),
        curve=thinned(book.curve, most=MOST_POINTS),
        **asdict(curve_risk(book, flows_of(ledger, account))),
        **asdict(trade_facts(book, orders, fills, since=since)),
    )


def _of_equity(book: AccountBook, value: Decimal) -> float:
    return float(value / book.equity) if book.equity > 0 else math.nan


def _orders_since(ledger: Ledger, account: str, since: dt.date) -> tuple[OrderRecord, ...]:
    mine = (ORDERS.c.account == account) & (ORDERS.c.session >= since)
    with ledger.reading() as connection:
        return records_within(connection, mine)


def _stops(ledger: Ledger, book: AccountBook) -> tuple[StopFacts, ...]:
    """List armed stops of the books and stop orders that wait at the broker."""
    armed = (
        StopFacts(
            symbol=each.symbol,
            kind=each.kind.value,
            quantity=float(book.held(each.symbol)),
            trigger=math.nan if each.level is None else float(each.level),
        )
        for each in stops_of(ledger, book.name, status=StopStatus.ARMED)
    )
    waiting = (
        StopFacts(
            symbol=each.order.symbol,
            kind=each.order.kind.value,
            quantity=float(each.open_quantity),
            trigger=math.nan if each.order.stop_price is None else float(each.order.stop_price),
        )
        for each in book.open_orders
        if each.order.kind in STOP_KINDS
    )
    return (*armed, *waiting)


def limit_lines(ledger: Ledger, book: AccountBook) -> tuple[LimitLine, ...]:
    """Hold an account against its limits; none where they are not known.

    Books keep no limits but the digest of those the account was traded with last. Where that is
    the digest of the limits that hold where nobody sets others, or nothing was traded yet, these
    are the account's.
    """
    newest = (
        select(JOURNAL.c.payload)
        .where(JOURNAL.c.account == book.name, JOURNAL.c.kind == KIND)
        .order_by(JOURNAL.c.number.desc())
        .limit(1)
    )
    with ledger.reading() as connection:
        found = connection.scalar(newest)
    if found is not None and dict(found)["limits"] != fingerprint(DEFAULT_LIMITS):
        return ()
    return headroom(book, DEFAULT_LIMITS)
