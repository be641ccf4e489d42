"""The store of tracked runs and registered models: its address, its client, its locks.

Everything goes through the client with explicit run ids, so that flows and threads cannot meet in a
"current" run. Without a server, the store is a database under the home. No MLflow type leaves the
modules that import this one.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar

from slices.domain.errors import SettingsError
from slices.runtime.locks import KernelLocks
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlflow.tracking import MlflowClient

Answer = TypeVar("Answer")

WAIT_SECONDS = 120.0
SQLITE = "sqlite:///"
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Tells MLflow's pages to show runs and models; without it they may open with views of agents."""


def tracking_url() -> str:
    """Return where runs are tracked: the server of the settings, or a database in the home."""
    settings = load_settings()
    return settings.mlflow_url or f"{SQLITE}{settings.mlflow_folder / 'mlflow.db'}"


def open_tracking() -> str:
    """Make the database where there is none yet, which takes some seconds; return the address.

    Raises:
        SettingsError: Where the server cannot be reached.
    """
    url = tracking_url()
    with locked("database"):
        client = open_client()
        answered(lambda: client.search_experiments(max_results=1))
        if url.startswith(SQLITE):
            _let_readers_in(url.removeprefix(SQLITE))
    return url


def open_client() -> MlflowClient:
    """Open a client; the first one of a process imports MLflow, which takes seconds."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    url = tracking_url()
    store_folder()
    from mlflow.tracking import MlflowClient

    for name in ("mlflow", "alembic"):  # importing it has set them to tell every step
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=url, registry_uri=url)


def open_experiment(client: MlflowClient, name: str) -> str:
    """Find a group of runs, or make it; return its id.

    Raises:
        SettingsError: Where the server cannot be reached.
    """
    found = answered(lambda: client.get_experiment_by_name(name))
    if found is not None:
        return str(found.experiment_id)
    place = None if load_settings().mlflow_url else (store_folder() / "artifacts" / name).as_uri()
    with locked("experiments"):
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(client.create_experiment(name, place, tags=KIND))


def experiment_of(run_id: str) -> str:
    """Return the id of the group a run is listed under.

    Raises:
        SettingsError: Where the server cannot be reached or does not know the run.
    """
    client = open_client()
    return str(answered(lambda: client.get_run(run_id)).info.experiment_id)


def answered(ask: Callable[[], Answer]) -> Answer:
    """Ask the store for the first time and say plainly where it gives no answer.

    Raises:
        SettingsError: Where it does not.
    """
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as refused:
        first_line = str(refused).partition("\n")[0]
        raise SettingsError(
            setting="TRADEFLOWS_MLFLOW_URL",
            found=tracking_url(),
            needed=f"a store of MLflow ({first_line})",
        ) from refused


def store_folder() -> Path:
    """Return the folder of the database and of files under way; make it where there is none."""
    folder = load_settings().mlflow_folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(key: str) -> Iterator[None]:
    """Keep other threads and processes from making the same thing at the same time.

    Raises:
        SettingsError: Where another one takes too long.
    """
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


def _let_readers_in(file: str) -> None:
    """Let the pages of the tracking UI be read while a run is written; the file remembers it."""
    with closing(sqlite3.connect(file, timeout=WAIT_SECONDS)) as database:
        database.execute("PRAGMA journal_mode=WAL")
