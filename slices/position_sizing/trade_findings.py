"""The findings of a risk-adjusted trade: taken or refused, at what size, with which exits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.numbers import written
from slices.domain.orders import OrderState, Side
from slices.domain.position_sizing import PositionSize, RiskAdjustedTrade
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.position_sizing.size import unchanged
from slices.position_sizing.sizing_findings import unknown_notes
from slices.position_sizing.trade_sections import (
    PATH,
    check_section,
    limits_section,
    risk_section,
    trade_section,
)

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.position_sizing import FirstCheck, TradeProposal
    from slices.domain.report import Section
    from slices.domain.trading import Placement

DONE = {Side.BUY: "buys", Side.SELL: "sells"}
TURNED_DOWN = (OrderState.DENIED, OrderState.REJECTED)


def risk_adjusted_findings(
    bars: DatasetRef,
    proposal: TradeProposal,
    placement: Placement,
    check: FirstCheck,
    *,
    book: AccountBook,
    execution: Execution = "paper",
    refusal: str = "",
) -> RiskAdjustedTrade:
    """Put a trade together and say what became of it.

    Args:
        bars: The universe.
        proposal: Size and exits, or why there is no trade.
        placement: What the order path made of it.
        check: What the books said right after.
        book: The account before the trade.
        execution: Whether it was sent, or only looked at.
        refusal: Why a person did not let the order leave; empty where nobody refused it.
    """
    is_made = not (proposal.refusals or refusal or is_turned_down(check))
    if isinstance(proposal.size, PositionSize) and not (is_made or proposal.refusals):
        proposal = replace(proposal, size=unchanged(proposal.size, held=proposal.held))
    size = proposal.size
    caveats = (
        *(f"No order: {each}" for each in proposal.refusals),
        *refusal_caveats(refusal),
        *check.problems,
        *state_caveats(book),
        *data_caveats(bars),
    )
    sized = (size,) if isinstance(size, PositionSize) else ()
    said = (
        *data_notes(bars),
        *unknown_notes(sized),
        *(each.explanation for each in sized),
        *repeated_notes(placement),
    )
    report = Report(
        key="risk-adjusted-trading",
        title="A trade by its risk",
        headline=headline(proposal, placement, check, execution=execution, refusal=refusal),
        figures=_figures(proposal, is_made=is_made),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in said),
        ),
        sections=_sections(bars, proposal, check),
        chart=PATH,
        provenance=(),
    )
    return RiskAdjustedTrade(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(bars, proposal, check, book=book, execution=execution, is_made=is_made),
        notes=said,
        report=report,
        bars=bars,
        account=book.name,
        execution=execution,
        proposal=proposal,
        placement=placement,
        check=check,
    )


def headline(
    proposal: TradeProposal,
    placement: Placement,
    check: FirstCheck,
    *,
    execution: Execution,
    refusal: str = "",
) -> str:
    """Say in one sentence whether the trade is taken, at what size, with which exits."""
    size, exits = proposal.size, proposal.exits
    if proposal.refusals or exits is None or not isinstance(size, PositionSize):
        return f"No trade in {proposal.symbol}: {'; '.join(proposal.refusals)}."
    target = "" if exits.target_price is None else f", target {exits.target_price:,.2f}"
    trade = (
        f"{proposal.quantity:,.6g} {proposal.symbol} at about {size.price:,.2f} "
        f"({written(size.weight, Unit.FRACTION)} of equity in all, limited by "
        f"{size.bound_by.value}), stop {exits.stop_price:,.2f}{target}"
    )
    verb = DONE[proposal.side]
    if refusal:
        return f"Not approved: account '{placement.account}' would {verb[:-1]} {trade}."
    if check.problems:
        return f"Account '{placement.account}' has a problem with a trade of {trade}."
    if execution == "plan":
        return f"Account '{placement.account}' would {verb.removesuffix('s')} {trade}."
    if placement.is_repeated:
        return (
            f"This trade was decided before, so nothing was sent; account '{placement.account}' "
            f"{verb} {trade}."
        )
    return f"Account '{placement.account}' {verb} {trade}, at the next session."


def is_turned_down(check: FirstCheck) -> bool:
    """Tell whether there are orders and none of them was let through."""
    return bool(check.orders) and all(each.state in TURNED_DOWN for each in check.orders)


def refusal_caveats(refusal: str) -> tuple[str, ...]:
    """Say why a person did not let the order leave."""
    return (f"The order was not approved, so it was not sent: {refusal}",) if refusal else ()


def state_caveats(book: AccountBook) -> tuple[str, ...]:
    """Say where an account may not do everything."""
    if book.state is TradingState.ACTIVE:
        return ()
    return (f"Account '{book.name}' is {book.state.value}: {book.state_reason}",)


def repeated_notes(placement: Placement) -> tuple[str, ...]:
    """Say that nothing was sent because it had been decided before."""
    if not placement.is_repeated:
        return ()
    return (
        f"A trade of this symbol and side was decided at the close of {placement.session} before: "
        "it stands, and nothing was sent.",
    )


def _sections(bars: DatasetRef, proposal: TradeProposal, check: FirstCheck) -> tuple[Section, ...]:
    size = proposal.size
    limited = (limits_section(size),) if isinstance(size, PositionSize) else ()
    checked = (check_section(check),) if check.orders or check.stops else ()
    return (
        trade_section(bars, proposal),
        risk_section(proposal),
        *limited,
        *checked,
        data_section(bars),
    )


def _weight(proposal: TradeProposal, size: PositionSize, *, is_made: bool) -> str:
    held = proposal.held * size.price / size.equity
    return written(size.weight if is_made else held, Unit.FRACTION)


def _figures(proposal: TradeProposal, *, is_made: bool) -> tuple[KeyFigure, ...]:
    size, risk = proposal.size, proposal.risk
    measured = (
        KeyFigure(
            label=f"Volatility of {risk.symbol}", value=risk.annualized_volatility,
            unit=Unit.FRACTION, note=f"a year, over {risk.sessions:,} sessions weighted equally",
        ),
        KeyFigure(
            label="Beta", value=risk.beta, unit=Unit.RATIO, note="to the rest of the universe",
        ),
    )  # fmt: skip
    if not isinstance(size, PositionSize):
        return measured
    at_stake = KeyFigure(
        label="Lost at the stop", value=size.loss_at_stop / size.equity, unit=Unit.FRACTION,
        note=f"of equity, {written(size.loss_at_stop, Unit.MONEY)}",
    )  # fmt: skip
    return (
        KeyFigure(
            label="Shares to trade", value=proposal.quantity if is_made else 0.0, unit=Unit.COUNT,
            note=f"the position is {_weight(proposal, size, is_made=is_made)} of equity",
        ),
        *((at_stake,) if is_made else ()),
        KeyFigure(
            label="Expected shortfall after", value=size.after.expected_shortfall,
            unit=Unit.FRACTION,
            note=f"before: {written(size.before.expected_shortfall, Unit.FRACTION)}",
        ),
        *measured,
    )  # fmt: skip


def _summary(
    bars: DatasetRef,
    proposal: TradeProposal,
    check: FirstCheck,
    *,
    book: AccountBook,
    execution: Execution,
    is_made: bool,
) -> tuple[tuple[str, str], ...]:
    size, exits = proposal.size, proposal.exits
    rows = [
        ("Account", f"{book.name}, {book.state.value}, {book.equity:,.2f}"),
        ("Execution", execution),
        ("Trade", f"{proposal.side.value} {proposal.quantity:,.6g} {proposal.symbol}"),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Session", str(proposal.plan.session)),
    ]
    if isinstance(size, PositionSize):
        rows += [
            ("Limited by", size.bound_by.value),
            ("Weight", _weight(proposal, size, is_made=is_made)),
        ]
    if exits is not None and is_made:
        rows += [
            (f"Stop ({exits.stop})", written(exits.stop_price, Unit.MONEY)),
            ("Target", written(exits.target_price, Unit.MONEY)),
        ]
    if isinstance(size, PositionSize):
        rows += [
            ("Value at risk", _change(size.before.value_at_risk, size.after.value_at_risk)),
            (
                "Expected shortfall",
                _change(size.before.expected_shortfall, size.after.expected_shortfall),
            ),
        ]
    rows += [
        ("Order", f"{each.state.value}, {each.order.client_order_id}") for each in check.orders
    ]
    rows += [("Stop waits", f"{each.kind.value}, {each.status.value}") for each in check.stops]
    return tuple(rows)


def _change(before: float, after: float) -> str:
    return f"{written(before, Unit.FRACTION)} before, {written(after, Unit.FRACTION)} after"
