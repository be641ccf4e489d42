"""Rows 4 to 10 and 17 to 19 of the fault list, in whole runs against a Prefect server."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
from prefect import flow
from prefect.client.orchestration import get_client

from flows.portfolio import portfolio_analysis
from slices.adaptive_portfolio.allocators import ALLOCATORS
from slices.adaptive_portfolio.evaluation import AllocationRule, walk_forward
from slices.adaptive_portfolio.periods import period_ends
from slices.analyze import tasks as analyze
from slices.data import tasks as data
from slices.data.store import BarStore
from slices.domain.bars import Adjustment
from slices.domain.dataset import DatasetRef, read_bars
from slices.domain.errors import (
    AuthMissingError,
    MalformedAnswerError,
    SuspectedSplitError,
    TradingError,
    TransientSourceError,
)
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.domain.parameters import DEFAULT_BOUNDS, DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.portfolio import Allocator
from slices.quant.simulation.targets import simulate_targets
from slices.quant.types import FloatArray, IntArray
from slices.runtime.kinds import compute
from slices.runtime.settings import load_settings
from tests.slices.quant.market import panel_of, us_closes
from tests.support.frames import ohlcv, repository, scaled
from tests.support.provider_server import KEY, SECRET, Listing, Provider, serving
from tests.support.runs import task_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prefect import State
    from prefect.events import ReceivedEvent

pytestmark = pytest.mark.usefixtures("api_url")

CACHED = {"kind:fetch", "kind:compute"}
PROCESS_SECONDS = 60.0
UNCLOSED = pytest.mark.filterwarnings(
    # The provider's client leaves its sessions to the garbage collector.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def states(run_id: UUID, *, expected: int) -> dict[str, list[str]]:
    """List the final states of a run's tasks by the names of the tasks."""
    found: dict[str, list[str]] = {}
    for each in task_runs(run_id, expected=expected):
        if CACHED & set(each.tags):
            found.setdefault(each.name.rpartition("-")[0] or each.name, []).append(
                str(each.state_name)
            )
    return found


def run_id(state: State[Any]) -> UUID:
    found = state.state_details.flow_run_id
    assert found is not None
    return found


def contents(folder: Path) -> dict[str, str]:
    """Digest every file below a folder."""
    return {
        str(file.relative_to(folder)): bytes_digest(file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def own_home(fresh_home: str) -> Path:
    """A home of the test's own for bars, datasets and reports; tasks keep the results' folder."""
    return Path(fresh_home)


@dataclass
class Events:
    """What the server has heard since the test began."""

    since: dt.datetime

    def named(self, name: str, *, within_seconds: float = 20.0) -> list[ReceivedEvent]:
        """Wait for events of a name; empty where none comes in time."""
        from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter

        deadline = time.monotonic() + within_seconds
        with get_client(sync_client=True) as client:
            while time.monotonic() < deadline:
                until = dt.datetime.now(dt.UTC)
                wanted = EventFilter(
                    event=EventNameFilter(name=[name]),
                    occurred=EventOccurredFilter(since=self.since, until=until),
                )
                if found := client.read_events(wanted, limit=50).events:
                    return list(found)
                time.sleep(0.25)
        return []


@pytest.fixture
def events() -> Events:
    return Events(since=dt.datetime.now(dt.UTC))


# --- Row 4: a provider in trouble


@pytest.fixture
def provider(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A local server in place of Alpaca's, and retries that wait a tenth of a second."""
    listings = {"AAA": Listing(bars=ohlcv(120)), "BBB": Listing(bars=ohlcv(120, level=40.0))}
    with serving(listings) as each:
        monkeypatch.setenv("TRADEFLOWS_ALPACA_URL", each.url)
        monkeypatch.setenv("TRADEFLOWS_ALPACA_KEY", KEY)
        monkeypatch.setenv("TRADEFLOWS_ALPACA_SECRET", SECRET)
        monkeypatch.setenv("TRADEFLOWS_SOURCE_TIMEOUT_SECONDS", "0.3")
        monkeypatch.setattr(data.fetch_bars, "retry_delay_seconds", [0.1])
        yield each


def asked_for(symbol: str, provider: Provider) -> list[str]:
    return [path for path in provider.asked if f"symbols={symbol}" in path]


def order_from_alpaca(start: str) -> State[Any]:
    """Run the flow on a period of its own, so that nothing about it is cached yet."""
    return portfolio_analysis(
        ["AAA", "BBB"], source="alpaca", start=start, lookback_sessions=20, return_state=True
    )


@pytest.mark.slow
@UNCLOSED
def test_r04_two_server_errors_are_tried_again_and_the_run_has_the_right_prices(
    provider: Provider,
) -> None:
    provider.misbehave("500", times=2)
    state = order_from_alpaca("2023-12-20")
    assert state.is_completed(), state.message
    held = read_bars(state.result().bars)
    for symbol, listing in provider.listings.items():
        assert held.filter(symbol=symbol)["close"].to_list() == pytest.approx(
            listing.prices("total_factor")["close"].to_list(), rel=1e-4
        )
    pages = 5
    assert len(provider.asked) == 2 * 3 * pages + 2
    retried = [
        each.run_count
        for each in task_runs(run_id(state), expected=14)
        if "kind:fetch" in each.tags
    ]
    assert sum(retried) == 2 + 2


FAULTS: list[tuple[str, type[TradingError], int]] = [
    ("500", TransientSourceError, 4),
    ("hang", TransientSourceError, 4),
    ("truncated", MalformedAnswerError, 4),
    ("html", MalformedAnswerError, 4),
    ("401", AuthMissingError, 1),
]


@pytest.mark.slow
@UNCLOSED
@pytest.mark.parametrize(("fault", "error", "tries"), FAULTS)
def test_r04_a_provider_in_trouble_fails_the_run_and_nothing_takes_its_place(
    provider: Provider, own_home: Path, fault: str, error: type[TradingError], tries: int
) -> None:
    provider.misbehave(fault)
    state = order_from_alpaca(f"2023-11-{10 + len(fault)}")
    assert state.is_failed()
    assert isinstance(state.result(raise_on_failure=False), error)
    assert "alpaca" in str(state.message)
    assert len(asked_for("AAA", provider)) == tries
    assert len(asked_for("BBB", provider)) <= tries
    assert BarStore(own_home / "store").manifest().entries == ()
    assert not (own_home / "datasets").exists()
    assert not (own_home / "reports").exists()


@pytest.mark.slow
@UNCLOSED
@pytest.mark.parametrize("fault", ["500", "html"])
def test_r04_a_provider_that_recovered_is_asked_again(provider: Provider, fault: str) -> None:
    provider.misbehave(fault)
    assert order_from_alpaca(f"2023-10-{10 + len(fault)}").is_failed()
    provider.misbehave(None)
    assert order_from_alpaca(f"2023-10-{10 + len(fault)}").is_completed()


# --- Row 6: a split nobody adjusted for


@pytest.mark.slow
def test_r06_an_unadjusted_split_stops_the_run_before_anything_is_sized(
    own_home: Path, events: Events
) -> None:
    split = scaled(ohlcv(120), 70, 0.5)
    for symbol, bars in (("AAA", ohlcv(120)), ("BBB", split)):
        bars.drop("split_factor", "total_factor").write_csv(own_home / f"{symbol}.csv")
    state = portfolio_analysis(
        ["AAA", "BBB"],
        source="files",
        feed=str(own_home),
        adjustment=Adjustment.SPLIT,
        lookback_sessions=20,
        return_state=True,
    )
    assert state.is_failed()
    error = state.result(raise_on_failure=False)
    assert isinstance(error, SuspectedSplitError)
    assert (error.symbol, error.session) == ("BBB", str(split["session"][70]))
    assert set(states(run_id(state), expected=2)) == {"data.fetch_bars", "data.assemble_bars"}
    assert not (own_home / "reports").exists()
    (event,) = events.named("tradeflows.data.split-suspected")
    assert event.resource["prefect.resource.name"] == "BBB"
    assert event.resource["tradeflows.level"] == "error"


# --- Row 8: looking ahead

CUTS = 20
LOOKBACK = 60


def rule(allocator: Allocator) -> AllocationRule:
    return AllocationRule(
        allocator=allocator,
        lookback_sessions=LOOKBACK,
        bounds=DEFAULT_BOUNDS,
        confidence=0.95,
        risk_free_rate=0.0,
    )


def cuts_that_show(decide: Callable[[FloatArray, IntArray], FloatArray]) -> list[int]:
    """Change all prices after random sessions; list those whose past then looks different."""
    dates, _, prices = us_closes()
    dates, closes = dates[-300:], prices[-300:, :6].copy()
    refits = period_ends(dates, "weekly")
    refits = refits[refits >= LOOKBACK]
    chance = np.random.default_rng(8)

    def lived(closes: FloatArray) -> tuple[FloatArray, FloatArray]:
        targets = decide(closes, refits)
        account = simulate_targets(
            panel_of(closes), targets, costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=1e5
        )
        return targets, account.equity

    before = lived(closes)
    shown = []
    for cut in chance.integers(LOOKBACK + 5, len(closes) - 2, CUTS):
        other = closes.copy()
        other[cut + 1 :] *= chance.uniform(0.5, 2.0, other[cut + 1 :].shape)
        after = lived(other)
        same = [
            np.array_equal(a[: cut + 1], b[: cut + 1], equal_nan=True)
            for a, b in zip(before, after, strict=True)
        ]
        if not all(same):
            shown.append(int(cut))
    return shown


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_r08_no_allocator_sees_past_a_session(allocator: Allocator) -> None:
    def decide(closes: FloatArray, refits: IntArray) -> FloatArray:
        return walk_forward(closes, rule(allocator), refits).targets

    assert cuts_that_show(decide) == []


def test_r08_an_allocator_that_peeks_one_session_ahead_is_caught() -> None:
    def decide(closes: FloatArray, refits: IntArray) -> FloatArray:
        targets = np.full(closes.shape, np.nan)
        for row in refits:
            targets[row] = rule(Allocator.MIN_VARIANCE).weights(closes[: row + 2])
        return targets

    assert cuts_that_show(decide) != []


def test_r08_a_decision_traded_before_it_was_made_is_caught() -> None:
    def decide(closes: FloatArray, refits: IntArray) -> FloatArray:
        targets = walk_forward(closes, rule(Allocator.MIN_VARIANCE), refits).targets
        return np.roll(targets, -1, axis=0)

    assert cuts_that_show(decide) != []


# --- Row 9: other data under the same name


@flow
def loading(feed: str) -> DatasetRef:
    """Load one symbol of a file."""
    return data.load_bars(
        ["AAA"], source="files", feed=feed, start=None, end=None, adjustment=Adjustment.SPLIT
    )


@pytest.mark.slow
def test_r09_one_flipped_byte_is_fetched_again_and_the_same_bytes_are_not(own_home: Path) -> None:
    file = own_home / "AAA.csv"
    ohlcv().drop("split_factor", "total_factor").write_csv(file)
    original = file.read_bytes()
    at = original.index(b"1000000.0")
    flipped = original[:at] + b"3" + original[at + 1 :]
    found = []
    for content in (original, original, flipped, original):
        file.write_bytes(content)
        state = loading(str(file), return_state=True)
        tasks = states(run_id(state), expected=2)
        found.append((tasks["data.fetch_bars"], state.result().fingerprint))
    names = [name for (name,), _ in found]
    fingerprints = [each for _, each in found]
    assert names == ["Completed", "Cached", "Completed", "Cached"]
    assert fingerprints[0] == fingerprints[1] == fingerprints[3] != fingerprints[2]


# --- Rows 10 and 18: damaged and forged results


class Bomb:
    """Makes a folder wherever it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def pickled(marker: Path) -> str:
    import pickle

    return base64.encodebytes(pickle.dumps(Bomb(marker))).decode()


def signed(body: object) -> str:
    text = json.dumps(body)
    return f"{bytes_digest(text.encode())}\n{text}"


def forged(record: dict[str, Any], kind: str, marker: Path) -> bytes:
    """Write a record again, with something in it that this project never wrote."""
    metadata = record["metadata"]
    command = {"args": ["mkdir", str(marker)]}
    match kind:
        case "pickle named by the file":
            named = metadata | {"serializer": {"type": "pickle"}}
            return json.dumps({"metadata": named, "result": pickled(marker)}).encode()
        case "pickle in place of text":
            return json.dumps({"metadata": metadata, "result": pickled(marker)}).encode()
        case "pickle in place of the file":
            return pickled(marker).encode()
        case "a value without a digest":
            return json.dumps({"metadata": metadata, "result": {"volatility": 0.0}}).encode()
        case "a foreign type under a right digest":
            body = {"$": "object", "type": "subprocess:Popen", "fields": command}
            return json.dumps({"metadata": metadata, "result": signed(body)}).encode()
    digest, _, text = record["result"].partition("\n")
    other = f"{digest}\n{text.replace('1', '2', 1)}"
    return json.dumps({"metadata": metadata, "result": other}).encode()


FORGERIES = (
    "pickle named by the file",
    "pickle in place of text",
    "pickle in place of the file",
    "a value without a digest",
    "a foreign type under a right digest",
    "other digits under the old digest",
)


@flow
def measuring(start: dt.date) -> Any:
    """Load two symbols and measure how they move together."""
    bars = data.load_bars(
        ["AAPL", "MSFT"],
        source="embedded",
        feed=None,
        start=start,
        end=None,
        adjustment=Adjustment.TOTAL,
    )
    return analyze.diversification(bars)


def measured(start: dt.date) -> tuple[str, str]:
    """Run the measurement; return the state of its task and the fingerprint of its answer."""
    state = measuring(start, return_state=True)
    (name,) = states(run_id(state), expected=3)["analyze.diversification"]
    return name, fingerprint(state.result())


@dataclass
class Stored:
    """A result that is in the cache, and how to ask for it again."""

    file: Path
    start: dt.date
    answer: str

    def again(self) -> tuple[str, str]:
        return measured(self.start)


@pytest.fixture(scope="module")
def stored(api_url: str) -> Stored:
    start = dt.date(2011, 3, 1)
    folder = load_settings().results_folder
    before = set(folder.glob("analyze.diversification-*"))
    _, answer = measured(start)
    (file,) = set(folder.glob("analyze.diversification-*")) - before
    assert measured(start) == ("Cached", answer)
    return Stored(file=file, start=start, answer=answer)


@pytest.mark.slow
def test_r10_a_result_file_cut_at_any_length_is_computed_anew(stored: Stored) -> None:
    whole = stored.file.read_bytes()
    for percent in (0, 30, 60, 99):
        stored.file.write_bytes(whole[: len(whole) * percent // 100])
        assert stored.again() == ("Completed", stored.answer)
    assert stored.again() == ("Cached", stored.answer)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORGERIES)
def test_r18_a_forged_result_file_is_refused_unopened_and_computed_anew(
    stored: Stored, events: Events, tmp_path: Path, kind: str
) -> None:
    marker = tmp_path / "marker"
    stored.file.write_bytes(forged(json.loads(stored.file.read_bytes()), kind, marker))
    assert stored.again() == ("Completed", stored.answer)
    assert not marker.exists()
    assert stored.again() == ("Cached", stored.answer)
    refusals = events.named("tradeflows.cache.refused")
    assert refusals
    assert {each.resource["tradeflows.level"] for each in refusals} == {"critical"}


def test_r18_the_forgery_of_that_test_is_a_live_bomb_where_pickle_is_read(tmp_path: Path) -> None:
    import pickle

    pickle.loads(base64.decodebytes(pickled(tmp_path / "marker").encode()))  # noqa: S301
    assert (tmp_path / "marker").is_dir()


# --- Row 17 and what goes with it: other processes


@dataclass
class Processes:
    """Other Python processes that talk to the same Prefect server."""

    api_url: str

    def start(self, code: str, *words: object, **environment: str) -> subprocess.Popen[str]:
        own = {"PREFECT_API_URL": self.api_url, "PREFECT_LOGGING_TO_API_ENABLED": "false"}
        return subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, words)],
            env=os.environ | own | environment,
            cwd=repository(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, *words: object, **environment: str) -> str:
        """Run a program to its end and return what it printed last."""
        with self.start(code, *words, **environment) as process:
            printed, errors = process.communicate(timeout=PROCESS_SECONDS)
        assert process.returncode == 0, errors
        return printed.rstrip("\n").rpartition("\n")[2]


@pytest.fixture
def processes(api_url: str) -> Processes:
    return Processes(api_url)


ANALYSIS = """
    import json, sys
    from flows.portfolio import portfolio_analysis
    state = portfolio_analysis(**json.loads(sys.argv[1]), return_state=True)
    print(state.state_details.flow_run_id)
"""
ALL_TASKS = 2 + 3 + len(ALLOCATORS) + 2


@pytest.mark.slow
def test_r17_another_process_with_another_hash_seed_takes_everything_from_the_cache(
    processes: Processes,
) -> None:
    parameters = {
        "symbols": ["AAPL", "MSFT"],
        "start": "2011-05-02",
        "end": "2013-06-28",
        "lookback_sessions": 60,
    }
    portfolio_analysis(**parameters)
    printed = processes.run(ANALYSIS, json.dumps(parameters), PYTHONHASHSEED="4321")
    found = states(UUID(printed), expected=ALL_TASKS)
    assert sum(map(len, found.values())) == ALL_TASKS - 1, "all but the report"
    assert {state for each in found.values() for state in each} == {"Cached"}


STAMPEDE = """
    import sys, time
    from pathlib import Path
    from prefect import flow
    from tests.reliability.test_flow_rows import crowd
    print("ready", flush=True)
    while not Path(sys.argv[2]).exists():
        time.sleep(0.01)
    print(sum(crowd(sys.argv[1])))
"""


def slow_work(log: str) -> int:
    """Take a moment, and write down that it was done."""
    with Path(log).open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    time.sleep(0.5)
    return 1


slow_work.__module__ = "slices.analyze.slow_work"
slow_task = compute(slow_work)


@flow
def crowd(log: str) -> list[int]:
    """Order the same work four times at once."""
    return [each.result() for each in [slow_task.submit(log) for _ in range(4)]]


def test_r17_work_ordered_four_times_at_once_is_done_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    state = crowd(str(log), return_state=True)
    assert state.result() == [1, 1, 1, 1]
    assert len(log.read_text().splitlines()) == 1
    (names,) = states(run_id(state), expected=4).values()
    assert sorted(names) == ["Cached", "Cached", "Cached", "Completed"]


@pytest.mark.slow
def test_r17_work_ordered_by_two_processes_at_once_is_done_once(
    processes: Processes, tmp_path: Path
) -> None:
    log, go = tmp_path / "log", tmp_path / "go"
    crowds = [processes.start(STAMPEDE, log, go) for _ in range(2)]
    for each in crowds:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    go.touch()
    for each in crowds:
        printed, errors = each.communicate(timeout=PROCESS_SECONDS)
        assert each.returncode == 0, errors
        assert printed == "4\n"
    assert len(log.read_text().splitlines()) == 1


NARRATED = """
    import json, sys
    from slices.runtime.progress import listeners
    listeners.append(lambda step: print(f"{step.name} {step.state}\\n", end="", flush=True))
""" + ANALYSIS.replace("import json, sys", "")


@pytest.mark.slow
def test_r17_a_run_killed_in_the_middle_of_a_task_is_finished_by_the_next(
    processes: Processes, own_home: Path
) -> None:
    _, symbols, _ = us_closes()
    parameters = json.dumps(
        {
            "symbols": symbols[:10],
            "start": "2012-01-03",
            "rebalance": "weekly",
            "lookback_sessions": 504,
        }
    )
    victim = "adaptive_portfolio.evaluate min_expected_shortfall"
    finished: set[str] = set()
    with processes.start(NARRATED, parameters) as killed:
        assert killed.stdout is not None
        for line in killed.stdout:
            name, _, state = line.rstrip("\n").rpartition(" ")
            if state == "Completed":
                finished.add(name)
            if (name, state) == (victim, "Running"):
                break
        time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert {"data.fetch_bars", "data.assemble_bars"} <= finished
    with processes.start(NARRATED, parameters) as second:
        printed, errors = second.communicate(timeout=PROCESS_SECONDS)
    assert second.returncode == 0, errors
    ended = dict(line.rpartition(" ")[::2] for line in printed.splitlines())
    assert {ended[name] for name in finished} == {"Cached"}
    assert ended[victim] == "Completed"
    assert list((own_home / "reports").glob("*.html"))


# --- Row 19: a disk that refuses

REFUSING_DISK = """
    import ctypes, json, os, resource, sys

    if sys.argv[1] != "as a person":  # root may write where nobody may: give that right up
        drop_from_bounds, override_permissions = 24, 1  # prctl(2), capabilities(7)
        ctypes.CDLL(None).prctl(drop_from_bounds, override_permissions, 0, 0, 0)
        os.execv(sys.executable, [*sys.orig_argv[:-1], "as a person"])

    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.portfolio import portfolio_analysis
    from slices.domain.fingerprint import fingerprint
    from slices.runtime.progress import listeners
    from slices.runtime.settings import load_settings
    from tests.reliability.test_flow_rows import contents

    def run(start):
        state = portfolio_analysis(
            ["AAPL", "MSFT"],
            start=start,
            end="2013-06-28",
            lookback_sessions=60,
            return_state=True,
        )
        found = state.result(raise_on_failure=False)
        answer = fingerprint(found.evaluations) if state.is_completed() else str(found)
        return type(found).__name__, answer

    def limited(size, start):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            return run(start)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    settings, steps = load_settings(), []
    without_heartbeat = temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    without_heartbeat.__enter__()
    listeners.append(steps.append)
    found = {"first": run("2011-01-03")}
    before = contents(settings.home)
    found["no room for a dataset"] = limited(12_000, "2010-06-01")
    found["no room for a report"] = limited(60_000, "2010-07-01")
    settings.results_folder.chmod(0o555)
    found["read-only"] = run("2010-08-02")
    settings.results_folder.chmod(0o755)
    found["writable again"] = run("2010-08-02")
    steps.clear()
    found["first again"] = run("2011-01-03")
    ended = [(s.name, s.state) for s in steps if s.state != "Running"]
    found["not cached"] = [name for name, state in ended if state != "Cached"]
    after = contents(settings.home)
    found["changed"] = sorted(name for name in before if before[name] != after.get(name))
    found["unfinished"] = [name for name in after if name.endswith((".unfinished", ".part"))]
    print(json.dumps(found))
"""


@pytest.mark.slow
def test_r19_a_disk_that_refuses_fails_cleanly_or_costs_the_cache_and_nothing_else(
    processes: Processes, own_home: Path
) -> None:
    found = json.loads(processes.run(REFUSING_DISK, "as whoever runs the tests"))
    for refused, folder in (("dataset", "datasets"), ("report", "reports")):
        kind, message = found[f"no room for a {refused}"]
        assert kind == "StorageError"
        assert str(own_home / folder) in message
        assert message.lower().endswith("file too large")
    assert found["read-only"][0] == "PortfolioAnalysis"
    assert found["read-only"] == found["writable again"]
    assert found["first again"] == found["first"]
    assert found["not cached"] == ["monitor.publish"]
    assert found["changed"] == ["reports/portfolio-analysis-latest.html"]
    assert found["unfinished"] == []
