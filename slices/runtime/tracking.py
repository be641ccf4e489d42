"""Tracked runs: what went in, what came out, kept where `mlflow ui` shows it.

A run is named by the key of its content: tracking the same content again finds the run there is.
"""

from __future__ import annotations

import json
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from slices.runtime.artifacts import current_run
from slices.runtime.links import flow_run_url
from slices.runtime.mlflow_store import locked, open_client, open_experiment, store_folder
from slices.runtime.model_files import Files, TrackedModel, log_model, write_files

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Run
    from mlflow.tracking import MlflowClient

KEY_TAG = "tradeflows.key"
HOST_TAG = "tradeflows.host"
FLOW_TAG = "tradeflows.flow"
FLOW_RUN_TAG = "tradeflows.prefect_run"
FLOW_URL_TAG = "tradeflows.prefect_url"
PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
MOST_LETTERS = 500
"""MLflow refuses parameters longer than 6,000 letters, and nobody reads longer ones than these."""

ABANDONED_SECONDS = 24 * 3600.0
"""Age from which an unfinished run of another machine is taken as cut off."""


@dataclass(frozen=True, kw_only=True)
class TrackedPart:
    """One tracked run: what went in, what came out.

    Attributes:
        name: Shown in lists of runs.
        parameters: Name and value of what went in.
        metrics: Name and value of what came out.
        tags: Name and value of what it belongs to.
        series: Name and values of what came out step by step, such as fold by fold, from step 1.
        note: Markdown that MLflow shows on the run's page; empty for none.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, float], ...]
    tags: tuple[tuple[str, str], ...] = ()
    series: tuple[tuple[str, tuple[float, ...]], ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class TrackedData:
    """Data a run stands on.

    Attributes:
        name: Shown in lists.
        digest: Fingerprint of its content.
        source: Where it comes from, in words or as an address.
        columns: Names of its columns.
        profile: Name and value of its size and reach.
        context: What it was used for, such as training.
    """

    name: str
    digest: str
    source: str
    columns: tuple[str, ...] = ()
    profile: tuple[tuple[str, str], ...] = ()
    context: str = "training"


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackedRun:
    """A run with its tables and the few runs nested in it.

    Attributes:
        experiment: Group of runs it is listed under.
        key: Digest of what it depends on; equal keys are one run.
        main: The run itself.
        tables: Name of a file without ending, and the rows it will hold as Parquet and CSV.
        nested: Runs below it; each takes about 50 ms, so only those somebody will look at.
        datasets: What it stands on.
        files: Pictures and other files, by name.
        model: What it made.
    """

    experiment: str
    key: str
    main: TrackedPart
    tables: tuple[tuple[str, pl.DataFrame], ...] = ()
    nested: tuple[TrackedPart, ...] = ()
    datasets: tuple[TrackedData, ...] = ()
    files: Files = ()
    model: TrackedModel | None = None


def track(run: TrackedRun) -> str:
    """Keep a run, or find the one that was kept for the same key.

    A run that was cut off is closed as killed and made anew: one that this machine began, whose
    lock says that nobody is at it, or one that is a day old. A younger one of another machine is
    left alone, for it may be under way. Each run says which flow run made it.

    Returns:
        The run's id.

    Raises:
        SettingsError: Where the server cannot be reached.
    """
    with locked(run.key):
        client = open_client()
        experiment = open_experiment(client, run.experiment)
        for each in client.search_runs([experiment], f"tags.\"{KEY_TAG}\" = '{run.key}'"):
            if each.info.status == "FINISHED":
                return str(each.info.run_id)
            if _is_cut_off(each):
                client.set_terminated(each.info.run_id, "KILLED")
        return _written(client, experiment, run)


def _is_cut_off(run: Run) -> bool:
    """Tell whether nobody can be writing this run, given the lock of its key."""
    if run.info.status not in {"RUNNING", "SCHEDULED"}:
        return False
    is_own = run.data.tags.get(HOST_TAG) == socket.gethostname()
    return is_own or time.time() - run.info.start_time / 1000 > ABANDONED_SECONDS


def _written(client: MlflowClient, experiment: str, run: TrackedRun) -> str:
    tags = {KEY_TAG: run.key, HOST_TAG: socket.gethostname(), **_origin()}
    made = client.create_run(experiment, run_name=run.main.name, tags=tags)
    run_id = str(made.info.run_id)
    _log(client, run_id, run.main)
    _log_files(client, run_id, run)
    if run.datasets:
        client.log_inputs(run_id, [_input(each) for each in run.datasets])
    if run.model is not None:
        log_model(client, experiment, run_id, run.model)
    for each in run.nested:
        child = client.create_run(experiment, run_name=each.name, tags={PARENT_TAG: run_id})
        _log(client, child.info.run_id, each)
        client.set_terminated(child.info.run_id, "FINISHED")
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _origin() -> dict[str, str]:
    """Name the flow run this is part of, so that one finds it from here; empty outside of one."""
    run = current_run()
    tags = {FLOW_TAG: run.flow, FLOW_RUN_TAG: run.run_id, FLOW_URL_TAG: flow_run_url(run.run_id)}
    return {name: value for name, value in tags.items() if value}


def _log(client: MlflowClient, run_id: str, part: TrackedPart) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    single = [Metric(name, value, now, 0) for name, value in part.metrics]
    stepped = [
        Metric(name, value, now, step)
        for name, values in part.series
        for step, value in enumerate(values, 1)
    ]
    noted = ((NOTE_TAG, part.note),) if part.note else ()
    client.log_batch(
        run_id,
        metrics=single + stepped,
        params=[Param(name, value[:MOST_LETTERS]) for name, value in part.parameters],
        tags=[RunTag(name, value) for name, value in (*part.tags, *noted)],
    )


def _log_files(client: MlflowClient, run_id: str, run: TrackedRun) -> None:
    if not (run.tables or run.files):
        return
    with tempfile.TemporaryDirectory(dir=store_folder()) as folder:
        for name, frame in run.tables:
            frame.write_parquet(Path(folder) / f"{name}.parquet")
            frame.write_csv(Path(folder) / f"{name}.csv")
        write_files(Path(folder), run.files)
        client.log_artifacts(run_id, folder)


def _input(data: TrackedData) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"type": "double", "name": name, "required": True} for name in data.columns]
    described = Dataset(
        name=data.name,
        digest=data.digest,
        source_type="tradeflows",
        source=json.dumps({"source": data.source}),
        schema=json.dumps({"mlflow_colspec": columns}) if columns else None,
        profile=json.dumps(dict(data.profile)) if data.profile else None,
    )
    return DatasetInput(described, tags=[InputTag("mlflow.data.context", data.context)])
