"""The desk of live trading: bring an account's books up to the broker, and hand in a plan.

The same two words as the desk of paper trading, with real money: nothing is sent or written before
every switch is found on, and nothing is sent before books and broker agree. Time is the broker's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import Mark
from slices.domain.calendar import last_completed_session
from slices.domain.errors import ParameterError, SymbolNotFoundError
from slices.domain.exact import price
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.trading_errors import LiveTradingRefusedError
from slices.ledger.accounts import close_session, read_book
from slices.ledger.arming import drop_refused, planned_stops
from slices.ledger.guarding import guard_losses
from slices.ledger.locking import account_lock
from slices.ledger.path import place
from slices.ledger.reconciling import reconcile
from slices.live_trade.beginning import bound, live_ledger, open_books, unbound_broker
from slices.live_trade.optin import check_opt_in
from slices.live_trade.quantities import in_shares
from slices.live_trade.wire_orders import order_fields
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.trading import OrderPlan, Placement


def settle(
    account: str,
    bars: DatasetRef,
    *,
    as_of: dt.date | None = None,
    execution: Execution = "live",
    capital: float = 0.0,  # noqa: ARG001 - the capital is what the broker holds
    costs: Costs = DEFAULT_COSTS,  # noqa: ARG001 - the broker charges its own
    rules: TradingRules = DEFAULT_RULES,  # noqa: ARG001 - the broker has its own
    limits: RiskLimits = DEFAULT_LIMITS,
    opens: bool = True,  # noqa: ARG001 - the broker knows its accounts
) -> AccountBook:
    """Bring an account up to the broker: fills are booked, both agree, positions are marked.

    Books begin with the first call, with the cash that the broker holds then. Anything that the
    broker and the books do not agree on halts the account.

    Args:
        account: Whose books.
        bars: Of everything the account holds, up to the newest session that has closed.
        as_of: That session; None takes the last of the bars.
        execution: Only `live`.
        capital: Not looked at: what the broker holds counts.
        costs: Not looked at: the broker charges its own.
        rules: Not looked at: the broker has its own.
        limits: Losses from which on it may only reduce, or nothing more; part of the confirmation.
        opens: Not looked at: every account is one of the broker's.

    Raises:
        LiveTradingRefusedError: A switch is missing; nothing was sent or written.
        ParameterError: The session is not the newest one that has closed.
        SymbolNotFoundError: The bars lack what the account holds.
        ReconciliationError: Broker and books disagree; the account is halted.
        BrokerError: The broker cannot be asked or read; the account is halted.
    """
    credentials = check_opt_in(account, execution=execution, limits=limits)
    session = as_of or bars.last_session
    broker = unbound_broker(account, credentials)
    at = broker.clock().now
    check_newest(session, at, bars)
    with live_ledger() as ledger, account_lock(ledger, account):
        broker = bound(ledger, broker, account, begins=session)
        open_books(ledger, account, at=at)
        reconcile(ledger, broker, account, at=at)
        held = tuple(each.symbol for each in read_book(ledger, account, curve=False).positions)
        marks = marks_at(bars, session, needed=held)
        close_session(ledger, account, session=session, marks=marks, at=at)
        guard_losses(ledger, broker, account, limits=limits, at=at)
        return read_book(ledger, account)


def submit(
    account: str,
    bars: DatasetRef,
    plan: OrderPlan,
    *,
    limits: RiskLimits = DEFAULT_LIMITS,
    execution: Execution = "live",
    book: AccountBook | None = None,  # noqa: ARG001 - the books are read anew
) -> Placement:
    """Hand in a plan through the risk gate: every order once, however often this is called.

    Args:
        account: Whose orders; it has been brought up to the plan's session.
        bars: What the plan was made on; orders to a weight become shares at their closes.
        plan: What is wanted.
        limits: What the gate lets through; part of the confirmation.
        execution: Only `live`.
        book: Not looked at.

    Raises:
        LiveTradingRefusedError: A switch is missing, or the account was not brought up to the
            plan's session; nothing was sent or written.
        ParameterError: An order is of a kind that the broker does not take; none was sent.
    """
    credentials = check_opt_in(account, execution=execution, limits=limits)
    broker = unbound_broker(account, credentials)
    at = broker.clock().now
    check_newest(plan.session, at, bars)
    with live_ledger() as ledger, account_lock(ledger, account):
        broker = bound(ledger, broker, account)
        known = read_book(ledger, account, curve=False)
        _check_settled(known, plan)
        prices = {each.symbol: each.price for each in marks_at(bars, plan.session)}
        turned = in_shares(plan, known, prices)
        orders, stops = turned.named(account), planned_stops(turned, account)
        for order in orders:
            order_fields(order)
        placed = place(
            ledger,
            broker,
            account,
            orders,
            limits=limits,
            session=plan.session,
            at=at,
            targets=plan.targets,
            workflow=plan.workflow,
            strategy=plan.decided_by,
            details=turned.details,
            stops=stops,
            calendar=bars.calendar,
        )
        drop_refused(ledger, stops, placed, at=at)
        return placed


def check_newest(session: dt.date, now: dt.datetime, bars: DatasetRef) -> None:
    """Check that a session is the newest that has closed: real money is not traded on old bars.

    Raises:
        ParameterError: Saying which it is.
    """
    newest = last_completed_session(now, calendar=bars.calendar)
    if session != newest:
        raise ParameterError(
            parameter="as_of", found=str(session), allowed=f"{newest}, the newest closed session"
        )


def marks_at(
    bars: DatasetRef, session: dt.date, *, needed: tuple[str, ...] = ()
) -> tuple[Mark, ...]:
    """List the closes of a session.

    Raises:
        SymbolNotFoundError: Naming what is needed and has none.
    """
    panel = read_panel(bars)
    closes = panel.close[panel.sessions.index(session)] if session in panel.sessions else ()
    marks = tuple(
        Mark(symbol=symbol, price=price(float(close)), session=session)
        for symbol, close in zip(panel.symbols, closes, strict=False)
        if close == close  # noqa: PLR0124 - a symbol without a bar has no number
    )
    absent = tuple(sorted(set(needed) - {each.symbol for each in marks}))
    if absent:
        raise SymbolNotFoundError(
            symbols=absent, source=bars.source, reason=f"held, and without a bar of {session}"
        )
    return marks


def _check_settled(book: AccountBook, plan: OrderPlan) -> None:
    if book.session != plan.session:
        raise LiveTradingRefusedError(
            found=f"books up to {book.session or 'no session'}",
            needed=f"books that were brought up to {plan.session}, the plan's session",
        )
