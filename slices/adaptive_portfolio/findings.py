"""The portfolio analysis as a whole: its answer in one sentence, its figures and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.charts import (
    allocation_chart,
    contribution_chart,
    correlation_chart,
    drawdown_chart,
    equity_chart,
    frontier_chart,
)
from slices.adaptive_portfolio.tables import (
    allocation_table,
    contribution_table,
    performance_table,
    tail_table,
)
from slices.adaptive_portfolio.wording import (
    caveats,
    confidence_text,
    headline,
    label,
    plain_notes,
    ranked,
)
from slices.domain.data_report import data_section
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.portfolio import PortfolioAnalysis
from slices.domain.report import KeyFigure, Note, Report, Section, Tone, Unit
from slices.domain.structure_report import cluster_table

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.portfolio import (
        AllocatorEvaluation,
        Diversification,
        EfficientFrontier,
        HoldingsRisk,
    )


def portfolio_findings(
    bars: DatasetRef,
    *,
    risk: HoldingsRisk,
    structure: Diversification,
    evaluations: list[AllocatorEvaluation],
    frontier: EfficientFrontier,
) -> PortfolioAnalysis:
    """Put the parts of a portfolio analysis together and say what they mean."""
    judged = tuple(evaluations)
    report = Report(
        key="portfolio-analysis",
        title="Portfolio analysis",
        headline=headline(risk, judged, calendar=bars.calendar),
        figures=_figures(risk),
        notes=_notes(bars, judged, sessions=structure.sessions),
        sections=(
            _held(risk, structure),
            _could_be(risk, judged, frontier),
            data_section(
                bars,
                rule="Only sessions on which every symbol has a bar are used; nothing is filled.",
            ),
        ),
        chart="equity",
        provenance=(),
    )
    return PortfolioAnalysis(
        headline=report.headline,
        caveats=caveats(bars, judged),
        summary=_summary(risk, judged, bars=bars, sessions=structure.sessions),
        notes=(bars.universe_note, *plain_notes(bars, judged, sessions=structure.sessions)),
        report=report,
        bars=bars,
        risk=risk,
        structure=structure,
        evaluations=judged,
        frontier=frontier,
    )


def _figures(risk: HoldingsRisk) -> tuple[KeyFigure, ...]:
    held, tail = risk.performance, risk.tails[0]
    level = confidence_text(tail.confidence)
    loss = written(tail.value_at_risk * risk.capital, Unit.MONEY)
    return (
        KeyFigure(
            label="Volatility a year", value=held.annualized_volatility, unit=Unit.FRACTION,
            note="of the held weights, on past returns",
        ),
        KeyFigure(
            label=f"Value at risk, {level}", value=tail.value_at_risk, unit=Unit.FRACTION,
            note=f"loss in one session, historical: {loss}",
        ),
        KeyFigure(
            label=f"Expected shortfall, {level}", value=tail.expected_shortfall,
            unit=Unit.FRACTION, note="mean loss beyond the value at risk",
        ),
        KeyFigure(
            label="Largest drawdown", value=held.max_drawdown, unit=Unit.FRACTION,
            note=f"longest time under water: {held.max_drawdown_sessions:,.0f} sessions",
        ),
        KeyFigure(
            label="Sharpe ratio", value=held.sharpe_ratio, unit=Unit.RATIO,
            note="annualized, no risk-free rate, before costs",
        ),
        KeyFigure(
            label="Diversification ratio", value=risk.diversification_ratio, unit=Unit.RATIO,
            note=f"its square: {risk.effective_bets:.1f} independent bets of equal risk",
        ),
    )  # fmt: skip


def _notes(
    bars: DatasetRef, evaluations: tuple[AllocatorEvaluation, ...], *, sessions: int
) -> tuple[Note, ...]:
    return (
        *(Note(text=each, tone=Tone.WARNING) for each in caveats(bars, evaluations)),
        Note(text=bars.universe_note, tone=Tone.WARNING),
        *(Note(text=each) for each in plain_notes(bars, evaluations, sessions=sessions)),
    )


def _held(risk: HoldingsRisk, structure: Diversification) -> Section:
    first, second, highest = structure.most_alike
    return Section(
        title="What is held",
        intro=(
            "Today's weights applied to every past session. This describes the holdings; it is "
            f"not a backtest. {first} and {second} move together most (correlation {highest:.2f})."
        ),
        blocks=(
            tail_table(risk),
            contribution_chart(risk),
            contribution_table(risk),
            drawdown_chart(risk),
            correlation_chart(structure, risk),
            cluster_table(structure),
        ),
    )


def _could_be(
    risk: HoldingsRisk,
    evaluations: tuple[AllocatorEvaluation, ...],
    frontier: EfficientFrontier,
) -> Section:
    return Section(
        title="What could be held",
        intro=(
            "Each allocator was fitted again and again on past returns only, traded at the next "
            "session and charged for it: the curves and the first table are out of sample and net "
            "of costs. Several allocators were compared on one history, so the best of them looks "
            "better here than it can be expected to do. The weights and the frontier below them "
            "are fits to the newest window."
        ),
        blocks=(
            equity_chart(evaluations),
            performance_table(evaluations),
            allocation_chart(evaluations),
            allocation_table(evaluations, capital=risk.capital),
            frontier_chart(frontier),
        ),
    )


def _summary(
    risk: HoldingsRisk,
    evaluations: tuple[AllocatorEvaluation, ...],
    *,
    bars: DatasetRef,
    sessions: int,
) -> tuple[tuple[str, str], ...]:
    held, tail = risk.performance, risk.tails[0]
    level = confidence_text(tail.confidence)
    weights = zip(risk.symbols, risk.weights, strict=True)
    shares = tuple(f"{symbol} {written(weight, Unit.FRACTION)}" for symbol, weight in weights)
    lines = [
        ("Held", listed(shares, most=6)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {sessions:,} common sessions"),
        ("Sessions", f"{risk.drawdown_sessions[0]} to {risk.drawdown_sessions[-1]}"),
        ("Judged out of sample", f"from {evaluations[0].sessions[0]}"),
        ("Volatility a year", written(held.annualized_volatility, Unit.FRACTION)),
        ("Sharpe ratio, before costs", written(held.sharpe_ratio, Unit.RATIO)),
        ("Largest drawdown", written(held.max_drawdown, Unit.FRACTION)),
        (f"Value at risk {level}, one session", written(tail.value_at_risk, Unit.FRACTION)),
        (
            f"Expected shortfall {level}, one session",
            written(tail.expected_shortfall, Unit.FRACTION),
        ),
        ("Diversification ratio", written(risk.diversification_ratio, Unit.RATIO)),
    ]
    lines += [(f"Out of sample: {label(e.allocator)}", _judged(e)) for e in ranked(evaluations)]
    return tuple(lines)


def _judged(evaluation: AllocatorEvaluation) -> str:
    measured = evaluation.performance
    sharpe_ratio = written(measured.sharpe_ratio, Unit.RATIO)
    yearly = written(measured.annualized_return, Unit.FRACTION)
    drawdown = written(measured.max_drawdown, Unit.FRACTION)
    return f"Sharpe ratio {sharpe_ratio:>5}, {yearly:>7} a year, drawdown {drawdown:>6}"
