"""Flows on a real Dask cluster and on processes, against the same flows on threads."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.analysis import full_analysis
from flows.core import simple_backtest
from flows.search import optimization
from slices.domain.fingerprint import fingerprint
from slices.runtime.settings import Settings, load_settings
from slices.runtime.workflow import Workflow, runner
from tests.support.server import clean_environment, started

if TYPE_CHECKING:
    from distributed import Client

pytestmark = [pytest.mark.slow]
distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
pytest.importorskip("prefect_dask", reason="the extra dask is not installed")

OF_THE_RUN = {"report", "report_path", "provenance"}
WORKERS = 2
WAIT_SECONDS = 120.0
ANALYSIS: dict[str, Any] = {"symbols": ["AAPL", "IBM"], "start": dt.date(2011, 9, 1)}
BACKTEST: dict[str, Any] = {"symbols": ["AAPL"], "start": dt.date(2012, 1, 3)}
SEARCH: dict[str, Any] = {
    "symbols": ["GOOGL"],
    "strategy": "rsi_reversal",
    "method": "random",
    "trials": 10,
    "start": dt.date(2008, 1, 2),
}


with warnings.catch_warnings():  # of a package that is not there and not needed
    warnings.simplefilter("ignore")
    import requests  # noqa: F401 - imported by whoever comes first


@pytest.fixture(scope="module")
def cluster(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A scheduler and two worker processes on loopback."""
    folder = tmp_path_factory.mktemp("dask")
    place = folder / "scheduler.json"
    # Workers get the flow's settings with every task; what they start with leads nowhere.
    environment = clean_environment(home)
    at = ["--scheduler-file", str(place), "--host", "127.0.0.1", "--no-dashboard"]
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", *at]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny"]
    worker += ["--local-directory", str(folder), *at]
    with ExitStack() as stack:
        stack.enter_context(started(scheduler, environment, folder / "scheduler.log"))
        for number in range(WORKERS):
            stack.enter_context(started(worker, environment, folder / f"worker-{number}.log"))
        client = stack.enter_context(distributed.Client(_address(place), set_as_default=False))
        client.wait_for_workers(WORKERS, timeout=WAIT_SECONDS)
        yield client


def _address(place: Path) -> str:
    """Wait until the scheduler has said where it is."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not place.exists() or not place.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return str(json.loads(place.read_text())["address"])


def answer(flow: Workflow[..., Any], options: dict[str, Any], settings: Settings) -> Any:
    """Run a flow with nothing in the cache."""
    shutil.rmtree(load_settings().results_folder, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flow, "task_runner", runner(settings))
        return flow(**options)


def differing(one: object, other: object) -> set[str]:
    """Name what differs between two findings, but for the run they were made by."""
    return {
        name
        for name, value in vars(one).items()
        if fingerprint(value) != fingerprint(getattr(other, name))
    } - OF_THE_RUN


def has_worked(dask_worker: Any) -> bool:
    """Tell whether a worker has run a task of ours; runs on the worker."""
    return any(name.startswith("slices.") and name.endswith(".tasks") for name in sys.modules)


@pytest.mark.timeout(900)
def test_a_cluster_gives_the_answers_of_threads(cluster: Client) -> None:
    dask = Settings(task_runner="dask", dask_address=cluster.scheduler_info()["address"])
    for flow, options in ((full_analysis, ANALYSIS), (optimization, SEARCH)):
        one, other = (answer(flow, options, each) for each in (Settings(), dask))
        assert differing(one, other) == set()
    assert all(cluster.run(has_worked).values())


def test_processes_give_the_answers_of_threads() -> None:
    processes = Settings(task_runner="processes", max_workers=1)
    one, other = (answer(simple_backtest, BACKTEST, each) for each in (Settings(), processes))
    assert differing(one, other) == set()
