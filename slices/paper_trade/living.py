"""Living through sessions: the venue first, then the books, one session after the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.accounts import Mark
from slices.domain.calendar import session_close
from slices.domain.errors import ParameterError
from slices.domain.exact import price
from slices.ledger.accounts import close_session, read_book
from slices.ledger.guarding import guard_losses, withdraw_barred
from slices.ledger.path import Step, nothing
from slices.ledger.reconciling import reconcile
from slices.paper_trade.beginning import check_held

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits
    from slices.ledger.opening import Ledger
    from slices.ledger.path import Reached
    from slices.paper_trade.venue import PaperBroker
    from slices.quant.panel import Panel

HISTORY_SESSIONS = 40
"""Bars before a session that a venue looks at: for market impact, and for restated prices."""


def row_of(panel: Panel, as_of: dt.date | None) -> int:
    """Find the row of a session; None takes the last, a day without a session the one before it.

    Raises:
        ParameterError: Where the bars begin later.
    """
    row = len(panel.sessions) if as_of is None else bisect_right(panel.sessions, as_of)
    if row == 0:
        first = str(panel.sessions[0]) if panel.sessions else "a date with bars"
        raise ParameterError(parameter="as_of", found=str(as_of), allowed=f"{first} or later")
    return row - 1


def live_until(
    ledger: Ledger,
    broker: PaperBroker,
    account: str,
    bars: DatasetRef,
    panel: Panel,
    *,
    until: dt.date,
    limits: RiskLimits,
    book: AccountBook | None = None,
    reached: Reached = nothing,
) -> AccountBook:
    """Live through every session after the newest closed one, each to its end.

    Whatever was interrupted is taken up where it ended. An account that stands at the session
    already is only compared with its venue. What a halt forbids is cancelled before it can fill.

    Args:
        ledger: The books; the caller holds the account's lock.
        broker: The account's venue.
        account: Whose.
        bars: What the panel was read from.
        panel: Sessions up to `until` at least, of everything that is held.
        until: The last session to live through, one of the panel.
        limits: Losses that change what the account may do.
        book: The account as it stands, where the caller knows it.
        reached: Told of every step.

    Returns:
        The account after the session, without its curve.

    Raises:
        ParameterError: Where the panel lacks what is held.
        ReconciliationError: Where venue and books disagree; the account is halted.
    """
    book = book or read_book(ledger, account, curve=False)
    check_held(book, bars)
    stands = book.session
    for row in _rows_after(panel, stands or book.opened, until, included=stands is None):
        session = panel.sessions[row]
        withdraw_barred(ledger, broker, account, at=_newest_close(book, bars))
        at = session_close(session, calendar=bars.calendar)
        broker.advance(recent(panel, row), until=session, reached=reached)
        reconcile(ledger, broker, account, at=at)
        reached(Step.BOOKED)
        close_session(ledger, account, session=session, marks=marks_at(panel, row), at=at)
        book = guard_losses(ledger, broker, account, limits=limits, at=at)
        reached(Step.CLOSED)
    if stands == until:
        at = session_close(until, calendar=bars.calendar)
        reconcile(ledger, broker, account, at=at)
        withdraw_barred(ledger, broker, account, at=at)
        return read_book(ledger, account, curve=False)
    return book


def _rows_after(panel: Panel, newest: dt.date, until: dt.date, *, included: bool) -> range:
    first = (bisect_left if included else bisect_right)(panel.sessions, newest)
    return range(first, bisect_right(panel.sessions, until))


def _newest_close(book: AccountBook, bars: DatasetRef) -> dt.datetime:
    return session_close(book.session or book.opened, calendar=bars.calendar)


def recent(panel: Panel, row: int) -> Panel:
    """Return a session and the history a venue looks at."""
    return panel.between(max(0, row - HISTORY_SESSIONS), row + 1)


def marks_at(panel: Panel, row: int) -> tuple[Mark, ...]:
    """List the closes of a session; a symbol without a bar has none."""
    closes = panel.close[row]
    return tuple(
        Mark(symbol=panel.symbols[i], price=price(float(closes[i])), session=panel.sessions[row])
        for i in np.flatnonzero(np.isfinite(closes))
    )
