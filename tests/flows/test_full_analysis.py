from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.analysis import full_analysis
from slices.domain.analyses import AnalysisFailure
from slices.domain.errors import SymbolNotFoundError
from slices.domain.factor_parameters import WIDE_SYMBOLS
from slices.domain.fingerprint import fingerprint
from slices.domain.full_analysis import FullAnalysis
from slices.domain.regimes import RegimeAnalysis, RegimeFailure, SymbolRegime
from slices.domain.sizing import SizeAdvice
from slices.domain.strategies import StrategyName
from tests.support.frames import ohlcv
from tests.support.runs import artifacts

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

PERIOD = {"start": "2015-01-02", "end": "2020-12-31"}
GOOD = [each for each in WIDE_SYMBOLS if each != "RRC"]


@pytest.fixture(scope="module")
def state() -> State[Any]:
    return full_analysis([*GOOD, "NOPE"], **PERIOD, return_state=True)


@pytest.fixture(scope="module")
def found(state: State[Any]) -> FullAnalysis:
    return state.result()


def test_one_bad_symbol_of_twenty_is_named_and_the_others_are_reported(
    state: State[Any], found: FullAnalysis
) -> None:
    assert state.name == "Degraded"
    assert "NOPE" in str(state.message)
    assert "not found" in str(state.message)
    assert [each.symbol for each in found.left_out] == ["NOPE"]
    assert [each.symbol for each in found.analyses] == GOOD
    assert len(GOOD) == 19


def test_every_symbol_is_looked_at_from_every_side(found: FullAnalysis) -> None:
    assert [each.symbol for each in found.regimes if isinstance(each, SymbolRegime)] == GOOD
    assert [each.symbol for each in found.sizes if isinstance(each, SizeAdvice)] == GOOD
    assert isinstance(found.market, RegimeAnalysis)
    tried = {(each.symbol, each.strategy) for each in found.comparisons}
    assert {symbol for symbol, _ in tried} == set(GOOD)
    assert len({strategy for _, strategy in tried}) >= len(StrategyName) - 1
    assert len(tried) == len(found.comparisons)


def test_it_is_one_document_that_names_the_bad_symbol(
    state: State[Any], found: FullAnalysis
) -> None:
    page = Path(found.report_path).read_text()
    assert all(symbol in page for symbol in (*GOOD, "NOPE"))
    keys = {each.key for each in artifacts(state.state_details.flow_run_id)}
    assert {"full-analysis", "full-analysis-symbols", "full-analysis-sizes"} <= keys


def test_the_answers_are_those_without_the_bad_symbol(found: FullAnalysis) -> None:
    alone = full_analysis(GOOD, **PERIOD, return_state=True)
    assert alone.name == "Completed"
    again = alone.result()
    assert fingerprint(again.analyses) == fingerprint(found.analyses)
    assert fingerprint(again.comparisons) == fingerprint(found.comparisons)


def test_one_symbol_has_no_correlations_and_says_so() -> None:
    state = full_analysis(["KO"], **PERIOD, return_state=True)
    assert state.name == "Completed"
    found = state.result()
    assert isinstance(found.structure, AnalysisFailure)
    assert "two symbols" in Path(found.report_path).read_text()


def test_a_history_too_short_for_a_regime_is_said_and_nothing_made_up(tmp_path: Path) -> None:
    for name, count in (("LONG", 400), ("SHORT", 70)):
        bars = ohlcv(400).tail(count).drop("split_factor", "total_factor")
        bars.write_csv(tmp_path / f"{name}.csv")
    state = full_analysis(
        ["LONG", "SHORT"],
        source="files",
        feed=str(tmp_path),
        adjustment="split",
        return_state=True,
    )
    assert state.name == "Degraded"
    found = state.result()
    unknown = {
        each.symbol: each.reason for each in found.regimes if isinstance(each, RegimeFailure)
    }
    assert "70" in unknown["SHORT"] or "69" in unknown["SHORT"]
    assert "SHORT: no regime" in str(state.message)


def test_nothing_to_analyse_is_a_failure() -> None:
    with pytest.raises(SymbolNotFoundError, match="NOPE"):
        full_analysis(["NOPE", "NADA"])
