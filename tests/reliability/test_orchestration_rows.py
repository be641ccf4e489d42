"""Servers, workers and runs that are killed while a paper account is traded."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from slices.domain.accounts import TradingMode
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import open_ledger
from slices.ledger.orders import orders_of
from slices.runtime.deadline import HUNG
from tests.support.server import (
    BIN,
    ROOT,
    Server,
    free_port,
    running_server,
    running_worker,
    started,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun, TaskRun

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

ACCOUNT = "killed"
REPLAY = {
    "symbols": ["AAPL", "MSFT", "GOOGL", "IBM"],
    "account": ACCOUNT,
    "strategy": "macd",
    "replay_from": "2012-01-03",
    "replay_to": "2012-06-29",
}
SESSIONS = 125
SOME_SESSIONS = 20
LEAVES_RUNNING_SECONDS = 60.0
RUN_SECONDS = 240.0
WORDS = [
    *("run", "paper_trading", "--symbols", "AAPL", "MSFT", "GOOGL", "IBM"),
    *("--account", ACCOUNT, "--strategy", "macd"),
    *("--replay-from", "2012-01-03", "--replay-to", "2012-06-29"),
]


@dataclass(frozen=True)
class Books:
    """The home of an account that is killed: its ledger, and results nobody else has made."""

    home: Path

    @property
    def file(self) -> Path:
        return self.home / "ledger" / "paper.db"

    @property
    def setting(self) -> dict[str, str]:
        return {"TRADEFLOWS_HOME": str(self.home)}

    @property
    def sessions(self) -> int:
        """How far the account has come, looked at without opening the ledger."""
        if not self.file.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
            try:
                return int(database.execute("SELECT count(*) FROM equity").fetchone()[0])
            except sqlite3.OperationalError:  # the tables are being made
                return 0

    def content(self) -> tuple[bytes, int]:
        """The account's canonical dump, and how many orders there are."""
        ledger = open_ledger(
            f"sqlite:///{self.file}",
            mode=TradingMode.PAPER,
            halt_file=self.home / "ledger" / "HALT",
            locks_folder=self.home / "locks",
        )
        try:
            return canonical_dump(ledger, ACCOUNT), len(orders_of(ledger, ACCOUNT))
        finally:
            ledger.close()


def wait_until(is_so: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server") / "home") as each:
        each.deploy("flows.trading.paper_trading", "adhoc")
        yield each


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[SyncPrefectClient]:
    with SyncPrefectClient(server.url) as each:
        yield each


@pytest.fixture(scope="module")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int]:
    """The books of the same sessions, traded by one command that nothing happens to."""
    whole = Books(tmp_path_factory.mktemp("undisturbed"))
    finished = traded(server.environment | whole.setting)
    assert finished.returncode == 0, finished.stderr
    content = whole.content()
    assert whole.sessions == SESSIONS
    assert content[1] > 0
    return content


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "books")


def traded(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "tradeflows"), *WORDS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def order_run(client: SyncPrefectClient, settings: dict[str, str]) -> UUID:
    """Order the replay from a worker, with settings of its own."""
    deployment = client.read_deployment_by_name("paper-trading/adhoc")
    made = client.create_flow_run_from_deployment(
        deployment.id, parameters=REPLAY, job_variables={"env": settings}
    )
    return made.id


def wait_for_end(client: SyncPrefectClient, run_id: UUID, seconds: float = RUN_SECONDS) -> FlowRun:
    deadline = time.monotonic() + seconds
    while True:
        run = client.read_flow_run(run_id)
        if run.state and run.state.is_final():
            return run
        assert time.monotonic() < deadline, run.state
        time.sleep(0.1)


def process_of(run_id: UUID) -> list[psutil.Process]:
    """The process that a worker started for a run, found by what it was started with."""
    named = {"PREFECT__FLOW_RUN_ID": str(run_id)}.items()
    every = psutil.process_iter(["environ"])
    return [each for each in every if named <= (each.info["environ"] or {}).items()]


def steps_of(client: SyncPrefectClient, run_id: UUID) -> list[TaskRun]:
    ours = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    return client.read_task_runs(flow_run_filter=ours)


def made(steps: list[TaskRun], *states: str) -> Counter[str]:
    """Count the runs of each task without effects that ended in one of these states."""
    pure = [each for each in steps if "kind:act" not in each.tags]
    return Counter(each.task_key for each in pure if each.state_name in states)


def is_recorded(client: SyncPrefectClient, run_id: UUID) -> bool:
    """Tell whether the server, which records steps with a delay, knows the end of the last one."""
    last = [each for each in steps_of(client, run_id) if each.name.startswith("monitor.publish")]
    return any(each.state_name == "Completed" for each in last)


@dataclass(frozen=True)
class Retried:
    """A run whose process was killed in the middle, and which was then retried."""

    books: Books
    sessions_before: int
    crashed: FlowRun
    ended: FlowRun
    before: list[TaskRun]
    after: list[TaskRun]


@pytest.fixture(scope="module")
def retried(
    server: Server, client: SyncPrefectClient, tmp_path_factory: pytest.TempPathFactory
) -> Retried:
    books = Books(tmp_path_factory.mktemp("retried"))
    with running_worker(server):
        run_id = order_run(client, books.setting)
        wait_until(lambda: books.sessions > SOME_SESSIONS, RUN_SECONDS)
        (process,) = process_of(run_id)
        process.kill()
        crashed = wait_for_end(client, run_id, LEAVES_RUNNING_SECONDS)
    # Some seconds later that worker would report the death again, and end a retry by it.
    sessions, before = books.sessions, steps_of(client, run_id)
    with running_worker(server):
        server.command("prefect", "flow-run", "retry", str(run_id))
        ended = wait_for_end(client, run_id)
        wait_until(lambda: is_recorded(client, run_id), LEAVES_RUNNING_SECONDS)
    known = {each.id for each in before}
    after = [each for each in steps_of(client, run_id) if each.id not in known]
    return Retried(books, sessions, crashed, ended, before, after)


def test_r11_a_run_whose_process_is_killed_goes_on_from_its_finished_steps(
    retried: Retried,
) -> None:
    assert retried.crashed.state_name == "Crashed"
    assert retried.sessions_before < SESSIONS
    assert retried.ended.state_name == "Completed"
    done = made(retried.before, "Completed")
    assert done.total() > 2
    assert done <= made(retried.after, "Cached")


def test_r16_a_run_that_is_retried_orders_everything_once(
    retried: Retried, undisturbed: tuple[bytes, int]
) -> None:
    assert retried.books.content() == undisturbed


def test_r11_a_run_whose_worker_is_killed_ends_and_another_finishes_its_work(
    server: Server, client: SyncPrefectClient, books: Books, undisturbed: tuple[bytes, int]
) -> None:
    with running_worker(server) as worker:
        run_id = order_run(client, books.setting)
        wait_until(lambda: books.sessions > SOME_SESSIONS, RUN_SECONDS)
        worker.kill()
        ended = wait_for_end(client, run_id, LEAVES_RUNNING_SECONDS)
    assert ended.state_name in {"Crashed", "Completed"}
    wait_until(lambda: not process_of(run_id), RUN_SECONDS)
    with running_worker(server):
        again = order_run(client, books.setting)
        assert wait_for_end(client, again).state_name == "Completed"
    assert books.content() == undisturbed


def test_r15_a_run_that_trades_for_too_long_crashes_and_the_next_one_finishes_its_work(
    server: Server, client: SyncPrefectClient, books: Books, undisturbed: tuple[bytes, int]
) -> None:
    with running_worker(server):
        limited = books.setting | {"TRADEFLOWS_ACT_TIMEOUT_SECONDS": "0.5"}
        run_id = order_run(client, limited)
        ended = wait_for_end(client, run_id)
        assert ended.state_name == "Crashed"
        assert str(HUNG) in str(ended.state and ended.state.message)
        wait_until(lambda: not process_of(run_id), LEAVES_RUNNING_SECONDS)
        assert books.sessions < SESSIONS
        assert wait_for_end(client, order_run(client, books.setting)).state_name == "Completed"
    assert books.content() == undisturbed


def is_answering(server: Server) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/health", timeout=5):  # noqa: S310 - loopback
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_r12_a_server_that_dies_and_comes_back_costs_no_order_and_doubles_none(
    tmp_path: Path, books: Books, undisturbed: tuple[bytes, int]
) -> None:
    home, port, log = tmp_path / "home", free_port(), tmp_path / "run.log"
    with ExitStack() as stack:
        with running_server(home, port=port) as first:
            environment = first.environment | books.setting
            words = [str(BIN / "tradeflows"), *WORDS]
            process = stack.enter_context(started(words, environment, log))
            wait_until(lambda: books.sessions > SOME_SESSIONS, RUN_SECONDS)
            os.killpg(first.pid, signal.SIGKILL)
            assert books.sessions < SESSIONS
            wait_until(lambda: not is_answering(first), LEAVES_RUNNING_SECONDS)
        stack.enter_context(running_server(home, port=port))
        assert process.wait(RUN_SECONDS) >= 0
        finished = traded(environment)
    assert finished.returncode == 0, finished.stderr
    assert books.content() == undisturbed
