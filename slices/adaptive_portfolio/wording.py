"""Words for portfolios: names, the headline, the notes and the caveats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.calendar import periods_per_year
from slices.domain.data_report import LEFT_OUT, common_end, data_caveats
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.quant.validity.sharpe import sharpe_ratio_error

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.portfolio import Allocator, AllocatorEvaluation, HoldingsRisk

SHORT_NAMES = {
    "hierarchical_risk_parity": "HRP",
    "min_expected_shortfall": "Min shortfall",
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
    error = annualized_error(best, periods=periods_per_year(calendar))
    return (
        f"Holding {listed(risk.symbols, most=5)}: volatility {volatility} a year; in "
        f"{confidence_text(tail.confidence)} of sessions the loss was at most {loss}. "
        f"Out of sample and net of costs, the best Sharpe ratio of {len(evaluations)} compared was "
        f"{ratio} ± {written(error, Unit.RATIO)} ({label(best.allocator)})"
        f"{_apart(evaluations, error)}."
    )


def annualized_error(evaluation: AllocatorEvaluation, *, periods: int) -> float:
    """Estimate the standard error of an annualized Sharpe ratio of independent returns."""
    per_session = evaluation.performance.sharpe_ratio / math.sqrt(periods)
    sessions = len(evaluation.sessions)
    return sharpe_ratio_error(per_session, sessions=sessions) * math.sqrt(periods)


def _apart(evaluations: tuple[AllocatorEvaluation, ...], error: float) -> str:
    """Say whether the best is further from the next than its standard error."""
    ratios = [each.performance.sharpe_ratio for each in ranked(evaluations)[:2]]
    if len(ratios) < 2 or not ratios[0] - ratios[1] < error:
        return ""
    return ", which does not set it apart from the next"


def caveats(bars: DatasetRef, evaluations: tuple[AllocatorEvaluation, ...] = ()) -> tuple[str, ...]:
    """Name what was set aside, is missing, ends early, is old, or could not be computed."""
    found = [
        f"{label(each.allocator)}: {each.failed_refits} of {each.refits} fits did not converge"
        for each in evaluations
        if each.failed_refits
    ]
    return (*data_caveats(bars, ending="figures end there"), *found)


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
