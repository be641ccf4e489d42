"""The findings of paper trading: the answer in one sentence, the figures, the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.paper_trading import PaperTrading
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.paper_trade.deciding import strategy_label
from slices.paper_trade.sections import (
    EQUITY,
    choice_section,
    happened_section,
    life_section,
    order_section,
    parity_section,
    unattended_note,
    worth_section,
)
from slices.paper_trade.selected import selected_caveats
from slices.paper_trade.wording import (
    gap_sentence,
    headline,
    never_caveats,
    refused_caveats,
    return_since,
)

if TYPE_CHECKING:
    from slices.domain.accounts import Execution
    from slices.domain.backtests import StrategyChoice
    from slices.domain.dataset import DatasetRef
    from slices.domain.paper_trading import AccountView, SessionsTraded
    from slices.domain.report import Section
    from slices.paper_trade.deciding import Rule


def paper_trading_findings(
    bars: DatasetRef,
    *,
    rule: Rule,
    traded: SessionsTraded,
    view: AccountView,
    execution: Execution = "paper",
    seen: tuple[Section, ...] = (),
) -> PaperTrading:
    """Put together what a run did and what the account is worth now.

    Args:
        bars: What was decided on.
        rule: What decided, and how it was chosen.
        traded: What the run did.
        view: The account afterwards.
        execution: Whether orders were sent, or only looked at.
        seen: What was found in the newest bars, for information.
    """
    choice = rule.choice
    is_plan, session = execution == "plan", str(traded.session)
    caveats = (
        *filter(None, (traded.stopped,)),
        *refused_caveats(traded.orders, view.book, session),
        *never_caveats(view),
        *selected_caveats(choice.selected, bars, session=traded.session),
        *data_caveats(bars),
    )
    notes = (*data_notes(bars), *parity_notes(view))
    parts = (
        worth_section(view),
        order_section(traded.orders, view, session, is_plan=is_plan),
        happened_section(view),
        life_section(view),
        parity_section(view),
        choice_section(choice),
        *seen,
        data_section(bars),
    )
    report = Report(
        key="paper-trading",
        title="Paper trading",
        headline=headline(view.book, traded, label=strategy_label(choice), is_plan=is_plan),
        figures=figures(view),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *unattended_note(view),
            *(Note(text=each) for each in notes),
        ),
        sections=tuple(each for each in parts if each is not None),
        chart=EQUITY,
        provenance=(),
    )
    return PaperTrading(
        headline=report.headline,
        caveats=caveats,
        summary=summary(bars, choice, traded, view),
        notes=notes,
        report=report,
        bars=bars,
        choice=choice,
        traded=traded,
        view=view,
    )


def chosen_before(choice: StrategyChoice) -> tuple[tuple[str, str], ...]:
    """Say which stored choice is traded; nothing where none is."""
    stored = choice.selected
    if stored is None:
        return ()
    return (("Chosen", f"by selection '{stored.name}' at the close of {stored.session}"),)


def parity_notes(view: AccountView) -> tuple[str, ...]:
    """Say how the account compares with a backtest, where history was replayed."""
    if view.no_parity:
        return (f"No backtest stands beside it: {view.no_parity}.",)
    return () if view.parity is None else (gap_sentence(view.parity),)


def figures(view: AccountView) -> tuple[KeyFigure, ...]:
    """Name the numbers that matter most."""
    book, beside = view.book, view.parity
    equity = float(book.equity)
    gross = float(book.long_value - book.short_value) / equity if equity > 0 else 0.0
    held = written(beside.holding[-1] / beside.holding[0] - 1, Unit.FRACTION) if beside else ""
    return (
        KeyFigure(
            label="Account value", value=equity, unit=Unit.MONEY,
            note=f"of a capital of {written(float(book.capital), Unit.MONEY)}",
        ),
        KeyFigure(
            label="Return", value=return_since(book), unit=Unit.FRACTION,
            note=f"since {book.opened}" + (f"; holding: {held}" if held else ""),
        ),
        KeyFigure(
            label="Below the peak", value=book.drawdown, unit=Unit.FRACTION,
            note=f"the highest close was {written(float(book.peak_equity), Unit.MONEY)}",
        ),
        KeyFigure(
            label="Invested", value=gross, unit=Unit.FRACTION,
            note=f"{counted(len(book.positions), 'position')}; state: {book.state.value}",
        ),
    )  # fmt: skip


def summary(
    bars: DatasetRef, choice: StrategyChoice, traded: SessionsTraded, view: AccountView
) -> tuple[tuple[str, str], ...]:
    """List what a terminal shows."""
    book = view.book
    compared = (("Paper against backtest", each) for each in parity_notes(view))
    return (
        ("Account", f"{book.name}, {book.mode.value}, {book.state.value}"),
        ("Strategy", strategy_label(choice)),
        *chosen_before(choice),
        ("Symbols", listed(bars.symbols, most=6)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Session", str(traded.session)),
        ("Account value", f"{book.equity:,.2f} of a capital of {book.capital:,.0f}"),
        ("Cash", f"{book.cash:,.2f}"),
        ("Positions", f"{len(book.positions):,}"),
        ("Below the peak", written(book.drawdown, Unit.FRACTION)),
        ("Decided in this run", f"{counted(traded.decided, 'session')}"),
        ("Orders sent", f"{traded.placed:,}, {traded.denied:,} denied"),
        ("Waiting orders", f"{len(view.waiting):,}"),
        *compared,
    )
