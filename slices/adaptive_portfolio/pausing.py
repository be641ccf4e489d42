"""Pausing an account: its state in the books, which only a person's recorded release relaxes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.protection import severest
from slices.adaptive_portfolio.protection_plan import WORKFLOW
from slices.domain.accounts import TradingState
from slices.domain.calendar import session_close
from slices.domain.clock import SystemClock
from slices.domain.protection import Pause, Release
from slices.ledger.journal import entries
from slices.ledger.opening import books_of
from slices.ledger.states import set_state

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.orders import Order
    from slices.domain.protection import Protection

CLOSED = "equity.closed"
RELEASED = f"state.{TradingState.ACTIVE}"


def newest_release(account: str, *, execution: Execution) -> Release | None:
    """Read from the journal when a person released the account last.

    The session is told by the journal's order, not by the clock: a person releases at the time
    of day, a paper account may live in another year.

    Args:
        account: Whose journal.
        execution: Which books: those of live accounts for `live`.
    """
    session: dt.date | None = None
    found: Release | None = None
    with books_of(execution) as ledger:
        for entry in entries(ledger, account=account):
            if entry.kind == CLOSED:
                session = dt.date.fromisoformat(entry.subject)
            if entry.kind == RELEASED:
                words = dict(entry.payload)
                found = Release(
                    session=session,
                    at=entry.at,
                    by=words.get("by", ""),
                    reason=words.get("reason", ""),
                )
    return found


def pause_trading(
    bars: DatasetRef, protection: Protection, *, execution: Execution, liquidate: bool
) -> Pause:
    """Let the account do no more than its losses allow, before any order is planned.

    An account whose positions are to be closed only reduces until these orders are with the
    venue; `halt_trading` halts it then.

    Args:
        bars: In whose calendar.
        protection: What the losses ask for.
        execution: `plan` changes nothing.
        liquidate: Whether a halt closes all positions.
    """
    is_halting = protection.asked is TradingState.HALTED
    now = TradingState.REDUCING if is_halting and liquidate else protection.asked
    return _changed(bars, protection, now, before=protection.before, execution=execution)


def halt_trading(
    bars: DatasetRef, protection: Protection, pause: Pause, *, execution: Execution
) -> Pause:
    """Halt an account whose losses ask for it, once the orders that close it are placed."""
    return _changed(bars, protection, protection.asked, before=pause.after, execution=execution)


def _changed(
    bars: DatasetRef,
    protection: Protection,
    state: TradingState,
    *,
    before: TradingState,
    execution: Execution,
) -> Pause:
    reason = "; ".join(protection.reasons)
    is_new = False
    if state is not TradingState.ACTIVE and execution != "plan":
        with books_of(execution) as ledger:
            is_new = set_state(
                ledger,
                protection.account,
                state,
                reason=reason,
                by=WORKFLOW,
                at=_instant(bars, protection, execution),
            )
    return Pause(
        account=protection.account,
        session=protection.session,
        before=before,
        after=severest(before, state),
        reason=reason,
        is_new=is_new,
    )


def to_withdraw(book: AccountBook, protection: Protection) -> tuple[str, ...]:
    """Name the open orders that do not fit the state: all when halted, else what adds to positions.

    Exits this flow has placed stay.
    """
    if protection.state is TradingState.ACTIVE:
        return ()
    is_halted = protection.state is TradingState.HALTED
    return tuple(
        each.order.client_order_id
        for each in book.open_orders
        if each.order.workflow != WORKFLOW and (is_halted or not _reduces(book, each.order))
    )


def _reduces(book: AccountBook, order: Order) -> bool:
    held, change = book.held(order.symbol), order.signed_quantity
    return order.reduce_only or (held * change < 0 and abs(change) <= abs(held))


def _instant(bars: DatasetRef, protection: Protection, execution: Execution) -> dt.datetime:
    if execution == "live" or protection.session is None:
        return SystemClock().now()
    return session_close(protection.session, calendar=bars.calendar)
