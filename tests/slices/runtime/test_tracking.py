from __future__ import annotations

import math
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from slices.domain.errors import SettingsError
from slices.runtime import mlflow_store
from slices.runtime.mlflow_store import open_tracking, tracking_url
from slices.runtime.settings import load_settings
from slices.runtime.tracking import (
    HOST_TAG,
    KEY_TAG,
    PARENT_TAG,
    TrackedPart,
    TrackedRun,
    track,
)

pytestmark = pytest.mark.slow

TRIALS = pl.DataFrame({"fast": [5, 10], "sharpe_ratio": [0.5, 0.75]})
RUN = TrackedRun(
    experiment="studies of a test",
    key="0123abcd",
    main=TrackedPart(
        name="sma_cross GOOGL",
        parameters=(("strategy", "sma_cross"), ("long", "x" * 9_000)),
        metrics=(("best_sharpe", 0.75), ("undefined", math.nan)),
        tags=(("tradeflows.prefect_run", "abc"),),
    ),
    tables=(("trials", TRIALS),),
    nested=(
        TrackedPart(name="first", parameters=(("fast", "10"),), metrics=(("sharpe", 0.75),)),
        TrackedPart(name="second", parameters=(("fast", "5"),), metrics=(("sharpe", 0.5),)),
    ),
)


@pytest.fixture(scope="module")
def client() -> Any:
    open_tracking()
    return mlflow_store.open_client()


@pytest.fixture(scope="module")
def run_id(client: Any) -> str:
    return track(RUN)


def runs(client: Any) -> list[Any]:
    experiment = client.get_experiment_by_name(RUN.experiment)
    return list(client.search_runs([experiment.experiment_id]))


def test_the_pages_show_a_group_as_training(client: Any, run_id: str) -> None:
    experiment = client.get_experiment_by_name(RUN.experiment)
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_everything_is_under_the_home(client: Any, run_id: str) -> None:
    folder = load_settings().mlflow_folder
    assert tracking_url() == f"sqlite:///{folder / 'mlflow.db'}"
    assert (folder / "mlflow.db").is_file()
    place = client.get_run(run_id).info.artifact_uri.removeprefix("file://")
    assert Path(place).is_relative_to(folder / "artifacts")
    assert not Path("mlruns").exists()
    assert not Path("mlflow.db").exists()


def test_a_run_holds_what_was_promised(client: Any, run_id: str) -> None:
    found = client.get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "sma_cross GOOGL"
    assert found.data.params["strategy"] == "sma_cross"
    assert found.data.metrics["best_sharpe"] == 0.75
    assert math.isnan(found.data.metrics["undefined"])
    assert found.data.tags[KEY_TAG] == RUN.key
    assert found.data.tags["tradeflows.prefect_run"] == "abc"


def test_the_tables_can_be_read_back(client: Any, run_id: str, tmp_path: Path) -> None:
    parquet = client.download_artifacts(run_id, "trials.parquet", str(tmp_path))
    assert pl.read_parquet(parquet).equals(TRIALS)
    written = client.download_artifacts(run_id, "trials.csv", str(tmp_path))
    assert pl.read_csv(written).equals(TRIALS)


def test_nested_runs_know_their_parent(client: Any, run_id: str) -> None:
    nested = [each for each in runs(client) if each.data.tags.get(PARENT_TAG) == run_id]
    assert {each.info.run_name for each in nested} == {"first", "second"}
    assert {each.data.metrics["sharpe"] for each in nested} == {0.75, 0.5}
    assert {each.info.status for each in nested} == {"FINISHED"}


def test_the_same_content_is_the_same_run(client: Any, run_id: str) -> None:
    before = len(runs(client))
    assert track(RUN) == run_id
    assert len(runs(client)) == before


def test_threads_that_track_the_same_make_one_run(client: Any, run_id: str) -> None:
    shared = replace(RUN, key="shared", nested=(), tables=())
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(track, [shared] * 4))
    assert len(set(ids)) == 1


def begun(client: Any, key: str, host: str, *, hours_ago: float = 0.0) -> str:
    """A run of this key that was begun on some machine and never finished."""
    experiment = client.get_experiment_by_name(RUN.experiment).experiment_id
    started = int((time.time() - hours_ago * 3600) * 1000)
    tags = {KEY_TAG: key, HOST_TAG: host}
    return str(client.create_run(experiment, start_time=started, tags=tags).info.run_id)


def test_a_run_that_was_cut_off_is_closed_and_made_anew(client: Any, run_id: str) -> None:
    torn = begun(client, "torn", socket.gethostname())
    made = track(replace(RUN, key="torn", nested=(), tables=()))
    assert made != torn
    assert client.get_run(torn).info.status == "KILLED"
    assert client.get_run(made).info.status == "FINISHED"


def test_only_an_old_run_of_another_machine_is_closed(client: Any, run_id: str) -> None:
    old = begun(client, "elsewhere", "another", hours_ago=25)
    young = begun(client, "elsewhere", "another", hours_ago=23)
    made = track(replace(RUN, key="elsewhere", nested=(), tables=()))
    assert client.get_run(old).info.status == "KILLED"
    assert client.get_run(young).info.status == "RUNNING"
    assert client.get_run(made).data.tags[HOST_TAG] == socket.gethostname()
    assert track(replace(RUN, key="elsewhere", nested=(), tables=())) == made


def test_a_run_that_has_ended_keeps_its_end(client: Any, run_id: str) -> None:
    failed = begun(client, "failed", socket.gethostname())
    client.set_terminated(failed, "FAILED")
    track(replace(RUN, key="failed", nested=(), tables=()))
    assert client.get_run(failed).info.status == "FAILED"


def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOWS_MLFLOW_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:9"):
        open_tracking()
