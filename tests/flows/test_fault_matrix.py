"""Row 14: every step of every flow fails, and nothing and nobody calls that a success."""

from __future__ import annotations

import datetime as dt
import functools
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import chain, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateName,
)
from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL

from flows.cli.catalogue import flow_names
from flows.cli.exits import Exit, exit_code
from flows.cli.run import load_flow
from slices.data import loading
from slices.data.tasks import fetch_bars
from slices.domain.errors import InfeasibleError, SourceError, StorageError
from slices.domain.observations import Observation
from slices.domain.trading_errors import LedgerError
from slices.monitor.alerts.incidents import incidents_since
from slices.monitor.alerts.judging import judge
from slices.monitor.store import open_store
from slices.runtime.server_facts import opened_server, server_facts
from slices.runtime.settings import load_settings
from tests.support.broker_server import KEY, SECRET, trading_server
from tests.support.canaries import KEYS, betrayed, files_of, open_to_others
from tests.support.faults import Ran, broken, commanded, recorded, tasks_of, without
from tests.support.smallest import CASES, Case, World, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import TaskRun

    from slices.runtime.kinds import CountedTask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOT_CALLED = {
    "stop_loss_monitor": {"live_trade.submit"},
    "drawdown_protection": {"live_trade.submit"},
    "ml_strategy_selection": {"optimize.search_by_tpe"},
}
"""Where a live account would first have to hold something, and the call is that of paper accounts;
and what a function called here does for other flows alone."""

LEAVING_OUT = (
    "full_analysis", "momentum_portfolio", "mean_reversion_portfolio", "position_sizing",
    "ml_feature_engineering",
)  # fmt: skip
"""A provider that does not deliver one of several symbols does not fail these: their question can
be answered without it, so they say which one is missing and end as degraded."""

RECORDED_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Fault:
    """A step that was made to fail, and the run in which it did."""

    task: CountedTask[..., Any]
    error: Exception
    ran: Ran


@dataclass(frozen=True, eq=False)
class Faults:
    """A case that runs once without a fault, and then with its steps failing one by one.

    Attributes:
        without: How many runs of other tasks need nothing of a task, by its name.
    """

    before: Ran
    found: tuple[Fault, ...]
    without: dict[str, Counter[str]]


@pytest.fixture(scope="module")
def world(api_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assert api_url
    with pytest.MonkeyPatch.context() as patched, trading_server() as exchange:
        patched.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        for name, secret in KEYS.items():
            patched.setenv(name, secret)
        yield make_world(tmp_path_factory.mktemp("world"), exchange, patched)


def errors() -> tuple[Exception, ...]:
    """Failures of every kind; one that nobody foresaw, and that shows what it was working with."""
    return (
        RuntimeError(f"nobody has thought of this: {load_settings()!r}"),
        StorageError(path="a file", problem="the disk is full"),
        SourceError(source="a provider", problem="it says no"),
        LedgerError(ledger="the books", problem="they are damaged"),
        InfeasibleError(problem="no weights fit"),
    )


def ran(world: World, case: Case, patched: pytest.MonkeyPatch) -> Ran:
    world.begin(case, patched)
    found = commanded(world.words(case))
    world.told.append((case.flow, f"{found.answered}{found.noted}".encode()))
    return found


def faults_of(
    world: World, case: Case, tasks: dict[str, Any], patched: pytest.MonkeyPatch
) -> Faults:
    with recorded(patched) as calls:
        before = ran(world, case, patched)
    found, shown = [], pages(case.flow)
    assert bool(shown) is bool(before.began["monitor.publish"])
    for name, error in zip(sorted(set(before.began) & set(tasks)), cycle(errors()), strict=False):
        with broken(tasks[name], error, patched):
            found.append(Fault(tasks[name], error, ran(world, case, patched)))
    assert pages(case.flow) == shown, "a run that failed wrote a report"
    return Faults(before, tuple(found), without(calls))


def pages(flow: str) -> dict[str, tuple[int, int]]:
    """Every report of a flow by its name, size and time of writing."""
    files = load_settings().reports_folder.glob(f"{flow.replace('_', '-')}-*")
    return {str(each): (each.stat().st_size, each.stat().st_mtime_ns) for each in files}


def steps_of(runs: list[Ran]) -> dict[UUID, list[TaskRun]]:
    """List the task runs of commands, once the server has heard of a failure in each."""
    deadline, roots = time.monotonic() + RECORDED_SECONDS, {each.run.id for each in runs}
    failed = TaskRunFilter(state=TaskRunFilterState(name=TaskRunFilterStateName(any_=["Failed"])))
    with get_client(sync_client=True) as client:
        within = flows_within(client, roots)
        while {
            root for root, each in by_root(client, within, failed).items() if steps(each)
        } < roots:
            assert time.monotonic() < deadline, "the server has not heard of every failure"
            time.sleep(0.3)
        return by_root(client, within, None)


def steps(found: list[TaskRun]) -> list[TaskRun]:
    """Leave out the flows within a flow, which are recorded earlier than tasks of ours."""
    return [each for each in found if any(tag.startswith("kind:") for tag in each.tags)]


def flows_within(client: SyncPrefectClient, roots: set[UUID]) -> dict[UUID, UUID]:
    """Find every flow run that was part of another, and the outermost one it was part of."""
    within, outer = {root: root for root in roots}, list(roots)
    while outer:
        inner: dict[UUID, UUID] = {}
        for parent in outer:
            mine = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[parent]))
            found = client.read_flow_runs(flow_run_filter=mine)
            inner |= {each.id: within[parent] for each in found}
        within |= inner
        outer = list(inner)
    return within


def by_root(
    client: SyncPrefectClient, within: dict[UUID, UUID], which: TaskRunFilter | None
) -> dict[UUID, list[TaskRun]]:
    flow_runs = FlowRunFilter(id=FlowRunFilterId(any_=sorted(within)))
    found: dict[UUID, list[TaskRun]] = defaultdict(list)
    read = 0
    while page := client.read_task_runs(
        flow_run_filter=flow_runs, task_run_filter=which, offset=read
    ):
        read += len(page)
        for each in page:
            assert each.flow_run_id is not None
            found[within[each.flow_run_id]].append(each)
    return found


def check_answer(fault: Fault) -> None:
    """Check what the person who started the run is told."""
    name, told = fault.task.name, fault.ran
    assert told.run.state_name == "Failed", name
    assert told.code == exit_code(fault.error) != Exit.OK, name
    assert str(fault.error) in told.noted, name
    assert told.answered == "", name
    last = [line for line in told.noted.splitlines() if line.strip()][-1]
    assert last.startswith("tradeflows: "), name


def check_dependants(fault: Fault, faults: Faults, server: list[TaskRun]) -> None:
    """Check that nothing ran on what the step had not made, there and in the server's records."""
    name, free = fault.task.name, faults.without[fault.task.name]
    assert fault.ran.ended("Failed") == {name}
    assert not {each: n for each, n in fault.ran.began.items() if n > free[each]}.keys() - {name}
    published = fault.ran.began["monitor.publish"]
    assert name == "monitor.publish" or published < faults.before.began["monitor.publish"], name
    names = {each.task.task_key: each.task.name for each in faults.found}
    known = [each for each in server if each.task_key in names]
    assert {names[e.task_key] for e in known if e.state_name == "Failed"} == {name}
    begun = Counter(names[e.task_key] for e in known if e.state_name != "NotReady")
    assert not {each: n for each, n in begun.items() if n > free[each]}.keys() - {name}


def check_recovery(faults: Faults, again: Ran) -> None:
    """Check that a run after all the faults is what the one before them was."""
    assert (again.code, again.run.state_name) == (faults.before.code, faults.before.run.state_name)
    assert again.began == faults.before.began
    made = {each.task.name: each.task for each in faults.found}
    acts = {name for name, task in made.items() if "kind:act" in task.tags}
    pure = {name for name in made if all(faults.without[each][name] for each in acts)} - acts
    assert pure <= again.ended("Cached")


def check_alerts(found: list[Fault], folder: Path) -> None:
    """Check that the watch sees every one of the failures and opens an incident of them."""
    now = dt.datetime.now(dt.UTC)
    with opened_server(str(get_client(sync_client=True).api_url)) as client:
        facts = server_facts(client, at=now)
    seen = {each.run_id: each for each in facts.recent}
    mine = [seen[str(each.ran.run.id)] for each in found]
    assert {(each.state, each.kind) for each in mine} == {("Failed", "FAILED")}
    store = open_store(folder)
    judge(store, Observation(at=now, server=facts), (), (), at=now)
    told = incidents_since(store, now - dt.timedelta(hours=1))
    failed = [each for each in told if (each.rule, each.subject) == ("run-failed", mine[0].flow)]
    assert sum(each.count for each in failed) >= len(mine)
    store.engine.dispose()


@pytest.mark.parametrize("flow", flow_names())
def test_r14_a_run_with_a_step_that_fails_has_failed(
    world: World,
    flow: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    left, cases = tasks_of(load_flow(flow)), [each for each in CASES if each.flow == flow]
    for case in cases:
        faults = faults_of(world, case, left, monkeypatch)
        assert faults.before.code in {Exit.OK, Exit.DEGRADED}, faults.before.noted
        server = steps_of([each.ran for each in faults.found])
        for each in faults.found:
            check_answer(each)
            check_dependants(each, faults, server[each.ran.run.id])
            del left[each.task.name]
        check_alerts(list(faults.found), tmp_path / str(world.runs))
        if case is cases[0]:
            check_recovery(faults, ran(world, case, monkeypatch))
    assert set(left) == NOT_CALLED.get(flow, set())
    world.told.append((flow, caplog.text.encode()))


@pytest.mark.parametrize("flow", LEAVING_OUT)
def test_r14_a_symbol_that_is_not_delivered_is_named_and_the_run_is_degraded(
    world: World, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = next(each for each in CASES if each.flow == flow)
    case = Case(flow, whole.words.replace("--account held", ""))
    (fetched,) = [each for each in tasks_of(load_flow(flow)).values() if each is fetch_bars]
    deliver = fetched.fn

    def without_one(symbols: tuple[str, ...], **options: Any) -> Any:
        if symbols == ("MSFT",):
            raise SourceError(source="a provider", problem="it says no")
        return deliver(symbols, **options)

    monkeypatch.setattr(loading, "batches", lambda symbols, **_: [(each,) for each in symbols])
    monkeypatch.setattr(fetched, "fn", functools.wraps(deliver)(without_one))
    monkeypatch.setattr(fetched, "refresh_cache", True)
    told = ran(world, case, monkeypatch)
    assert (told.code, told.run.state_name) == (Exit.DEGRADED, "Degraded"), told.noted
    assert told.run.state is not None
    assert "MSFT" in str(told.run.state.message)
    assert "it says no" in str(told.run.state.message)
    assert "MSFT" in told.answered


def database() -> Iterator[tuple[str, bytes]]:
    """Read the files of the server's database."""
    address = PREFECT_SERVER_DATABASE_CONNECTION_URL.value()
    file = Path(str(address).partition("///")[2])
    assert file.is_file()
    return files_of(file.parent)


def test_r46_no_run_of_any_flow_writes_or_says_a_secret(
    world: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {name for name, _ in world.told}
    for case in CASES:
        if case.flow not in told:
            ran(world, case, monkeypatch)
    assert {name for name, _ in world.told} == set(flow_names())
    texts = chain(world.told, files_of(home), files_of(world.folder), database())
    assert betrayed(texts, KEY, SECRET) == []
    assert open_to_others(home / "monitor") == []
    assert [each for each in world.folder.glob("*ledger*") if each.stat().st_mode & 0o077] == []
