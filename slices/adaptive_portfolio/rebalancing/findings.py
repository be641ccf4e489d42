"""The findings of a rebalancing: the answer in one sentence, the figures, the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.rebalancing.sections import (
    WEIGHTS,
    check_section,
    trade_off_section,
    trade_section,
)
from slices.domain.accounts import TradingState
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.orders import OrderState, Side
from slices.domain.rebalancing import PortfolioRebalance
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.domain.trading import Placement

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.rebalancing import RebalancePlan

REFUSED = frozenset({OrderState.DENIED, OrderState.REJECTED})


def nothing_to_place(account: str, plan: RebalancePlan) -> Placement:
    """Describe a plan without trades: nobody was asked."""
    return Placement(account=account, session=plan.session, decisions=(), records=())


def portfolio_rebalance_findings(
    bars: DatasetRef,
    *,
    book: AccountBook,
    plan: RebalancePlan,
    looked: Placement,
    placed: Placement,
    execution: Execution,
    refusal: str = "",
) -> PortfolioRebalance:
    """Put a plan, what the gate says of it and what became of it together.

    Args:
        bars: What it was planned on.
        book: The account before it.
        plan: The trades.
        looked: What the gate says.
        placed: What became of them.
        execution: Whether orders were sent, or only looked at.
        refusal: Why a person did not let them leave; empty where nobody refused them.
    """
    caveats = (*plan_caveats(book, plan, refusal), *refusals(looked, placed), *data_caveats(bars))
    notes = (*unopened_notes(book, execution), *plan_notes(plan, placed), *data_notes(bars))
    parts = (
        trade_section(plan),
        check_section(plan, plan.orders, looked) if plan.trades else None,
        trade_off_section(plan),
        data_section(bars),
    )
    report = Report(
        key="portfolio-rebalance",
        title="Portfolio rebalancing",
        headline=headline(plan, placed, execution=execution, refusal=refusal),
        figures=figures(plan),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=tuple(each for each in parts if each is not None),
        chart=WEIGHTS,
        provenance=(),
    )
    return PortfolioRebalance(
        headline=report.headline,
        caveats=caveats,
        summary=summary(bars, book, plan, placed),
        notes=notes,
        report=report,
        bars=bars,
        book=book,
        plan=plan,
        looked=looked,
        placed=placed,
    )


def headline(
    plan: RebalancePlan, placed: Placement, *, execution: Execution, refusal: str = ""
) -> str:
    """Say in one sentence what is traded."""
    if not plan.trades:
        return f"Nothing to trade at the close of {plan.session}: " + (
            f"{counted(plan.waiting, 'order')} wait to be filled."
            if plan.waiting
            else "everything is inside its band, too small, or beyond what cash pays for."
        )
    sales = sum(each.side is Side.SELL for each in plan.orders.orders)
    where = "back to" if any(each.held for each in plan.lines) else "to"
    trades = (
        f"{counted(sales, 'sale')} and {counted(len(plan.trades) - sales, 'purchase')} bring the "
        f"account {where} target, turning over {written(plan.turnover, Unit.FRACTION)} at a cost "
        f"of {written(plan.costs, Unit.MONEY)}"
    )
    if refusal or execution == "plan":
        return f"{trades}; {'not approved, so ' if refusal else ''}nothing was sent."
    sent = sum(each.state not in REFUSED for each in placed.records)
    again = " before" if placed.is_repeated else ""
    return f"{trades}; {counted(sent, 'order')} went through{again}."


def plan_caveats(book: AccountBook, plan: RebalancePlan, refusal: str) -> tuple[str, ...]:
    """Say what keeps the account from its targets."""
    found = [f"the orders were not approved: {refusal}"] if refusal else []
    if plan.unpriced:
        found.append(f"no close on {plan.session}, so not traded: {listed(plan.unpriced)}")
    if plan.unfunded:
        found.append(
            f"cash does not reach {listed(plan.unfunded)}: what is held above its target stays "
            "inside its band and is not sold for it"
        )
    if book.state is not TradingState.ACTIVE:
        found.append(f"the account is {book.state.value}: {book.state_reason}")
    return tuple(found)


def refusals(looked: Placement, placed: Placement) -> tuple[str, ...]:
    """Name every order the gate or the broker said no to, with its reasons."""
    if placed.records:
        return tuple(
            f"{each.order.symbol}: the order was {each.state.value}: {'; '.join(each.reasons)}"
            for each in placed.records
            if each.state in REFUSED
        )
    return tuple(
        f"the risk gate would deny {each.client_order_id}: {'; '.join(map(str, each.breaches))}"
        for each in looked.decisions
        if not each.is_accepted
    )


def unopened_notes(book: AccountBook, execution: Execution) -> tuple[str, ...]:
    """Say of an account that is only described that nothing of it is in the books yet."""
    if execution != "plan" or book.session is not None:
        return ()
    return (
        f"Account '{book.name}' is not opened yet: this is what it would do with a capital of "
        f"{book.capital:,.2f}.",
    )


def plan_notes(plan: RebalancePlan, placed: Placement) -> tuple[str, ...]:
    """Say what has to be known to read the figures right."""
    found = [plan.targets.basis]
    if plan.waiting:
        found.append(
            f"{counted(plan.waiting, 'order')} waited to be filled and counted as filled at the "
            f"closes of {plan.session}."
        )
    if placed.is_repeated:
        found.append("This session was decided before: nothing new was sent.")
    found.append("Costs are commission and half spread; market impact is not estimated.")
    return tuple(found)


def figures(plan: RebalancePlan) -> tuple[KeyFigure, ...]:
    """Name the numbers that matter most."""
    before = written(plan.tracking_before, Unit.FRACTION)
    cash = plan.cash_after / plan.equity if plan.equity > 0 else 0.0
    return (
        KeyFigure(
            label="Trades", value=len(plan.trades), unit=Unit.COUNT,
            note=f"of {counted(len(plan.lines), 'symbol')}",
        ),
        KeyFigure(
            label="Turnover", value=plan.turnover, unit=Unit.FRACTION,
            note="one-way, of equity",
        ),
        KeyFigure(
            label="Costs", value=plan.costs, unit=Unit.MONEY,
            note=f"of an equity of {written(plan.equity, Unit.MONEY)}",
        ),
        KeyFigure(
            label="Tracking error", value=plan.tracking_after, unit=Unit.FRACTION,
            note=f"a year, against the targets; before: {before}",
        ),
        KeyFigure(
            label="Cash afterwards", value=cash, unit=Unit.FRACTION,
            note=f"{written(plan.cash_after, Unit.MONEY)}",
        ),
    )  # fmt: skip


def summary(
    bars: DatasetRef, book: AccountBook, plan: RebalancePlan, placed: Placement
) -> tuple[tuple[str, str], ...]:
    """List what a terminal shows."""
    sent = sum(each.state not in REFUSED for each in placed.records)
    before, after = (
        written(each, Unit.FRACTION) for each in (plan.tracking_before, plan.tracking_after)
    )
    return (
        ("Account", f"{book.name}, {book.mode.value}, {book.state.value}"),
        ("Session", str(plan.session)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Equity", written(plan.equity, Unit.MONEY)),
        ("Trades", f"{len(plan.trades):,}"),
        ("Turnover", written(plan.turnover, Unit.FRACTION)),
        ("Costs", written(plan.costs, Unit.MONEY)),
        ("Tracking error", f"{before} before, {after} after"),
        ("Cash afterwards", written(plan.cash_after, Unit.MONEY)),
        ("Orders that went through", f"{sent:,}"),
    )
