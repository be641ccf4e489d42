"""Words for portfolios: names, percentages, the headline and the caveats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.bars import Adjustment
from slices.domain.errors import listed

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.portfolio import Allocator, AllocatorEvaluation, HoldingsRisk

SHORT_NAMES = {
    "hierarchical_risk_parity": "HRP",
    "min_expected_shortfall": "Min shortfall",
    "inverse_volatility": "Inverse volatility",
    "max_sharpe": "Max Sharpe",
}


def label(allocator: Allocator) -> str:
    """Name an allocator for a person.

    >>> from slices.domain.portfolio import Allocator
    >>> label(Allocator.MIN_VARIANCE)
    'Min variance'
    """
    plain = allocator.value.replace("_", " ").capitalize()
    return SHORT_NAMES.get(allocator.value, plain)


def percent(fraction: float, *, digits: int = 1) -> str:
    """Write a fraction as a percentage.

    >>> percent(0.1234)
    '12.3 %'
    """
    return f"{fraction * 100:.{digits}f} %" if math.isfinite(fraction) else "–"


def money(amount: float) -> str:
    """Write an amount of account currency without decimals.

    >>> money(12345.6)
    '12,346'
    """
    return f"{amount:,.0f}"


def defined(evaluations: tuple[AllocatorEvaluation, ...]) -> tuple[AllocatorEvaluation, ...]:
    """Order evaluations by Sharpe ratio, best first, undefined ones last."""

    def rank(each: AllocatorEvaluation) -> float:
        ratio = each.performance.sharpe_ratio
        return -ratio if math.isfinite(ratio) else math.inf

    return tuple(sorted(evaluations, key=rank))


def headline(risk: HoldingsRisk, evaluations: tuple[AllocatorEvaluation, ...]) -> str:
    """Say in one sentence what the holdings risk and how allocators compared."""
    tail = risk.tails[0]
    holding = listed(risk.symbols, most=5)
    first = (
        f"Holding {holding}: volatility {percent(risk.performance.annualized_volatility)} a year, "
        f"and in one session of {round(1 / (1 - tail.confidence))} a loss of "
        f"{percent(tail.value_at_risk)} or more."
    )
    best = defined(evaluations)[0]
    return (
        f"{first} Out of sample and net of costs, {label(best.allocator)} had the best Sharpe "
        f"ratio of {len(evaluations)} allocators: {best.performance.sharpe_ratio:.2f}."
    )


def caveats(bars: DatasetRef) -> tuple[str, ...]:
    """Name what validation set aside or missed, symbol by symbol."""
    found: list[str] = []
    for each in bars.quality:
        if each.quarantined_rows:
            why = ", ".join(f"{count} x {reason}" for reason, count in each.quarantined)
            found.append(f"{each.symbol}: {each.quarantined_rows} rows set aside ({why})")
        if each.missing_sessions:
            count = len(each.missing_sessions)
            found.append(f"{each.symbol}: {count} exchange sessions without a bar")
        found += [
            f"{each.symbol}: {percent(move.change)} on {move.session} looks like a missed split"
            for move in each.suspected_splits
        ]
    return tuple(found)


def plain_notes(bars: DatasetRef, *, sessions: int) -> tuple[str, ...]:
    """Say which part of the data the figures stand on, and what the prices leave out."""
    notes = [f"The data ends on {bars.last_session}. Nothing after that date is known here."]
    latest = max(bars.quality, key=lambda each: each.first_session)
    if latest.first_session > bars.first_session:
        notes.append(
            f"{latest.symbol} begins on {latest.first_session}, so the figures stand on the "
            f"{sessions:,} sessions from then on that all symbols share."
        )
    if bars.adjustment is not Adjustment.TOTAL:
        notes.append(f"Prices are {bars.adjustment}: dividends are not counted in any return.")
    return tuple(notes)
