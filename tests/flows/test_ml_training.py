"""Training as a flow: what is tracked, registered, cached, refused, and linked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import polars as pl
import pytest

from flows.cli import main
from flows.ml_training import ml_model_training
from slices.domain.errors import ParameterError
from slices.domain.learning import ModelKind
from slices.ml_strategy.fitting.models import scores_of
from slices.ml_strategy.registry.loading import find_model, load_version
from slices.runtime import mlflow_store, registry
from slices.runtime.links import WORKFLOW, flow_run_url, tracked_url
from slices.runtime.tracking import NOTE_TAG, PARENT_TAG
from tests.support.frames import repository
from tests.support.runs import artifacts, task_runs
from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.states import State

    from slices.domain.model_training import ModelTraining

pytestmark = pytest.mark.slow

MODEL = "flow-test"
FEATURES = ["momentum_21", "momentum_252_21", "reversal_5", "volatility_21", "rank_momentum_21"]
KINDS = ["always_equal", "linear", "random_forest", "lightgbm"]
OPTIONS: dict[str, Any] = {
    "symbols": ["AAPL", "BAC", "CVX", "JNJ", "KO", "MSFT", "PG", "XOM"],
    "start": "2008-01-02",
    "model": MODEL,
    "features": FEATURES,
    "splits": {"folds": 3, "first_train_sessions": 756},
    "kinds": KINDS,
    "trials": 2,
}
TASKS = 2 + 1 + 1 + 1 + 2 * len(KINDS) + 3 + 1 + 3 + 1
READY_SECONDS = 120.0


@pytest.fixture(scope="module")
def state() -> State[ModelTraining]:
    return ml_model_training(**OPTIONS, return_state=True)


@pytest.fixture(scope="module")
def training(state: State[ModelTraining]) -> ModelTraining:
    return state.result()


@pytest.fixture(scope="module")
def run(training: ModelTraining) -> Any:
    client: Any = mlflow_store.open_client()
    return client.get_run(training.mlflow_run_id)


def test_every_kind_is_judged_where_it_had_not_learnt(training: ModelTraining) -> None:
    assert [each.kind.value for each in training.candidates] == KINDS
    for each in training.candidates:
        assert len(each.folds) == 3
        assert all(one.last_session < two.first_session for one, two in pairwise(each.folds))
    equal = training.candidates[0]
    assert np.isnan(equal.skill.information_coefficient)
    assert equal.skill.auc == 0.5
    assert training.best.skill.t_statistic == max(
        each.skill.t_statistic for each in training.candidates[1:]
    )


def test_trials_of_all_kinds_are_counted(training: ModelTraining) -> None:
    assert [len(each.tuned) for each in training.candidates] == [0, 2, 2, 2]
    assert training.evidence.trials == 1 + 2 + 2 + 2
    assert 1.645 < training.evidence.needed_t < 3.0
    assert 0.0 <= training.evidence.deflated_sharpe_ratio <= 1.0


def test_canaries_ran_and_are_quiet(training: ModelTraining) -> None:
    names = {each.name for each in training.evidence.canaries}
    assert names == {"shuffled_labels", "future_feature", "random_walk"}
    assert not any(each.is_singing for each in training.evidence.canaries)
    assert training.evidence.proven_features == len(FEATURES)


def test_what_became_of_it_follows_from_the_tests(training: ModelTraining) -> None:
    promotion = training.promotion
    assert promotion is not None
    passes = all(each.is_passed for each in promotion.tests)
    assert promotion.outcome == ("promoted" if passes else "challenger")
    champion = registry.version_by_alias(MODEL, "champion")
    assert (champion is not None) is passes
    assert training.caveats == ()


def test_the_run_holds_everything(training: ModelTraining, run: Any, tmp_path: Path) -> None:
    client: Any = mlflow_store.open_client()
    assert run.info.status == "FINISHED"
    assert run.data.metrics["t_statistic"] == pytest.approx(training.best.skill.t_statistic)
    assert run.data.params["symbols"] == " ".join(OPTIONS["symbols"])
    assert run.data.tags["tradeflows.data"] == training.bars.fingerprint
    assert training.provenance is not None
    assert run.data.tags["tradeflows.code"] == training.provenance.code_version
    datasets = {each.dataset.name: each.dataset.digest for each in run.inputs.dataset_inputs}
    assert training.bars.fingerprint in datasets.values()
    series = client.get_metric_history(run.info.run_id, "fold.information_coefficient")
    folds = [each.skill.information_coefficient for each in training.best.folds]
    assert [each.step for each in series] == [1, 2, 3]
    assert [each.value for each in series] == pytest.approx(folds)
    files = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert {"tuning.parquet", "folds.csv", "cumulative-ic.svg", "importances.svg"} <= files
    table = client.download_artifacts(run.info.run_id, "tuning.parquet", str(tmp_path))
    assert pl.read_parquet(table).height == 6


def test_each_candidate_is_a_run_below_it(training: ModelTraining, run: Any) -> None:
    client: Any = mlflow_store.open_client()
    query = f"tags.`{PARENT_TAG}` = '{run.info.run_id}'"
    nested = client.search_runs([run.info.experiment_id], query)
    found = {each.data.params["kind"]: each.data.metrics for each in nested}
    assert set(found) == set(KINDS)
    for each in training.candidates[1:]:
        expected = each.skill.information_coefficient
        assert found[each.kind.value]["information_coefficient"] == pytest.approx(expected)


def test_the_model_has_signature_and_example_and_opens_in_mlflow(training: ModelTraining) -> None:
    import mlflow

    assert training.version is not None
    client: Any = mlflow_store.open_client()
    tags = client.get_model_version(MODEL, str(training.version.version)).tags
    source = client.get_logged_model(tags["tradeflows.model_id"]).artifact_location
    place = source.removeprefix("file://")
    described = mlflow.models.Model.load(place)
    assert described.signature.inputs.input_names() == FEATURES
    assert set(described.load_input_example(place).columns) == set(FEATURES)
    bundle = load_version(training.version).bundle
    if training.chosen in (ModelKind.LIGHTGBM, ModelKind.RANDOM_FOREST):
        opened = lightgbm.Booster(model_file=f"{place}/booster.txt")
        rows = np.random.default_rng(0).normal(size=(50, len(FEATURES))).astype(np.float32)
        own = scores_of(bundle.predictor, rows, tuple(FEATURES))
        assert np.allclose(np.asarray(opened.predict(rows, num_threads=1)), own)


def test_a_second_run_is_cached_and_finds_the_same_run_and_version(
    training: ModelTraining,
) -> None:
    again = ml_model_training(**OPTIONS, return_state=True)
    runs = task_runs(again.state_details.flow_run_id, expected=TASKS)
    assert len(runs) == TASKS
    pure = [each for each in runs if {"kind:compute", "kind:fetch", "kind:train"} & set(each.tags)]
    assert {each.state_name for each in pure} == {"Cached"}
    repeated = again.result()
    assert repeated.mlflow_run_id == training.mlflow_run_id
    assert repeated.version is not None
    assert training.version is not None
    assert repeated.version.version == training.version.version
    assert repeated.promotion is not None
    assert repeated.promotion.outcome == "known"
    assert len(registry.versions(MODEL)) == 1


def test_the_report_shows_what_matters(training: ModelTraining) -> None:
    text = Path(training.report_path).read_text()
    for expected in (
        "Candidates, out of sample", "Tests of the promotion", "Canaries", "summed over sessions",
        "What it gained by each feature", "Trials of linear", "future feature",
        training.mlflow_run_id,
    ):  # fmt: skip
        assert expected in text
    assert ">nan<" not in text
    assert f'href="{tracked_url(training.mlflow_run_id)}"' in text
    assert json.dumps(training.to_dict())


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(ParameterError, match="found 'momentum_22'"):
        ml_model_training.validate_parameters(OPTIONS | {"features": ["momentum_22"]})


@pytest.fixture
def pages() -> Iterator[str]:
    """MLflow's pages, served by the command that serves them for people."""
    port = free_port()
    words = [sys.executable, "-m", "flows", "models", "ui", "--port", str(port)]
    with subprocess.Popen(words, cwd=repository(), stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(f"{url}/health")
            yield url
        finally:
            server.terminate()
            server.wait(60)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(url)


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
        return json.loads(answer.read())


def test_the_pages_of_both_lead_to_each_other(
    state: State[ModelTraining], training: ModelTraining, pages: str, api_url: str
) -> None:
    flow_run = str(state.state_details.flow_run_id)
    links = [
        each for each in artifacts(state.state_details.flow_run_id) if "mlflow" in (each.key or "")
    ]
    assert len(links) == 1
    there = re.search(r"experiments/(\d+)/runs/([0-9a-f]+)(\?\S*?)\)", str(links[0].data))
    assert there is not None
    experiment, run_id, ending = there.groups()
    assert ending == WORKFLOW
    found = asked(f"{pages}/api/2.0/mlflow/runs/get?run_id={run_id}")["run"]
    assert (found["info"]["experiment_id"], run_id) == (experiment, training.mlflow_run_id)
    tags = {each["key"]: each["value"] for each in found["data"]["tags"]}
    assert tags["tradeflows.prefect_url"] == flow_run_url(flow_run)
    assert flow_run_url(flow_run) in tags[NOTE_TAG]
    assert flow_run_url(flow_run).endswith(flow_run)
    assert asked(f"{api_url}/flow_runs/{flow_run}")["id"] == flow_run
    with urllib.request.urlopen(pages, timeout=60) as page:  # noqa: S310 - loopback
        assert b"<html" in page.read()


def test_models_are_listed_and_shown(
    training: ModelTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "list", "--json"]) == 0
    lines = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert lines[MODEL]["kind"] == training.chosen.value
    assert main(["models", "list"]) == 0
    assert MODEL in capsys.readouterr().out
    assert main(["models", "show", MODEL]) == 0
    shown = capsys.readouterr().out
    assert "as registered" in shown
    assert training.version is not None
    assert training.version.digest in shown
    assert main(["models", "show", "nobody"]) == 4
    assert MODEL in capsys.readouterr().err


def test_models_are_rolled_back_and_retired_by_hand(
    training: ModelTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    assert training.version is not None
    assert main(["models", "rollback", "nobody", "--reason", "why"]) == 4
    registry.set_champion(MODEL, training.version.version, "for a test")
    assert main(["models", "retire", MODEL, "--reason", " "]) == 2
    assert main(["models", "retire", MODEL, "--reason", "not trusted", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": MODEL, "champion": None}
    assert registry.version_by_alias(MODEL, "champion") is None
    assert "not trusted" in str(find_model(MODEL)) or "no version" in str(find_model(MODEL))
    assert main(["models", "rollback", MODEL, "--reason", "nobody is left"]) == 4
