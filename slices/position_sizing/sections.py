"""Sizing advice as a section of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.report import Note, Section, Table, Tone, Unit
from slices.domain.sizing import SizeAdvice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.sizing import SizeFailure


def sizing_section(
    batches: Sequence[tuple[SizeAdvice | SizeFailure, ...]], *, capital: float
) -> Section:
    """Show how large a long position in each symbol may be, and what limits it."""
    outcomes = tuple(each for batch in batches for each in batch)
    advised = tuple(each for each in outcomes if isinstance(each, SizeAdvice))
    failed = tuple(each for each in outcomes if not isinstance(each, SizeAdvice))
    return Section(
        title="How much",
        intro=(
            "The size of a long position in each symbol on its own, were one opened: the smallest "
            "of what the volatility target, the risk per trade up to the stop, the shrunk Kelly "
            "rule and the largest weight allow. It is no advice to open one, and the positions "
            "are not sized against each other."
        ),
        blocks=(
            size_table(advised, capital=capital),
            *(
                Note(text=f"{each.symbol}: no size, {each.reason}.", tone=Tone.WARNING)
                for each in failed
            ),
        ),
    )


def size_table(advised: Sequence[SizeAdvice], *, capital: float) -> Table:
    """List weight, shares, stop and what bound, symbol by symbol."""
    return Table(
        key="sizes",
        title=f"Sizes for a capital of {capital:,.0f}",
        columns=(
            "Symbol", "Close", "By volatility", "By risk", "By Kelly", "Weight", "Shares", "Stop",
            "Bound by",
        ),
        units=(
            Unit.TEXT, Unit.MONEY, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.COUNT, Unit.MONEY, Unit.TEXT,
        ),
        rows=tuple(
            (
                each.symbol,
                each.close,
                each.volatility_weight,
                each.risk_weight,
                each.kelly_weight,
                each.weight,
                each.quantity,
                each.stop_price,
                each.bound_by,
            )
            for each in advised
        ),
        caption="Kelly looks at the newest three years of holding; a negative mean gives 0.",
    )  # fmt: skip
