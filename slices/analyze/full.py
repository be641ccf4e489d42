"""The full analysis of symbols: its answer in one sentence, its figures and its report."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from slices.analyze.overview import MARKET, structure_section
from slices.analyze.sections import overview_section, symbol_sections
from slices.domain.analyses import (
    AnalysisFailure,
    TrendDirection,
    VolatilityLevel,
    analysed,
    failed,
)
from slices.domain.backtests import StrategyFailure, StrategyRow
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import listed
from slices.domain.full_analysis import FullAnalysis
from slices.domain.numbers import written
from slices.domain.regimes import Regime, RegimeAnalysis, RegimeFailure, SymbolRegime
from slices.domain.report import KeyFigure, Note, Report, Section, Tone, Unit
from slices.domain.sizing import SizeAdvice, SizeFailure

if TYPE_CHECKING:
    from slices.domain.analyses import SymbolAnalysis
    from slices.domain.co_movement import MarketStructure
    from slices.domain.dataset import DatasetRef, LeftOut

MOST_CAVEATS = 40
CHART = "strategy-map"


def full_findings(
    bars: DatasetRef,
    *,
    left_out: tuple[LeftOut, ...],
    analyses: list[tuple[SymbolAnalysis | AnalysisFailure, ...]],
    regimes: list[tuple[SymbolRegime | RegimeFailure, ...]],
    comparisons: list[tuple[StrategyRow | StrategyFailure, ...]],
    sizes: list[tuple[SizeAdvice | SizeFailure, ...]],
    market: RegimeAnalysis | RegimeFailure,
    structure: MarketStructure | AnalysisFailure,
    sections: tuple[Section, ...],
    detailed_symbols: int,
) -> FullAnalysis:
    """Put the parts of an analysis of many symbols together and say what they mean.

    Args:
        bars: The symbols that could be loaded.
        left_out: Those that could not, each with its reason.
        analyses: Of each batch of symbols; so are regimes, comparisons and sizes.
        regimes: By symbol.
        comparisons: By symbol and strategy.
        sizes: By symbol.
        market: The regime of all symbols together.
        structure: How they move together.
        sections: What other parts show of regimes, strategies and sizes.
        detailed_symbols: How many symbols to show in detail.
    """
    found = tuple(chain.from_iterable(analyses))
    good, bad = analysed(found), failed(found)
    rows = tuple(chain.from_iterable(comparisons))
    sized = tuple(chain.from_iterable(sizes))
    told = tuple(chain.from_iterable(regimes))
    caveats = (
        *map(str, left_out),
        *_failures(bad, told, rows, sized, market, structure),
        *data_caveats(bars),
    )
    notes = data_notes(bars)
    report = Report(
        key="full-analysis",
        title="Full analysis",
        headline=headline(good, market, left_out=len(left_out) + len(bad)),
        figures=_figures(good, market, structure),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in _cut(caveats)),
            *(Note(text=each) for each in notes),
        ),
        sections=(
            overview_section(good, bad, most=detailed_symbols),
            *sections,
            structure_section(structure),
            *symbol_sections(good, most=detailed_symbols),
            data_section(bars),
        ),
        chart=CHART,
        provenance=(),
    )
    return FullAnalysis(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(good, market),
        notes=notes,
        report=report,
        bars=bars,
        left_out=left_out,
        analyses=good,
        failures=bad,
        market=market,
        regimes=told,
        structure=structure,
        comparisons=tuple(each for each in rows if isinstance(each, StrategyRow)),
        sizes=sized,
    )


def headline(
    good: tuple[SymbolAnalysis, ...], market: RegimeAnalysis | RegimeFailure, *, left_out: int
) -> str:
    """Say in one sentence how the symbols trend and in which regime they are."""
    trends = Counter(each.trend.direction for each in good)
    parts = ", ".join(f"{trends[each]} {each.value}" for each in TrendDirection if trends[each])
    state = (
        f"{'it is' if len(good) == 1 else 'together they are'} in a {_plain(market.rule_regime)} "
        "regime by rules"
        if isinstance(market, RegimeAnalysis)
        else "their common regime is not known"
    )
    missing = f" {left_out} could not be analysed." if left_out else ""
    symbols = "1 symbol" if len(good) == 1 else f"{len(good)} symbols"
    return f"Of {symbols}: {parts or 'none with a trend'}; {state}.{missing}"


def _failures(
    bad: tuple[AnalysisFailure, ...],
    told: tuple[SymbolRegime | RegimeFailure, ...],
    rows: tuple[StrategyRow | StrategyFailure, ...],
    sized: tuple[SizeAdvice | SizeFailure, ...],
    market: RegimeAnalysis | RegimeFailure,
    structure: MarketStructure | AnalysisFailure,
) -> tuple[str, ...]:
    """Name what could not be answered, each symbol once per kind of answer."""
    unknown = [each for each in told if isinstance(each, RegimeFailure)]
    untried = {each.symbol: each.reason for each in rows if isinstance(each, StrategyFailure)}
    unsized = [each for each in sized if isinstance(each, SizeFailure)]
    several = [e for e in (structure,) if isinstance(e, AnalysisFailure) and e.symbol == MARKET]
    unclear = [each for each in (market,) if isinstance(each, RegimeFailure)]
    return (
        *(_said(each.symbol, "not analysed", each.reason) for each in bad),
        *(_said(each.symbol, "no regime", each.reason) for each in unknown),
        *(_said(symbol, "strategies not tried", reason) for symbol, reason in untried.items()),
        *(_said(each.symbol, "no size", each.reason) for each in unsized),
        *(_said(MARKET, "no regime", each.reason) for each in unclear),
        *(_said(MARKET, "no correlations", each.reason) for each in several),
    )


def _said(symbol: str, what: str, reason: str) -> str:
    return f"{symbol}: {what} ({reason.removeprefix(f'{symbol}: ')})"


def _cut(caveats: tuple[str, ...]) -> tuple[str, ...]:
    if len(caveats) <= MOST_CAVEATS:
        return caveats
    more = len(caveats) - MOST_CAVEATS
    return (*caveats[:MOST_CAVEATS], f"And {more} more; the result lists all of them.")


def _figures(
    good: tuple[SymbolAnalysis, ...],
    market: RegimeAnalysis | RegimeFailure,
    structure: MarketStructure | AnalysisFailure,
) -> tuple[KeyFigure, ...]:
    up = sum(each.trend.direction is TrendDirection.UP for each in good)
    high = sum(
        each.volatility.level in (VolatilityLevel.HIGH, VolatilityLevel.EXTREME) for each in good
    )
    figures = [
        KeyFigure(
            label="Symbols", value=len(good), unit=Unit.COUNT, note="analysed, each at its last bar"
        ),
        KeyFigure(
            label="Trending up", value=up / len(good) if good else 0.0, unit=Unit.FRACTION,
            note=f"{up} of {len(good)} symbols",
        ),
        KeyFigure(
            label="High volatility", value=high / len(good) if good else 0.0, unit=Unit.FRACTION,
            note="compared with their own trailing year",
        ),
    ]  # fmt: skip
    if isinstance(market, RegimeAnalysis):
        figures += _regime_figures(market)
    if not isinstance(structure, AnalysisFailure):
        figures.append(
            KeyFigure(
                label="Average correlation", value=structure.structure.average_correlation,
                unit=Unit.RATIO, note="over all pairs, newest year",
            )
        )  # fmt: skip
    return tuple(figures)


def _regime_figures(market: RegimeAnalysis) -> tuple[KeyFigure, KeyFigure]:
    by_model, by_rules = _plain(market.regime), _plain(market.rule_regime)
    return (
        KeyFigure(
            label=f"Regime: {by_model}", value=market.probability, unit=Unit.FRACTION,
            note=f"filtered probability; by rules: {by_rules}",
        ),
        KeyFigure(
            label="Volatility ahead", value=market.volatility.next_month, unit=Unit.FRACTION,
            note="a year, of all symbols together, over the next month by GARCH",
        ),
    )  # fmt: skip


def _plain(regime: Regime) -> str:
    return regime.value.replace("_", " ")


def _summary(
    good: tuple[SymbolAnalysis, ...], market: RegimeAnalysis | RegimeFailure
) -> tuple[tuple[str, str], ...]:
    regime = _plain(market.rule_regime) if isinstance(market, RegimeAnalysis) else "not known"
    lines = [("Symbols", listed(tuple(each.symbol for each in good), most=10))]
    lines.append(("Regime by rules", regime))
    return (*lines, *((each.symbol, _line(each)) for each in good[:20]))


def _line(analysis: SymbolAnalysis) -> str:
    return (
        f"{analysis.trend.direction.value} ({analysis.trend.strength.value}), volatility "
        f"{written(analysis.volatility.annualized_volatility, Unit.FRACTION)} "
        f"({analysis.volatility.level.value}), RSI {written(analysis.momentum.rsi, Unit.RATIO)}, "
        f"{written(analysis.returns.month, Unit.FRACTION)} in 21 sessions"
    )
