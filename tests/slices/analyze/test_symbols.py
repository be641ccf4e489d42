from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from slices.analyze import tasks
from slices.analyze.series import read_symbol_bars
from slices.analyze.symbol import analysis, needed_bars
from slices.analyze.symbols import analyse_symbols, symbol_batches
from slices.domain.analyses import (
    AnalysisFailure,
    LevelRole,
    PatternGroup,
    SymbolAnalysis,
    analysed,
    failed,
)
from slices.domain.dataset import DatasetRef
from slices.domain.errors import ParameterError
from slices.runtime.codec import decode, encode
from tests.slices.quant.market import stored, us_closes
from tests.support.frames import load


@pytest.fixture(scope="module")
def outcomes(us_ohlcv: DatasetRef) -> tuple[SymbolAnalysis | AnalysisFailure, ...]:
    return analyse_symbols(us_ohlcv, ("META", "AAPL", "IBM"))


def test_symbols_are_analysed_in_the_order_asked(outcomes: tuple[SymbolAnalysis, ...]) -> None:
    assert [each.symbol for each in outcomes] == ["META", "AAPL", "IBM"]
    assert len(analysed(outcomes)) == 2 + (len(failed(outcomes)) == 0)


def test_a_short_history_is_a_failure_that_says_what_is_needed(us_ohlcv: DatasetRef) -> None:
    (outcome,) = analyse_symbols(us_ohlcv, ("META",))
    bars = next(each.rows for each in us_ohlcv.quality if each.symbol == "META")
    assert bars < needed_bars(252) == 273
    assert isinstance(outcome, AnalysisFailure)
    assert outcome.reason == f"META: needs 273 sessions of bars, found {bars}"


def test_exactly_enough_bars_are_enough(tmp_path: Path) -> None:
    dates, _, closes = us_closes()
    for count, kind in ((273, SymbolAnalysis), (272, AnalysisFailure)):
        folder = tmp_path / str(count)
        folder.mkdir()
        (outcome,) = analyse_symbols(
            stored(folder, dates[:count], {"A": closes[:count, 0].copy()}), ("A",)
        )
        assert isinstance(outcome, kind)
        if isinstance(outcome, SymbolAnalysis):
            assert np.isfinite(outcome.volatility.percentile)
            assert np.isfinite(outcome.returns.year)


def test_the_newest_bar_is_what_is_analysed(
    outcomes: tuple[SymbolAnalysis, ...], us_ohlcv: DatasetRef
) -> None:
    ibm = analysed(outcomes)[-1]
    assert ibm.session == us_ohlcv.last_session
    assert ibm.close == ibm.history.close[-1]
    assert ibm.history.sessions[-1] == ibm.session
    assert len(ibm.history.sessions) == len(ibm.history.sma_200) == 252
    assert ibm.momentum.rsi == ibm.value("rsi_14")
    assert ibm.trend.adx == ibm.value("adx_14")
    assert ibm.volatility.annualized_volatility == ibm.value("realised_volatility_21")
    assert ibm.history.sma_50[-1] == ibm.value("sma_50")
    assert ibm.history.bollinger_upper[-1] == ibm.value("bollinger_upper")
    assert np.isnan(ibm.value("unknown"))
    assert not ibm.left_out


def test_evidence_is_given_for_what_was_seen(outcomes: tuple[SymbolAnalysis, ...]) -> None:
    for each in analysed(outcomes):
        assert {x.name for x in each.evidence} <= {x.name for x in each.patterns}
        assert each.patterns


def test_a_symbols_analysis_does_not_depend_on_its_batch(
    us_ohlcv: DatasetRef, outcomes: tuple[SymbolAnalysis, ...]
) -> None:
    (alone,) = analyse_symbols(us_ohlcv, ("IBM",))
    assert encode(alone) == encode(outcomes[2])


def test_an_analysis_of_the_past_does_not_change_with_later_bars(tmp_path: Path) -> None:
    dates, _, closes = us_closes()
    later = closes[-900:, :2].copy()
    later[-300:] *= 3.0
    refs = []
    for count in (600, 900):
        folder = tmp_path / str(count)
        folder.mkdir()
        by_name = dict(zip("AB", later[:count].T.copy(), strict=True))
        refs.append(stored(folder, dates[-900:][:count], by_name))
    (whole,) = read_symbol_bars(refs[1], ("A",))
    as_of = analysis(whole.until(600), recent_sessions=5, chart_sessions=252, confirmation=5)
    assert encode((as_of,)) == encode(analyse_symbols(refs[0], ("A",)))


def test_results_survive_being_stored(outcomes: tuple[SymbolAnalysis, ...]) -> None:
    text = encode(outcomes)
    assert encode(decode(text)) == text
    assert len(text) < 60_000 * len(outcomes)


def test_closes_alone_are_analysed_as_far_as_they_go(us_closes_ref: DatasetRef) -> None:
    found = analysed(analyse_symbols(us_closes_ref, us_closes_ref.symbols))
    assert len(found) == 5
    for each in found:
        names = {left.name for left in each.left_out}
        assert {"atr_14", "obv", "candle patterns", "gaps"} <= names
        assert "atr_14" not in each.indicator_names
        assert {x.group for x in each.patterns} <= {PatternGroup.BREAKOUT, PatternGroup.FORMATION}
        assert {x.role for x in each.levels} <= set(LevelRole)
        assert np.isfinite(each.value("beta_63"))


def test_holes_are_counted_and_passed_over(tmp_path: Path) -> None:
    dates, _, closes = us_closes()
    holed = closes[-600:, :2].copy()
    holed[[100, 200, 201], 0] = np.nan
    ref = stored(tmp_path, dates[-600:], dict(zip("AB", holed.T, strict=True)))
    one, other = analysed(analyse_symbols(ref, ("A", "B")))
    assert (one.missing_sessions, one.bars) == (3, 597)
    assert (other.missing_sessions, other.bars) == (0, 600)
    assert one.value("sma_200") == pytest.approx(closes[-200:, 0].mean())


def test_a_symbol_that_ended_is_analysed_as_of_its_own_end(tmp_path: Path) -> None:
    dates, _, closes = us_closes()
    ended = closes[-600:, :2].copy()
    ended[-50:, 0] = np.nan
    ref = stored(tmp_path, dates[-600:], dict(zip("AB", ended.T, strict=True)))
    one, other = analysed(analyse_symbols(ref, ("A", "B")))
    assert (one.session, other.session) == (dates[-51], dates[-1])


def test_a_symbol_the_data_lacks_is_refused(us_ohlcv: DatasetRef) -> None:
    with pytest.raises(ParameterError, match="symbols: found ZZZ; allowed: some of AAPL"):
        analyse_symbols(us_ohlcv, ("IBM", "ZZZ"))


@pytest.mark.parametrize("name", ["recent_sessions", "chart_sessions", "confirmation_sessions"])
def test_numbers_of_sessions_are_checked(us_ohlcv: DatasetRef, name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name}: found 0"):
        analyse_symbols(us_ohlcv, ("IBM",), **{name: 0})


def test_batches_hold_every_symbol_once_in_order() -> None:
    names = [f"S{i}" for i in range(130)]
    found = symbol_batches(names)
    assert [len(each) for each in found] == [64, 64, 2]
    assert [name for each in found for name in each] == names


def test_the_task_is_on_the_menu() -> None:
    assert tasks.analyse_symbols.name == "analyze.analyse_symbols"
    assert tasks.market_structure.name == "analyze.market_structure"


def test_total_return_prices_are_analysed_like_others(tmp_path: Path) -> None:
    from slices.data.adapters.embedded import open_embedded
    from slices.domain.bars import Adjustment

    ref = load(
        open_embedded("us_ohlcv5", []),
        tmp_path,
        "IBM",
        start=dt.date(2010, 1, 4),
        adjustment=Adjustment.TOTAL,
    )
    (found,) = analysed(analyse_symbols(ref, ("IBM",)))
    assert [each.name for each in found.left_out] == ["beta_63"]


@pytest.mark.parametrize("module", ["slices.analyze.symbols", "slices.analyze.sections"])
def test_what_flows_import_leaves_the_libraries_for_later(module: str) -> None:
    heavy = ("talib", "pandas", "scipy", "numba")
    check = f"import sys, {module}; print(*[each for each in {heavy} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_market_is_that_of_all_symbols_whichever_are_asked_for(tmp_path: Path) -> None:
    dates, _, closes = us_closes()
    holed = closes[-300:, :3].copy()
    holed[[5, 100, 101], 1] = np.nan
    ref = stored(tmp_path, dates[-300:], dict(zip("ABC", holed.T, strict=True)))
    every = read_symbol_bars(ref, ("A", "B", "C"))
    (alone,) = read_symbol_bars(ref, ("B",))
    assert alone.missing_sessions == 3
    assert alone.sessions == every[1].sessions
    np.testing.assert_array_equal(alone.close, holed[np.isfinite(holed[:, 1]), 1])
    np.testing.assert_array_equal(alone.market, every[1].market)
