"""Prefect, MLflow and the books on one real PostgreSQL server: a flow that trades on paper."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from slices.domain.accounts import TradingMode
from slices.ledger.accounts import read_book
from slices.ledger.opening import ledger_for
from slices.runtime.mlflow_store import open_client, open_experiment, open_tracking
from tests.support.ledgers import new_database, postgresql  # noqa: F401 - a fixture
from tests.support.server import BIN, Server, clean_environment, free_port, started

pytestmark = [pytest.mark.slow, pytest.mark.server]
READY_SECONDS = 240.0


@pytest.fixture
def server(postgresql: Path, tmp_path: Path) -> Iterator[Server]:  # noqa: F811 - the fixture
    """A Prefect server whose runs are kept by PostgreSQL."""
    pytest.importorskip("asyncpg")
    port, log = free_port(), tmp_path / "server.log"
    url = f"http://127.0.0.1:{port}/api"
    database = new_database(postgresql)
    environment = clean_environment(tmp_path) | {
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database.replace(
            "postgresql:", "postgresql+asyncpg:"
        ),
        "TRADEFLOWS_LEDGER_URL": new_database(postgresql),
    }
    with started([str(BIN / "prefect"), "server", "start"], environment, log) as process:
        _wait_until_ready(url, log)
        yield Server(url=url, home=tmp_path, environment=environment, pid=process.pid)


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@pytest.mark.timeout(900)
def test_runs_and_books_are_kept_by_postgresql(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["tradeflows", "run", "paper_trading", "--symbols", "AAPL", "--start", "2012-01-03"]
    server.command(*words, timeout=400)
    with SyncPrefectClient(server.url) as client:
        (run,) = client.read_flow_runs()
        assert client.read_flow(run.flow_id).name == "paper-trading"
    assert run.state_name in {"Completed", "Degraded"}
    monkeypatch.setenv("TRADEFLOWS_LEDGER_URL", server.environment["TRADEFLOWS_LEDGER_URL"])
    ledger = ledger_for(TradingMode.PAPER)
    book = read_book(ledger, "main")
    ledger.close()
    assert book.capital == 100_000
    assert book.session is not None
    assert not list(server.home.rglob("paper.db"))
    assert not list(server.home.rglob("prefect.db"))


@pytest.mark.timeout(600)
def test_tracked_runs_are_kept_by_postgresql(
    postgresql: Path,  # noqa: F811 - the fixture
    fresh_home: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = new_database(postgresql).replace("postgresql:", "postgresql+psycopg:")
    monkeypatch.setenv("TRADEFLOWS_MLFLOW_URL", database)
    open_tracking()
    client = open_client()
    experiment = client.create_experiment("kept", f"file://{fresh_home}/artifacts")
    assert open_experiment(client, "kept") == experiment
    run = client.create_run(experiment)
    client.log_metric(run.info.run_id, "found", 0.25)
    assert client.get_run(run.info.run_id).data.metrics == {"found": 0.25}
    assert not list(Path(fresh_home).rglob("*.db"))
