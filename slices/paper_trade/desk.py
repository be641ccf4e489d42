"""The desk of paper trading: bring an account's books up to a session, and hand in a plan.

The same two words as the desk of live trading. Time is that of the bars: everything is recorded at
the close of its session, never at the time of the machine, so that a run that is repeated, or was
killed and started again, leaves the same books.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slices.domain.calendar import session_close
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.ledger.accounts import read_book
from slices.ledger.arming import drop_refused, planned_stops
from slices.ledger.locking import account_lock
from slices.ledger.path import place
from slices.paper_trade.beginning import (
    CAPITAL,
    book_as_it_is,
    check_held,
    check_known,
    check_not_past,
    cost_rate,
    opened,
    paper_ledger,
)
from slices.paper_trade.living import live_until, row_of
from slices.paper_trade.looking import looked_at
from slices.paper_trade.ordered import standing_orders
from slices.paper_trade.venue import PaperBroker
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
    execution: Execution = "paper",
    capital: float = CAPITAL,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    opens: bool = True,
) -> AccountBook:
    """Bring an account up to a session: what was ordered before fills, positions are marked.

    Opens the account where there is none, unless told not to. A plan reads the books as they are
    and writes nothing.

    Args:
        account: Whose books.
        bars: Of everything the account holds, up to the session at least.
        as_of: The session; None takes the last of the bars, a day without one the last before it.
        execution: `plan` or `paper`.
        capital: Money at the start, in account currency.
        costs: Of every fill, the same for the account's whole life.
        rules: What it may trade, likewise.
        limits: Losses from which on it may only reduce, or nothing more.
        opens: Whether an account that does not exist is opened, or described; else it is refused.

    Raises:
        ParameterError: Where the account has lived longer than that, the bars begin later or lack
            what it holds, its money, costs or rules are not those it was opened with, or it does
            not exist and is not to be opened.
    """
    panel = read_panel(bars)
    session = panel.sessions[row_of(panel, as_of)]
    with paper_ledger() as ledger:
        if not opens:
            check_known(ledger, account)
        if execution == "plan":
            book = book_as_it_is(ledger, account, session=session, capital=capital)
            check_held(book, bars)
            return book
        with account_lock(ledger, account):
            broker = opened(
                ledger, account, bars, session=session, capital=capital, costs=costs, rules=rules
            )
            check_not_past(read_book(ledger, account, curve=False), session)
            live_until(ledger, broker, account, bars, panel, until=session, limits=limits)
            return read_book(ledger, account)


def submit(
    account: str,
    bars: DatasetRef,
    plan: OrderPlan,
    *,
    limits: RiskLimits = DEFAULT_LIMITS,
    execution: Execution = "paper",
    book: AccountBook | None = None,
) -> Placement:
    """Hand in a plan through the risk gate: every order once, however often this is called.

    Args:
        account: Whose orders; it has been brought up to the plan's session.
        bars: What the plan was made on.
        plan: What is wanted.
        limits: What the gate lets through.
        execution: `plan` shows what the gate says and writes nothing.
        book: The books to judge a plan by where the account is not opened yet.
    """
    orders, at = plan.named(account), session_close(plan.session, calendar=bars.calendar)
    stops = planned_stops(plan, account)
    with paper_ledger() as ledger:
        if execution == "plan":
            return looked_at(ledger, account, bars, plan, limits=limits, book=book)
        with account_lock(ledger, account):
            placed = place(
                ledger,
                PaperBroker(ledger, account),
                account,
                orders,
                limits=limits,
                session=plan.session,
                at=at,
                targets=plan.targets,
                workflow=plan.workflow,
                strategy=plan.decided_by,
                details=plan.details,
                stops=stops,
                calendar=bars.calendar,
                cost_rate=cost_rate(ledger, account),
            )
            drop_refused(ledger, stops, placed, at=at)
            if placed.is_repeated and plan.targets:
                return replace(placed, records=standing_orders(ledger, account, plan.session))
            return placed
