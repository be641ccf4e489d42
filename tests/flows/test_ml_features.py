from __future__ import annotations

import dataclasses
import html
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from flows.ml_features import ml_feature_engineering
from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.feature_evidence import FeatureEngineering
from slices.domain.fingerprint import fingerprint
from slices.domain.learning import FeatureFamily
from slices.domain.learning_errors import LeakageError
from slices.ml_strategy.features import catalogue
from slices.ml_strategy.features.building import read_features
from slices.ml_strategy.features.catalogue import FEATURES, definition_of
from slices.runtime.settings import load_settings
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SYMBOLS = ["AAPL", "CVX", "JNJ", "KO", "PG", "XOM"]
PERIOD = {"symbols": SYMBOLS, "start": "2010-01-04", "end": "2014-12-31"}
TASKS = 2 + 3 + 1 + 1 + 1 + 1 + 1 + 1


@pytest.fixture(scope="module")
def state() -> State[FeatureEngineering]:
    return ml_feature_engineering(return_state=True, **PERIOD)


@pytest.fixture(scope="module")
def found(state: State[FeatureEngineering]) -> FeatureEngineering:
    return state.result()


def test_a_run_completes_with_a_report_of_everything(
    state: State[FeatureEngineering], found: FeatureEngineering
) -> None:
    assert state.name == "Completed"
    assert found.caveats == ()
    assert found.bars.symbols == tuple(SYMBOLS)
    kinds = [str(each.type) for each in artifacts(state.state_details.flow_run_id)]
    assert kinds.count("table") >= 5
    assert kinds.count("image") == 1
    page = Path(found.report_path)
    assert page.is_relative_to(load_settings().reports_folder)
    text = html.unescape(page.read_text())
    assert found.bars.universe_note in text
    assert all(each.name in text and each.formula in text for each in found.evidence)
    assert found.provenance is not None
    assert found.provenance.seed == 0
    assert found.to_dict()["features"]["fingerprint"] == found.features.fingerprint
    keys = [(type(b).__name__, b.key) for b in found.report.blocks() if hasattr(b, "key")]
    assert len(set(keys)) == len(keys)
    assert found.report.chart in {key for _, key in keys}


def test_every_feature_is_proven_and_has_its_evidence(found: FeatureEngineering) -> None:
    names = {each.name for each in found.evidence}
    assert names == set(found.proven)
    assert len(names) >= 80
    assert found.compared_values > 100_000
    assert found.proof_sessions
    ranking = [each for each in found.evidence if not each.is_shared]
    assert all(math.isfinite(each.whole.information_coefficient) for each in ranking)
    assert all(min(each.chosen.sessions, each.later.sessions) > 0 for each in ranking)


def test_what_stays_is_stored_under_its_fingerprint(found: FeatureEngineering) -> None:
    assert found.features.names == found.selection.names
    assert found.features.definition == definition_of(found.selection.names)
    assert found.features.data_fingerprint == found.bars.fingerprint
    assert read_features(found.features).height == found.features.rows
    for each in found.selection.standings:
        assert each.is_selected == (each.name in found.selection.names) == (not each.reason)


def test_real_prices_tell_little(found: FeatureEngineering) -> None:
    coefficients = [
        abs(each.whole.information_coefficient) for each in found.evidence if not each.is_shared
    ]
    assert max(coefficients) < 0.12
    assert sorted(coefficients)[len(coefficients) // 2] < 0.04


def test_a_second_run_takes_every_computed_step_from_the_cache(found: FeatureEngineering) -> None:
    again = ml_feature_engineering(return_state=True, **PERIOD)
    runs = task_runs(again.state_details.flow_run_id, expected=TASKS)
    assert len(runs) == TASKS
    computed = [run for run in runs if "kind:act" not in run.tags]
    assert len(computed) == TASKS - 1
    assert {run.state_name for run in computed} == {"Cached"}
    second = again.result()
    for field in dataclasses.fields(found):
        if field.name not in {"report", "report_path", "provenance"}:
            ours, theirs = getattr(found, field.name), getattr(second, field.name)
            assert fingerprint(ours) == fingerprint(theirs)


def test_bars_with_volume_give_every_feature() -> None:
    result = ml_feature_engineering(
        symbols=["AAPL", "GOOGL", "IBM", "META", "MSFT"], start="2006-01-03"
    )
    assert {each.name for each in result.evidence} == {each.name for each in FEATURES}
    families = {each.family for each in result.evidence}
    assert families == set(FeatureFamily)
    known = {each.name: each.known_share for each in result.evidence}
    assert 0.9 < known["amihud_21"] < 1


def test_families_and_a_missing_symbol() -> None:
    state = ml_feature_engineering(
        return_state=True,
        **PERIOD | {"symbols": [*SYMBOLS, "GONE"], "feed": "us_close20"},
        families=["reversal", "regime"],
        horizon_sessions=1,
    )
    assert state.name == "Degraded"
    result = state.result()
    assert any(each.startswith("GONE: ") for each in result.caveats)
    assert {each.family for each in result.evidence} == {
        FeatureFamily.REVERSAL,
        FeatureFamily.REGIME,
    }


def test_features_of_the_market_alone_rank_nothing_and_are_still_reported() -> None:
    result = ml_feature_engineering(**PERIOD, families=["calendar"])
    assert result.selection.tested == result.selection.significant == 0
    assert result.selection.names


def test_a_feature_that_knows_the_future_fails_the_run_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaking = dataclasses.replace(
        catalogue.feature("momentum_63"),
        expression=pl.col("close").shift(-2) / pl.col("close").shift(61) - 1,
    )
    changed = {**catalogue._BY_NAME, leaking.name: leaking}
    columns = tuple(changed[each.name] for each in catalogue.COLUMNS)
    monkeypatch.setattr(catalogue, "_BY_NAME", changed)
    monkeypatch.setattr(catalogue, "COLUMNS", columns)
    failed = ml_feature_engineering(return_state=True, **PERIOD | {"start": "2011-01-03"})
    assert failed.is_failed()
    error = failed.result(raise_on_failure=False)
    assert isinstance(error, LeakageError)
    assert "momentum_63" in error.names
    assert "momentum_21" not in error.names


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"symbols": ["AAPL"]}, "symbols"),
        ({"families": []}, "families"),
        ({"families": ["sentiment"]}, "families.0"),
        ({"families": ["regime", "regime"]}, "families"),
        ({"horizon_sessions": 0}, "horizon_sessions"),
        ({"entry_lag_sessions": 0}, "entry_lag_sessions"),
        ({"selection_fraction": 1.0}, "selection_fraction"),
        ({"largest_redundancy": 1.0}, "largest_redundancy"),
    ],
)
def test_bad_parameters_are_refused_before_a_run(options: dict[str, Any], parameter: str) -> None:
    with pytest.raises(ParameterError) as raised:
        ml_feature_engineering(**options)
    assert raised.value.parameter == parameter


def test_too_little_history_fails_with_what_is_needed() -> None:
    failed = ml_feature_engineering(
        return_state=True, symbols=SYMBOLS, start="2014-10-01", end="2014-12-31"
    )
    assert failed.is_failed()
    assert isinstance(failed.result(raise_on_failure=False), InsufficientHistoryError)
