"""Tracked runs: the one door to MLflow.

Everything goes through the client with explicit run ids, so that flows and threads cannot meet in a
"current" run. Without a server, runs live in a database under the home. A run is named by the key
of its content: tracking the same content again finds the run there is.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from slices.domain.errors import SettingsError
from slices.runtime.locks import KernelLocks
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

Answer = TypeVar("Answer")

KEY_TAG = "tradeflows.key"
HOST_TAG = "tradeflows.host"
PARENT_TAG = "mlflow.parentRunId"
MOST_LETTERS = 500
"""MLflow refuses parameters longer than 6,000 letters, and nobody reads longer ones than these."""

WAIT_SECONDS = 120.0
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
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, float], ...]
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackedRun:
    """A run with its tables and the few runs nested in it.

    Attributes:
        experiment: Group of runs it is listed under.
        key: Digest of what it depends on; equal keys are one run.
        main: The run itself.
        tables: Name of a file without ending, and the rows it will hold as Parquet and CSV.
        nested: Runs below it; each takes about 50 ms, so only those somebody will look at.
    """

    experiment: str
    key: str
    main: TrackedPart
    tables: tuple[tuple[str, pl.DataFrame], ...] = ()
    nested: tuple[TrackedPart, ...] = ()


def tracking_url() -> str:
    """Return where runs are tracked: the server of the settings, or a database in the home."""
    settings = load_settings()
    return settings.mlflow_url or f"sqlite:///{settings.mlflow_folder / 'mlflow.db'}"


def open_tracking() -> str:
    """Make the database where there is none yet, which takes some seconds; return the address.

    Raises:
        SettingsError: Where the server cannot be reached.
    """
    url = tracking_url()
    with _locked("database"):
        client = _client(url)
        _answered(url, lambda: client.search_experiments(max_results=1))
    return url


def track(run: TrackedRun) -> str:
    """Keep a run, or find the one that was kept for the same key.

    A run that was cut off is closed as killed and made anew: one that this machine began, whose
    lock says that nobody is at it, or one that is a day old. A younger one of another machine is
    left alone, for it may be under way.

    Returns:
        The run's id.

    Raises:
        SettingsError: Where the server cannot be reached.
    """
    with _locked(run.key):
        client = _client(tracking_url())
        experiment = _experiment(client, run.experiment)
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
    tags = {KEY_TAG: run.key, HOST_TAG: socket.gethostname()}
    made = client.create_run(experiment, run_name=run.main.name, tags=tags)
    run_id = str(made.info.run_id)
    _log(client, run_id, run.main)
    _log_tables(client, run_id, run.tables)
    for each in run.nested:
        child = client.create_run(experiment, run_name=each.name, tags={PARENT_TAG: run_id})
        _log(client, child.info.run_id, each)
        client.set_terminated(child.info.run_id, "FINISHED")
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _log(client: MlflowClient, run_id: str, part: TrackedPart) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0) for name, value in part.metrics],
        params=[Param(name, value[:MOST_LETTERS]) for name, value in part.parameters],
        tags=[RunTag(name, value) for name, value in part.tags],
    )


def _log_tables(
    client: MlflowClient, run_id: str, tables: tuple[tuple[str, pl.DataFrame], ...]
) -> None:
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        for name, frame in tables:
            frame.write_parquet(Path(folder) / f"{name}.parquet")
            frame.write_csv(Path(folder) / f"{name}.csv")
        if tables:
            client.log_artifacts(run_id, folder)


def _experiment(client: MlflowClient, name: str) -> str:
    url = tracking_url()
    found = _answered(url, lambda: client.get_experiment_by_name(name))
    if found is not None:
        return str(found.experiment_id)
    place = None if load_settings().mlflow_url else (_folder() / "artifacts" / name).as_uri()
    with _locked("experiments"):
        found = client.get_experiment_by_name(name)
        return str(found.experiment_id if found else client.create_experiment(name, place))


def _client(url: str) -> MlflowClient:
    """Open a client; the first one of a process imports MLflow, which takes seconds."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    _folder()
    from mlflow.tracking import MlflowClient

    for name in ("mlflow", "alembic"):  # importing it has set them to tell every step
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=url, registry_uri=url)


def _answered(url: str, ask: Callable[[], Answer]) -> Answer:
    """Ask the store for the first time and say plainly where it gives no answer."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as refused:
        first_line = str(refused).partition("\n")[0]
        raise SettingsError(
            setting="TRADEFLOWS_MLFLOW_URL", found=url, needed=f"a store of MLflow ({first_line})"
        ) from refused


def _folder() -> Path:
    folder = load_settings().mlflow_folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked(key: str) -> Iterator[None]:
    """Keep other threads and processes from making the same thing at the same time."""
    locks, holder = KernelLocks(load_settings().locks_folder), f"{os.getpid()}-{get_ident()}"
    name = f"mlflow-{key}"
    if not locks.acquire_lock(name, holder, acquire_timeout=WAIT_SECONDS):
        raise SettingsError(
            setting="TRADEFLOWS_HOME",
            found=f"another process that has been tracking for {WAIT_SECONDS:.0f} s",
            needed="one that ends",
        )
    try:
        yield
    finally:
        locks.release_lock(name, holder)
