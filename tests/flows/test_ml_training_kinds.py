"""A training on barriers, with paths through history beside the walk-forward."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flows.ml_training import ml_model_training
from slices.domain.errors import ParameterError
from slices.ml_strategy.predicting.followed import find_trained
from slices.ml_strategy.registry.loading import load_model, load_version
from slices.runtime import mlflow_store
from tests.support.runs import task_runs

if TYPE_CHECKING:
    from prefect.states import State

    from slices.domain.model_training import ModelTraining

pytestmark = pytest.mark.slow

MODEL = "barriers"
LABEL = {"kind": "triple_barrier", "horizon_sessions": 5, "profit_multiple": 1.0}
OPTIONS: dict[str, Any] = {
    "symbols": ["AAPL", "BAC", "CVX", "JNJ", "KO", "MSFT", "PG", "XOM"],
    "start": "2012-01-03",
    "model": MODEL,
    "features": ["momentum_21", "reversal_5", "volatility_21"],
    "label": LABEL,
    "splits": {"folds": 3, "first_train_sessions": 756, "combinatorial_blocks": 4},
    "kinds": ["linear"],
    "trials": 0,
}
TASKS = 2 + 1 + 1 + 1 + 2 + 1 + 4 + 3 + 1


@pytest.fixture(scope="module")
def state() -> State[ModelTraining]:
    return ml_model_training(**OPTIONS, return_state=True)


@pytest.fixture(scope="module")
def training(state: State[ModelTraining]) -> ModelTraining:
    return state.result()


def test_paths_stand_beside_the_walk_forward(training: ModelTraining) -> None:
    found = training.evidence.paths
    assert found is not None
    assert (found.kind, found.blocks, found.fits) == (training.chosen, 4, 6)
    assert np.isfinite(found.coefficients).all()
    client: Any = mlflow_store.open_client()
    series = client.get_metric_history(training.mlflow_run_id, "path.information_coefficient")
    assert [each.value for each in series] == pytest.approx(found.coefficients)
    metrics = client.get_run(training.mlflow_run_id).data.metrics
    assert metrics["paths.net_sharpe_ratio.mean"] == pytest.approx(np.mean(found.net_sharpe_ratios))
    text = Path(training.report_path).read_text()
    for expected in ("Paths through history", "Information coefficient by path", "by path"):
        assert expected in text


def test_paths_are_walked_by_one_cached_task(
    state: State[ModelTraining], training: ModelTraining
) -> None:
    runs = task_runs(state.state_details.flow_run_id, expected=TASKS)
    assert sum("walk_paths" in each.task_key for each in runs) == 1
    again = ml_model_training(**OPTIONS)
    assert again.evidence == training.evidence
    assert again.mlflow_run_id == training.mlflow_run_id


def test_paths_decide_nothing(training: ModelTraining) -> None:
    options = OPTIONS | {"splits": OPTIONS["splits"] | {"combinatorial_blocks": None}}
    without = ml_model_training(**options | {"model": "barriers-alone"})
    assert without.evidence.paths is None
    assert without.candidates == training.candidates
    assert without.promotion is not None
    assert training.promotion is not None
    assert without.promotion.tests == training.promotion.tests
    assert "Paths through history" not in Path(without.report_path).read_text()


def test_paths_of_equal_scores_have_no_figures_and_say_so() -> None:
    options = OPTIONS | {"kinds": ["always_equal"], "model": "barriers-equal"}
    found = ml_model_training(**options)
    assert found.evidence.paths is not None
    assert np.isnan(found.evidence.paths.coefficients).all()
    client: Any = mlflow_store.open_client()
    metrics = client.get_run(found.mlflow_run_id).data.metrics
    assert not [name for name in metrics if name.startswith("path")]
    text = Path(found.report_path).read_text()
    assert "Information coefficient is not defined" in text
    assert ">nan<" not in text


def test_the_registered_model_knows_its_labels_and_is_not_traded(training: ModelTraining) -> None:
    assert training.version is not None
    stored = load_version(training.version)
    assert stored.bundle.label == training.settings.label
    assert stored.bundle.label.kind == "triple_barrier"
    alias = "champion" if training.promotion and training.promotion.champion else "challenger"
    assert load_model(MODEL, alias).bundle.label == stored.bundle.label
    with pytest.raises(ParameterError, match="triple_barrier"):
        find_trained(MODEL)


def test_settings_of_another_kind_are_refused_before_anything_starts() -> None:
    with pytest.raises(ParameterError, match="side_costs_bps"):
        ml_model_training(**OPTIONS | {"label": LABEL | {"side_costs_bps": 5.0}})
