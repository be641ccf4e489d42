"""The report of an ensemble of strategies: its answer, its figures, its charts and tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.ensemble_members import (
    attribution,
    members_of,
    sleeve_correlations,
)
from slices.adaptive_portfolio.ensemble_sections import (
    combined_section,
    members_section,
    profit_section,
)
from slices.adaptive_portfolio.ensembles import LABELS
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.ensembles import Combination, MultiStrategyPortfolio
from slices.domain.numbers import written
from slices.domain.report import (
    KeyFigure,
    Note,
    Report,
    Section,
    Tone,
    Unit,
)
from slices.domain.verdict_report import verdict_figure, verdict_section, verdict_sentence

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.ensembles import (
        CombinationPlan,
        MemberResult,
        Sleeve,
    )
    from slices.domain.portfolio import Performance


def ensemble_findings(
    bars: DatasetRef,
    *,
    sleeves: list[Sleeve],
    plans: tuple[CombinationPlan, ...],
    backtests: list[Backtest],
    chosen: Combination,
    details: tuple[Section, ...] = (),
) -> MultiStrategyPortfolio:
    """Put members and ensembles side by side and say whether combining them helped.

    Args:
        bars: The symbols that were traded.
        sleeves: The strategies, traded alone.
        plans: One per combination.
        backtests: What became of each plan, in the same order.
        chosen: The combination that was asked for.
        details: Sections about the chosen combination's account.
    """
    place = [each.combination for each in plans].index(chosen)
    tested, plan = backtests[place], plans[place]
    members = members_of(bars, sleeves=sleeves, plan=plan, backtest=tested)
    parts = attribution(tested, members)
    correlations = sleeve_correlations(sleeves)
    notes = (*data_notes(bars), *_idle_notes(plan), *tested.remarks)
    caveats = (*data_caveats(bars), *_never_traded(members))
    report = Report(
        key="multi-strategy-portfolio",
        title="Multi-strategy portfolio",
        headline=_headline(tested, members, chosen, correlations),
        figures=_figures(tested, members, correlations),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=(
            members_section(members, correlations),
            combined_section(plans, backtests, members, chosen),
            profit_section(members, parts),
            verdict_section(tested.verdict),
            *details,
            data_section(bars),
        ),
        chart="ensemble-equity",
        provenance=(),
    )
    return MultiStrategyPortfolio(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(tested, backtests, plans, members),
        notes=notes,
        report=report,
        bars=bars,
        members=members,
        correlations=correlations,
        chosen=chosen,
        backtests=tuple(backtests),
        attribution=parts,
    )


def average_correlation(correlations: tuple[tuple[float, ...], ...]) -> float:
    """Average the correlations of pairs that have one; NaN where there is no pair.

    >>> average_correlation(((1.0, 0.5), (0.5, 1.0)))
    0.5
    """
    matrix = np.array(correlations)
    pairs = matrix[np.triu_indices(len(matrix), k=1)]
    known = pairs[np.isfinite(pairs)]
    return float(known.mean()) if known.size else math.nan


def _ratios(members: tuple[MemberResult, ...]) -> list[float]:
    found = [each.performance.sharpe_ratio for each in members]
    return [each for each in found if math.isfinite(each)]


def _headline(
    tested: Backtest,
    members: tuple[MemberResult, ...],
    chosen: Combination,
    correlations: tuple[tuple[float, ...], ...],
) -> str:
    ratio = tested.performance.sharpe_ratio
    ratios = _ratios(members)
    traded = (
        f"its {len(members)} members had"
        if len(ratios) == len(members)
        else f"the {len(ratios)} of its {len(members)} members that traded had"
    )
    compared = (
        f"{traded} {written(sum(ratios) / len(ratios), Unit.RATIO)} on "
        f"average and {written(max(ratios), Unit.RATIO)} at best"
        if ratios
        else "none of its members ever traded"
    )
    alike = written(average_correlation(correlations), Unit.RATIO)
    held = written(tested.benchmark_performance.sharpe_ratio, Unit.RATIO)
    return (
        f"Combined by {LABELS[chosen].lower()}, the strategies had a Sharpe ratio of "
        f"{written(ratio, Unit.RATIO)} net of costs; {compared}; holding the symbols had {held}. "
        f"The strategies correlate by {alike} on average. "
        f"Verdict: {verdict_sentence(tested.verdict)}"
    )


def _figures(
    tested: Backtest,
    members: tuple[MemberResult, ...],
    correlations: tuple[tuple[float, ...], ...],
) -> tuple[KeyFigure, ...]:
    ratios = _ratios(members)
    mean = sum(ratios) / len(ratios) if ratios else math.nan
    best = max(ratios, default=math.nan)
    held = tested.benchmark_performance
    return (
        KeyFigure(
            label="Sharpe ratio", value=tested.performance.sharpe_ratio, unit=Unit.RATIO,
            note=f"members: {written(mean, Unit.RATIO)} on average, "
            f"{written(best, Unit.RATIO)} at best",
        ),
        KeyFigure(
            label="Return a year", value=tested.performance.annualized_return, unit=Unit.FRACTION,
            note=f"holding the symbols: {written(held.annualized_return, Unit.FRACTION)}",
        ),
        KeyFigure(
            label="Largest drawdown", value=tested.performance.max_drawdown, unit=Unit.FRACTION,
            note=f"holding the symbols: {written(held.max_drawdown, Unit.FRACTION)}",
        ),
        KeyFigure(
            label="Average correlation", value=average_correlation(correlations), unit=Unit.RATIO,
            note="of the strategies' returns, over all pairs",
        ),
        KeyFigure(
            label="Turnover a year", value=tested.annual_turnover, unit=Unit.FRACTION,
            note="one-way, after opposite orders were netted",
        ),
        verdict_figure(tested.verdict),
    )  # fmt: skip


def _never_traded(members: tuple[MemberResult, ...]) -> tuple[str, ...]:
    return tuple(
        f"{each.title}: it never traded in these sessions"
        for each in members
        if not math.isfinite(each.performance.sharpe_ratio)
    )


def _idle_notes(plan: CombinationPlan) -> tuple[str, ...]:
    if not plan.idle_refits:
        return ()
    return (
        f"At {plan.idle_refits} of {len(plan.refits)} refits some strategy had not moved in its "
        "window; where risk is shared, it got nothing then.",
    )


def _summary(
    tested: Backtest,
    backtests: list[Backtest],
    plans: tuple[CombinationPlan, ...],
    members: tuple[MemberResult, ...],
) -> tuple[tuple[str, str], ...]:
    lines = [
        ("Sessions", f"{tested.sessions[0]} to {tested.sessions[-1]}"),
        ("Verdict", verdict_sentence(tested.verdict)),
    ]
    lines += [
        (LABELS[plan.combination], _judged(each.performance))
        for plan, each in zip(plans, backtests, strict=True)
    ]
    lines += [(f"Alone: {each.title}", _judged(each.performance)) for each in members]
    lines.append((tested.benchmark, _judged(tested.benchmark_performance)))
    return tuple(lines)


def _judged(performance: Performance) -> str:
    return (
        f"Sharpe ratio {written(performance.sharpe_ratio, Unit.RATIO):>5}, "
        f"{written(performance.annualized_return, Unit.FRACTION):>7} a year, "
        f"drawdown {written(performance.max_drawdown, Unit.FRACTION):>6}"
    )
