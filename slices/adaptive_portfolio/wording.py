"""Words for portfolios: names, the headline, the notes and the caveats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.bars import Adjustment
from slices.domain.calendar import missed_sessions, periods_per_year
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import Unit

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef, SymbolQuality
    from slices.domain.portfolio import Allocator, AllocatorEvaluation, HoldingsRisk

SHORT_NAMES = {
    "hierarchical_risk_parity": "HRP",
    "min_expected_shortfall": "Min shortfall",
    "max_sharpe": "Max Sharpe",
}
LEFT_OUT = {
    Adjustment.RAW: "Prices are not adjusted: splits and dividends are in no return.",
    Adjustment.SPLIT: "Prices are adjusted for splits only: dividends are in no return.",
}


def label(allocator: Allocator) -> str:
    """Name an allocator for a person.

    >>> from slices.domain.portfolio import Allocator
    >>> label(Allocator.MIN_VARIANCE)
    'Min variance'
    """
    plain = allocator.value.replace("_", " ").capitalize()
    return SHORT_NAMES.get(allocator.value, plain)


def confidence_text(confidence: float) -> str:
    """Write a confidence with as many digits as it has.

    >>> confidence_text(0.95), confidence_text(0.975)
    ('95%', '97.5%')
    """
    return f"{round(confidence * 100, 6):g}%"


def ranked(evaluations: tuple[AllocatorEvaluation, ...]) -> tuple[AllocatorEvaluation, ...]:
    """Order evaluations by Sharpe ratio, best first, undefined ones last."""

    def rank(each: AllocatorEvaluation) -> float:
        ratio = each.performance.sharpe_ratio
        return -ratio if math.isfinite(ratio) else math.inf

    return tuple(sorted(evaluations, key=rank))


def headline(
    risk: HoldingsRisk, evaluations: tuple[AllocatorEvaluation, ...], *, calendar: str
) -> str:
    """Say in one sentence what the holdings risk and how allocators compared."""
    tail = risk.tails[0]
    volatility = written(risk.performance.annualized_volatility, Unit.FRACTION)
    loss = written(tail.value_at_risk, Unit.FRACTION)
    best = ranked(evaluations)[0]
    ratio = written(best.performance.sharpe_ratio, Unit.RATIO)
    error = sharpe_ratio_error(best, periods=periods_per_year(calendar))
    return (
        f"Holding {listed(risk.symbols, most=5)}: volatility {volatility} a year; in "
        f"{confidence_text(tail.confidence)} of sessions the loss was at most {loss}. "
        f"Out of sample and net of costs, the best Sharpe ratio of {len(evaluations)} compared was "
        f"{ratio} ± {written(error, Unit.RATIO)} ({label(best.allocator)})"
        f"{_apart(evaluations, error)}."
    )


def sharpe_ratio_error(evaluation: AllocatorEvaluation, *, periods: int) -> float:
    """Estimate the standard error of an annualized Sharpe ratio of independent returns.

    References:
        Lo (2002), The Statistics of Sharpe Ratios, equation 9.
    """
    years = len(evaluation.sessions) / periods
    per_session = evaluation.performance.sharpe_ratio / math.sqrt(periods)
    return math.sqrt((1 + per_session**2 / 2) / years)


def _apart(evaluations: tuple[AllocatorEvaluation, ...], error: float) -> str:
    """Say whether the best is further from the next than its standard error."""
    ratios = [each.performance.sharpe_ratio for each in ranked(evaluations)[:2]]
    if len(ratios) < 2 or not ratios[0] - ratios[1] < error:
        return ""
    return ", which does not set it apart from the next"


def common_end(bars: DatasetRef) -> dt.date:
    """Return the last session that every symbol can have a bar in: there the figures end."""
    return min(each.last_session for each in bars.quality)


def caveats(bars: DatasetRef, evaluations: tuple[AllocatorEvaluation, ...] = ()) -> tuple[str, ...]:
    """Name what was set aside, is missing, ends early, is old, or could not be computed."""
    latest = max(each.last_session for each in bars.quality)
    found = [each for quality in bars.quality for each in _symbol_caveats(quality, bars, latest)]
    found += [
        f"{label(each.allocator)}: {each.failed_refits} of {each.refits} fits did not converge"
        for each in evaluations
        if each.failed_refits
    ]
    return tuple(found)


def _symbol_caveats(quality: SymbolQuality, bars: DatasetRef, latest: dt.date) -> list[str]:
    found: list[str] = []
    if quality.quarantined_rows:
        why = ", ".join(f"{count} x {reason}" for reason, count in quality.quarantined)
        found.append(f"{quality.quarantined_rows} rows set aside ({why})")
    if quality.missing_sessions:
        found.append(f"{len(quality.missing_sessions)} exchange sessions without a bar")
    if quality.last_session < latest:
        found.append(f"ends on {quality.last_session}, the others on {latest}: figures end there")
    if bars.as_of is not None:
        missed = missed_sessions(quality.last_session, bars.as_of, calendar=bars.calendar)
        if missed:
            found.append(f"the newest bar, of {quality.last_session}, is {missed} sessions old")
    found += [
        f"{written(move.change, Unit.FRACTION)} on {move.session} "
        + ("looks like a missed split" if move.looks_like_split else "is not explained by the data")
        for move in quality.large_moves
        if not move.explained
    ]
    return [f"{quality.symbol}: {each}" for each in found]


def plain_notes(
    bars: DatasetRef, evaluations: tuple[AllocatorEvaluation, ...], *, sessions: int
) -> tuple[str, ...]:
    """Say which part of the data the figures stand on, and what the prices leave out."""
    notes = [f"The figures end on {common_end(bars)}. Nothing after that date is known here."]
    youngest = max(bars.quality, key=lambda each: each.first_session)
    if youngest.first_session > bars.first_session:
        notes.append(
            f"{youngest.symbol} begins on {youngest.first_session}, so the figures stand on the "
            f"{sessions:,} sessions from then on that all symbols share."
        )
    if bars.adjustment in LEFT_OUT:
        notes.append(LEFT_OUT[bars.adjustment])
    notes += [
        f"{label(each.allocator)} had no answer in {each.undefined_refits} of {each.refits} fits "
        f"({'; '.join(each.refit_reasons)}). Its previous weights were kept."
        for each in evaluations
        if each.undefined_refits
    ]
    return tuple(notes)
