"""The findings of position sizing: how much of each symbol, and what it was limited by."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.position_sizing import BoundName, PositionSize, PositionSizing
from slices.domain.report import KeyFigure, Note, Report, Section, Tone, Unit
from slices.domain.sizing import SizeFailure
from slices.position_sizing.size_tables import (
    CHART,
    bounds_table,
    kelly_table,
    size_chart,
    sizes_table,
    tails_table,
    volatility_table,
)

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook
    from slices.domain.backtests import Backtest, StrategyChoice
    from slices.domain.dataset import LoadedBars
    from slices.position_sizing.bounds import Terms

MOST_DETAILED = 8
MOST_NAMED = 4


def position_sizing_findings(
    loaded: LoadedBars,
    outcomes: tuple[PositionSize | SizeFailure, ...],
    *,
    choice: StrategyChoice,
    tested: Backtest,
    terms: Terms,
    book: AccountBook | None = None,
    capital: float = 100_000.0,
) -> PositionSizing:
    """Put sizes together and say what limits them.

    Args:
        loaded: The bars, and what was left out.
        outcomes: One for each symbol.
        choice: The strategy whose trades feed the Kelly rule.
        tested: What became of it.
        terms: What a person set.
        book: The account's books, where one was named.
        capital: Money, where none was.
    """
    bars = loaded.bars
    sizes = tuple(each for each in outcomes if isinstance(each, PositionSize))
    failures = tuple(each for each in outcomes if isinstance(each, SizeFailure))
    equity = capital if book is None else float(book.equity)
    caveats = (
        *(str(each) for each in loaded.left_out),
        *(f"{each.symbol}: no size, {each.reason}" for each in failures),
        *(
            f"{each.symbol}: {each.scaling.basis}"
            for each in sizes
            if not each.scaling.regime
        ),
        *book_caveats(book, bars.last_session),
        *data_caveats(bars),
    )  # fmt: skip
    said = (*data_notes(bars), *unknown_notes(sizes))
    report = Report(
        key="position-sizing",
        title="Position sizing",
        headline=headline(sizes, failures),
        figures=_figures(sizes, equity),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in said),
        ),
        sections=(*size_sections(sizes, terms=terms, label=tested.label), data_section(bars)),
        chart=CHART,
        provenance=(),
    )
    return PositionSizing(
        headline=report.headline,
        caveats=caveats,
        summary=(
            ("Equity", written(equity, Unit.MONEY)),
            ("Account", book.name if book else "none, the capital alone"),
            ("Strategy", tested.label),
            ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
            *((each.symbol, size_sentence(each)) for each in sizes),
        ),
        notes=said,
        report=report,
        bars=bars,
        account=book.name if book else "",
        equity=equity,
        left_out=loaded.left_out,
        choice=choice,
        tested=tested,
        sizes=sizes,
        failures=failures,
    )


def headline(sizes: tuple[PositionSize, ...], failures: tuple[SizeFailure, ...]) -> str:
    """Answer the question in one sentence."""
    if not sizes:
        return f"No size can be given for {listed(tuple(each.symbol for each in failures))}."
    if len(sizes) <= MOST_NAMED:
        named = "; ".join(f"{each.symbol} {size_sentence(each)}" for each in sizes)
        return f"At the close of {sizes[0].session}: {named}."
    largest = max(sizes, key=lambda each: each.weight)
    empty = sum(each.quantity == 0 for each in sizes)
    return (
        f"Of {counted(len(sizes), 'symbol')} at the close of {sizes[0].session}, {empty:,} get no "
        f"size; the largest is {largest.symbol}, {size_sentence(largest)}."
    )


def book_caveats(book: AccountBook | None, session: dt.date) -> tuple[str, ...]:
    """Say where an account's books are of another session than the sizes."""
    if book is None or book.session in (None, session):
        return ()
    return (
        f"The books of account '{book.name}' are of {book.session}, the sizes of {session}: cash "
        "and positions are those of the books",
    )


def size_sentence(size: PositionSize) -> str:
    """Say a size in half a sentence."""
    if size.quantity == 0:
        return f"nothing ({size.bound_by.value})"
    return (
        f"{size.quantity:,.6g} shares, {written(size.weight, Unit.FRACTION)} of equity "
        f"({size.bound_by.value})"
    )


def unknown_notes(sizes: tuple[PositionSize, ...]) -> tuple[str, ...]:
    """Say which caps have no say because what they need is not known."""
    unknown = {
        (bound.name, bound.basis)
        for each in sizes
        for bound in each.bounds
        if bound.is_cap and not bound.counts
    }
    return tuple(f"Not held against {name.value}: {basis}." for name, basis in sorted(unknown))


def size_sections(
    sizes: tuple[PositionSize, ...], *, terms: Terms, label: str
) -> tuple[Section, ...]:
    """Show sizes, what limits them, what they stand on and what they risk."""
    if not sizes:
        return ()
    detailed = sizes[:MOST_DETAILED]
    more = f" The first {MOST_DETAILED} are shown in detail." if len(sizes) > MOST_DETAILED else ""
    return (
        Section(
            title="How much",
            intro=(
                "The smallest of what the rules in use ask for, scaled by the regime, cut by every "
                "cap and rounded down. It is no advice to open a position, and each is sized as if "
                "it were the only one that changes."
            ),
            blocks=(sizes_table(sizes), size_chart(sizes)),
        ),
        Section(
            title="What limits each",
            intro=f"Every rule and cap, with what it stands on.{more}",
            blocks=tuple(bounds_table(each) for each in detailed),
        ),
        Section(
            title="What they stand on",
            intro=f"Volatility and regime of today, and the closed trades of {label}.",
            blocks=(
                volatility_table(sizes, sessions=terms.sizing.volatility_sessions),
                kelly_table(sizes),
            ),
        ),
        Section(
            title="What they risk",
            blocks=(tails_table(sizes, confidence=terms.budget.confidence),),
        ),
    )


def _figures(sizes: tuple[PositionSize, ...], equity: float) -> tuple[KeyFigure, ...]:
    largest = max(sizes, key=lambda each: each.weight, default=None)
    sized = [each for each in sizes if each.quantity > 0]
    edges = sum(_has_edge(each) for each in sizes)
    worst = max((each.after.expected_shortfall for each in sizes), default=math.nan)
    return (
        KeyFigure(
            label="Largest size",
            value=largest.weight if largest else math.nan,
            unit=Unit.FRACTION,
            note=f"{largest.symbol}, of equity {written(equity, Unit.MONEY)}" if largest else "",
        ),
        KeyFigure(
            label="Symbols with a size", value=len(sized), unit=Unit.COUNT,
            note=f"of {counted(len(sizes), 'symbol')}",
        ),
        KeyFigure(
            label="Symbols with an edge", value=edges, unit=Unit.COUNT,
            note="whose closed trades gained on average",
        ),
        KeyFigure(
            label="Largest expected shortfall", value=worst, unit=Unit.FRACTION,
            note="of the account in one session, with the position",
        ),
    )  # fmt: skip


def _has_edge(size: PositionSize) -> bool:
    return any(each.name is BoundName.KELLY and each.weight > 0 for each in size.bounds)
