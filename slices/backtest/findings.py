"""The findings of the two flows: the answer in one sentence, the figures, the report."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from slices.backtest.choices import choice_section
from slices.backtest.sections import tearsheet_sections
from slices.backtest.tearsheet import tearsheet
from slices.backtest.wording import (
    account_caveats,
    choice_caveats,
    headline,
    made,
    notes,
    written_trips,
)
from slices.domain.backtests import QuickTest, SimpleBacktest
from slices.domain.data_report import (
    data_caveats,
    data_notes,
    data_section,
    late_notes,
)
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.domain.verdict_report import verdict_figure, verdict_section, verdict_sentence

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest, StrategyChoice, StrategyTrial
    from slices.domain.dataset import DatasetRef
    from slices.domain.report import Section
    from slices.domain.tearsheets import Tearsheet

KNOWN_ANSWERS = {"061555b2303b216368f712a2b3d1d2c7": 3.376758917670788}
"""Fingerprint of the bars to what the quick test makes of a capital of 1: GOOGL, 2004 to 2013."""

KNOWN_TOLERANCE = 1e-9
"""Relative; another processor may round the last digits otherwise."""


def simple_backtest_findings(
    bars: DatasetRef,
    *,
    choice: StrategyChoice,
    tested: Backtest,
    rivals: tuple[StrategyTrial, ...] = (),
    seen: tuple[Section, ...] = (),
) -> SimpleBacktest:
    """Put a strategy's backtest together and say what it means.

    Args:
        bars: The symbols that were traded.
        choice: Which strategy, and how it was chosen.
        tested: What became of it.
        rivals: What the strategies that were not chosen did.
        seen: What was found in the newest bars, for information.
    """
    measured = tearsheet(tested)
    made_section, risked, traded = tearsheet_sections(tested, measured)
    chosen = (choice_section(choice, rivals),) if choice.ranking else ()
    caveats = (*account_caveats(tested), *data_caveats(bars), *choice_caveats(choice))
    said = (*data_notes(bars), *late_notes(bars), *notes(tested, choice))
    report = Report(
        key="simple-backtest",
        title="Backtest of a strategy",
        headline=headline(tested, choice),
        figures=(*_figures(tested, measured), verdict_figure(tested.verdict)),
        notes=_noted(caveats, said),
        sections=(
            made_section,
            verdict_section(tested.verdict),
            *chosen,
            risked,
            traded,
            *seen,
            data_section(bars),
        ),
        chart="equity",
        provenance=(),
    )
    return SimpleBacktest(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(bars, tested, measured),
        notes=said,
        report=report,
        bars=bars,
        choice=choice,
        tested=tested,
        tearsheet=measured,
        rivals=rivals,
    )


def quick_test_findings(bars: DatasetRef, tested: Backtest) -> QuickTest:
    """Say whether loading, simulating and judging work here, and give the answer they should."""
    measured = tearsheet(tested)
    made_section, _, _ = tearsheet_sections(tested, measured)
    expected = expected_equity(bars, tested)
    caveats = (*data_caveats(bars), *_wrong(tested, expected))
    said = (*data_notes(bars), *tested.remarks)
    report = Report(
        key="quick-test",
        title="Quick test of this installation",
        headline=_quick_headline(tested, expected),
        figures=(*_figures(tested, measured), verdict_figure(tested.verdict)),
        notes=_noted(caveats, said),
        sections=(made_section, verdict_section(tested.verdict), data_section(bars)),
        chart="equity",
        provenance=(),
    )
    return QuickTest(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(bars, tested, measured),
        notes=said,
        report=report,
        bars=bars,
        tested=tested,
        expected_equity=expected,
    )


def expected_equity(bars: DatasetRef, tested: Backtest) -> float:
    """Return what the quick test's account is known to end with; NaN where that is not known."""
    return KNOWN_ANSWERS.get(bars.fingerprint, math.nan) * tested.capital


def _is_right(tested: Backtest, expected: float) -> bool:
    return math.isclose(tested.equity[-1], expected, rel_tol=KNOWN_TOLERANCE)


def _wrong(tested: Backtest, expected: float) -> tuple[str, ...]:
    if math.isnan(expected) or _is_right(tested, expected):
        return ()
    return (
        f"The account ended with {tested.equity[-1]:,.4f}; on these bars {expected:,.4f} is right: "
        "this installation does not calculate as it should",
    )


def _quick_headline(tested: Backtest, expected: float) -> str:
    final = f"{tested.equity[-1]:,.2f}"
    account = (
        f"{tested.label} on {listed(tested.symbols, most=5)} turned {tested.capital:,.0f} into "
        f"{final}, {tested.sessions[0]} to {tested.sessions[-1]}, net of costs"
    )
    if math.isnan(expected):
        return f"This installation loads, simulates and reports: {account}."
    if _is_right(tested, expected):
        return f"This installation works: {account}, which is the known answer."
    return f"This installation gives a wrong answer: {account}, and not {expected:,.2f}."


def _figures(tested: Backtest, measured: Tearsheet) -> tuple[KeyFigure, ...]:
    mine, market = tested.performance, tested.benchmark_performance
    short = mine.sessions < tested.periods_per_year
    return (
        KeyFigure(
            label="Return" if short else "Return a year",
            value=mine.total_return if short else mine.annualized_return,
            unit=Unit.FRACTION,
            note=f"holding: {made(market, periods_per_year=tested.periods_per_year)}",
        ),
        KeyFigure(
            label="Sharpe ratio", value=mine.sharpe_ratio, unit=Unit.RATIO,
            note=f"holding: {written(market.sharpe_ratio, Unit.RATIO)}; net of costs",
        ),
        KeyFigure(
            label="Largest drawdown", value=mine.max_drawdown, unit=Unit.FRACTION,
            note=f"holding: {written(market.max_drawdown, Unit.FRACTION)}",
        ),
        KeyFigure(
            label="Closed trades", value=measured.round_trips.count, unit=Unit.COUNT,
            note=f"{written_trips(measured.round_trips)}; costs of all trading: "
            f"{written(tested.costs.total, Unit.MONEY)}",
        ),
    )  # fmt: skip


def _noted(caveats: tuple[str, ...], said: tuple[str, ...]) -> tuple[Note, ...]:
    return (
        *(Note(text=each, tone=Tone.WARNING) for each in caveats),
        *(Note(text=each) for each in said),
    )


def _summary(
    bars: DatasetRef, tested: Backtest, measured: Tearsheet
) -> tuple[tuple[str, str], ...]:
    mine, market = tested.performance, tested.benchmark_performance
    return (
        ("Strategy", tested.label),
        ("Symbols", listed(tested.symbols, most=6)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        (
            "Account",
            f"{tested.sessions[0]} to {tested.sessions[-1]}, {len(tested.sessions):,} sessions",
        ),
        ("Final value", f"{tested.equity[-1]:,.2f} of a capital of {tested.capital:,.0f}"),
        ("Return", made(mine, periods_per_year=tested.periods_per_year)),
        ("Return of holding", made(market, periods_per_year=tested.periods_per_year)),
        ("Sharpe ratio, net of costs", written(mine.sharpe_ratio, Unit.RATIO)),
        ("Sharpe ratio of holding", written(market.sharpe_ratio, Unit.RATIO)),
        ("Largest drawdown", written(mine.max_drawdown, Unit.FRACTION)),
        ("Largest drawdown of holding", written(market.max_drawdown, Unit.FRACTION)),
        ("Closed trades", f"{measured.round_trips.count:,}; {written_trips(measured.round_trips)}"),
        ("Costs", written(tested.costs.total, Unit.MONEY)),
        ("Verdict", verdict_sentence(tested.verdict)),
    )
