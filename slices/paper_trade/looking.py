"""Looking at a plan: what the gate would say, with nothing written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slices.domain.calendar import session_close
from slices.domain.exact import ZERO
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.trading import Placement
from slices.ledger.accounts import has_account
from slices.ledger.facts import gate_facts
from slices.paper_trade.beginning import CAPITAL, cost_rate, paper_ledger, unopened
from slices.paper_trade.living import marks_at, row_of
from slices.quant.limits.facts import GateFacts
from slices.quant.limits.gate import judge_orders
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits
    from slices.domain.trading import OrderPlan
    from slices.ledger.opening import Ledger


def look(
    account: str,
    bars: DatasetRef,
    plan: OrderPlan,
    *,
    limits: RiskLimits = DEFAULT_LIMITS,
    book: AccountBook | None = None,
) -> Placement:
    """Show what the gate would say of a plan; nothing is sent or written. See `looked_at`."""
    with paper_ledger() as ledger:
        return looked_at(ledger, account, bars, plan, limits=limits, book=book)


def looked_at(
    ledger: Ledger,
    account: str,
    bars: DatasetRef,
    plan: OrderPlan,
    *,
    limits: RiskLimits,
    book: AccountBook | None,
) -> Placement:
    """Judge a plan by the account as it stands and the prices the plan was made at.

    Args:
        ledger: The books, read only.
        account: Whose plan it is.
        bars: What it was made on; their closes of its session are the marks.
        plan: What is wanted.
        limits: What the gate lets through.
        book: The books of an account that is not opened yet.
    """
    facts = _facts(ledger, account, bars, plan, book)
    panel = read_panel(bars)
    marked = replace(facts, marks=marks_at(panel, row_of(panel, plan.session)))
    return Placement(
        account=account,
        session=plan.session,
        decisions=judge_orders(plan.named(account), marked, limits),
        records=(),
    )


def _facts(
    ledger: Ledger, account: str, bars: DatasetRef, plan: OrderPlan, book: AccountBook | None
) -> GateFacts:
    at = session_close(plan.session, calendar=bars.calendar)
    if has_account(ledger, account):
        return gate_facts(
            ledger,
            account,
            session=plan.session,
            at=at,
            calendar=bars.calendar,
            cost_rate=cost_rate(ledger, account),
        )
    return GateFacts(
        book=book or unopened(account, session=plan.session, capital=CAPITAL),
        session=plan.session,
        at=at,
        marks=(),
        recent_orders=(),
        recent_fills=(),
        unsettled_cash=ZERO,
        calendar=bars.calendar,
    )
