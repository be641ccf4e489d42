from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import pytest

from slices.analyze.notable import last_move, most_notable, notability
from slices.analyze.overview import pair_table
from slices.analyze.sections import (
    overview_section,
    overview_table,
    price_chart,
    symbol_section,
    symbol_sections,
    turning_table,
)
from slices.analyze.symbols import analyse_symbols
from slices.domain.analyses import (
    AnalysisFailure,
    MomentumLevel,
    SymbolAnalysis,
    VolatilityLevel,
    analysed,
)
from slices.domain.co_movement import CorrelatedPair, MarketStructure
from slices.domain.dataset import DatasetRef
from slices.domain.portfolio import Diversification
from slices.domain.report import LineChart, Note, Report, Section, Table
from slices.monitor.html import render_html
from slices.monitor.markdown import render_markdown


@pytest.fixture(scope="module")
def analyses(us_closes_ref: DatasetRef) -> tuple[SymbolAnalysis, ...]:
    return analysed(analyse_symbols(us_closes_ref, us_closes_ref.symbols))


@pytest.fixture(scope="module")
def ibm_found(us_ohlcv: DatasetRef) -> SymbolAnalysis:
    return analysed(analyse_symbols(us_ohlcv, ("IBM",)))[0]


def many(found: SymbolAnalysis, count: int) -> tuple[SymbolAnalysis, ...]:
    return tuple(replace(found, symbol=f"S{place:03}") for place in range(count))


def tables(section: Section) -> list[Table]:
    return [each for each in section.blocks if isinstance(each, Table)]


def test_the_overview_has_every_symbol_once(analyses: tuple[SymbolAnalysis, ...]) -> None:
    assert [row[0] for row in overview_table(analyses).rows] == [e.symbol for e in analyses]
    table = turning_table(analyses)
    assert [row[0] for row in table.rows] == [each.symbol for each in analyses]
    assert all(len(row) == len(table.columns) == len(table.units) for row in table.rows)
    closes = table.columns.index("Close")
    support, resistance = table.columns.index("Support"), table.columns.index("Resistance")
    for row in table.rows:
        assert row[support] is None or row[support] <= row[closes]
        assert row[resistance] is None or row[resistance] > row[closes]


def test_five_hundred_symbols_have_a_row_each_and_few_a_section(
    ibm_found: SymbolAnalysis,
) -> None:
    symbols = many(ibm_found, 505)
    section = overview_section(symbols, (), most=8)
    assert len(tables(section)[0].rows) == 505
    assert isinstance(section.blocks[0], Note)
    assert section.blocks[0].text.startswith("8 of 505 symbols")
    assert len(symbol_sections(symbols, most=8)) == 8


def test_few_symbols_need_no_rule(ibm_found: SymbolAnalysis) -> None:
    assert all(isinstance(each, Table) for each in overview_section((ibm_found,), ()).blocks)


def test_symbols_that_failed_are_named_with_their_reason(ibm_found: SymbolAnalysis) -> None:
    failures = (AnalysisFailure(symbol="NEW", reason="NEW: needs 273 sessions, found 3"),)
    table = tables(overview_section((ibm_found,), failures))[-1]
    assert table.rows == (("NEW", "needs 273 sessions, found 3"),)


def test_a_section_shows_chart_indicators_patterns_and_levels(ibm_found: SymbolAnalysis) -> None:
    section = symbol_section(ibm_found)
    chart = section.blocks[0]
    assert isinstance(chart, LineChart)
    assert len(chart.series) == 5 + len({each.role for each in ibm_found.levels})
    keys = [each.key for each in tables(section)]
    assert keys == ["indicators-ibm", "patterns-ibm", "levels-ibm"]
    assert len(tables(section)[0].rows) == 15
    assert len(tables(section)[1].rows) == len(ibm_found.patterns)
    assert len(tables(section)[2].rows) == len(ibm_found.levels)
    assert str(ibm_found.session) in section.intro


def test_what_closes_cannot_answer_is_said(analyses: tuple[SymbolAnalysis, ...]) -> None:
    section = symbol_section(analyses[0])
    notes = [each.text for each in section.blocks if isinstance(each, Note)]
    assert any("atr_14" in each and "close only" in each for each in notes)
    assert "ATR" not in str(tables(section)[0].rows)


def test_keys_are_what_artifacts_allow(ibm_found: SymbolAnalysis) -> None:
    assert price_chart(replace(ibm_found, symbol="BRK.B")).key == "price-brk-b"


def test_a_report_of_sections_renders(
    analyses: tuple[SymbolAnalysis, ...], ibm_found: SymbolAnalysis
) -> None:
    shown = (*analyses, replace(ibm_found, levels=(), patterns=(), evidence=()))
    sections = (overview_section(shown, (), most=2), *symbol_sections(shown, most=2))
    report = Report(
        key="analysis",
        title="Analysis",
        headline="Found.",
        figures=(),
        notes=(),
        sections=sections,
        chart=sections[1].blocks[0].key,  # type: ignore[union-attr]
        provenance=(),
    )
    page = render_html(report, written_at=dt.datetime(2024, 1, 2, tzinfo=dt.UTC))
    assert all(each.symbol in page for each in shown)
    assert "nan" not in render_markdown(report)


def quiet(found: SymbolAnalysis) -> SymbolAnalysis:
    names = ("distance_from_high_252", "distance_from_low_252")
    return replace(
        found,
        patterns=(),
        returns=replace(found.returns, session=0.0),
        momentum=replace(found.momentum, level=MomentumLevel.MIXED),
        volatility=replace(found.volatility, level=VolatilityLevel.NORMAL, percentile=0.5),
        indicator_names=names,
        indicator_values=(-0.1, 0.1),
    )


def test_nothing_stands_out_of_a_quiet_symbol(ibm_found: SymbolAnalysis) -> None:
    assert notability(quiet(ibm_found)) == 0


def test_each_rule_is_worth_one_point(ibm_found: SymbolAnalysis) -> None:
    calm = quiet(ibm_found)
    large = 2.5 * calm.volatility.annualized_volatility / math.sqrt(252)
    telling = (
        replace(calm, momentum=replace(calm.momentum, level=MomentumLevel.OVERSOLD)),
        replace(calm, volatility=replace(calm.volatility, level=VolatilityLevel.EXTREME)),
        replace(calm, volatility=replace(calm.volatility, percentile=0.01)),
        replace(calm, returns=replace(calm.returns, session=-large)),
        replace(calm, indicator_values=(-0.005, 0.3)),
        replace(calm, indicator_values=(-0.5, 0.004)),
    )
    assert [notability(each) for each in telling] == [1] * 6
    assert last_move(telling[3]) == pytest.approx(2.5)


def test_the_most_notable_come_first_whatever_their_order(
    analyses: tuple[SymbolAnalysis, ...],
) -> None:
    found = most_notable(analyses, most=3)
    assert found == most_notable(reversed(analyses), most=3)
    points = [notability(each) for each in found]
    assert points == sorted((notability(each) for each in analyses), reverse=True)[:3]


def test_pairs_are_listed_by_kind() -> None:
    structure = Diversification(
        symbols=("A", "B"),
        sessions=100,
        correlations=((1.0, 0.4), (0.4, 1.0)),
        average_correlation=0.4,
        order=("A", "B"),
        clusters=(("A",), ("B",)),
        most_alike=("A", "B", 0.4),
        least_alike=("A", "B", 0.4),
    )
    pair = CorrelatedPair(first="A", second="B", correlation=0.4)
    found = MarketStructure(structure=structure, most_alike=(pair,), least_alike=(pair,))
    assert pair_table(found).rows == (
        ("Most alike", "A", "B", 0.4),
        ("Least alike", "A", "B", 0.4),
    )
