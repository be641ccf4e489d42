from __future__ import annotations

import dataclasses
import datetime as dt
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from slices.domain.accounts import TradingMode, TradingState
from slices.domain.errors import ParameterError
from slices.domain.monitoring import Part, Sample, Unit
from slices.domain.observations import Observation
from slices.monitor.metrics import METRICS, MetricType, measure, metric_type, metrics_table
from slices.monitor.metrics.registering import PART_OF, Registry, metric
from slices.monitor.scheme import scheme_table
from tests.support.observed import half_seen, hostile, observation

# What is for the eye alone: texts, addresses, and moments that another fact already tells.
SHOWN_ONLY = {
    "host.name", "server.url", "server.pages", "server.version", "server.since",
    "server.running.run_id", "server.running.deployment", "server.running.tags",
    "server.running.message", "server.running.state", "server.running.expected",
    "server.running.started",  "server.recent.run_id",
    "server.recent.name", "server.recent.tags", "server.recent.kind", "server.recent.message",
    "server.recent.expected", "server.recent.started", "server.recent.seconds",
    "server.recent.tasks_done", "server.recent.tasks_all",
    "data.last_session", "accounts.state_reason", "accounts.session",
    "accounts.curve", "accounts.curve.session",
    "accounts.curve.equity", "accounts.curve.cash", "accounts.curve.long_value",
    "accounts.curve.short_value", "accounts.positions.quantity", "accounts.positions.basis",
    "accounts.positions.marked", "accounts.positions.opened", "accounts.stops.kind",
    "accounts.stops.quantity", "accounts.limits.subject", "accounts.limits.unit",
    "accounts.limits.used", "accounts.limits.allowed", "models.kind", "models.trained_to",
    "models.page",
}  # fmt: skip


WORDS = {
    TradingState.ACTIVE: TradingState.HALTED,
    TradingMode.PAPER: TradingMode.LIVE,
    "Completed": "Failed",
    "Failed": "Cancelled",
    "RUNNING": "PAUSED",
    None: "stopped",
}


def other(value: object) -> object:
    """Another value of the same kind."""
    match value:
        case None | str():
            return WORDS.get(value, f"{value}-x")
        case bool():
            return not value
        case int():
            return value + 3
        case float():
            return 0.123 if math.isnan(value) else value * 1.5 + 0.01
        case Decimal():
            return value * 2
        case dt.date():
            return value - dt.timedelta(days=9)
    raise TypeError(value)


def changes(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Every value that differs in one fact, with the path of that fact."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            where = f"{path}.{field.name}".lstrip(".")
            for name, changed in changes(getattr(value, field.name), where):
                yield name, dataclasses.replace(value, **{field.name: changed})
    elif isinstance(value, tuple):
        yield from changed_items(value, path)
    elif value is not None or path == "halted":
        yield path, other(value)


def changed_items(value: tuple[object, ...], path: str) -> Iterator[tuple[str, object]]:
    for number, item in enumerate(value):
        start, end = value[:number], value[number + 1 :]
        yield path, (*start, *end)
        if isinstance(item, tuple):
            name, about = item
            yield path, (*start, (other(name), about), *end)
            yield path, (*start, (name, other(about)), *end)
        else:
            yield from ((name, (*start, each, *end)) for name, each in changes(item, path))


def small() -> Observation:
    """Everything seen, with the curve short so that not every point of it is tried."""
    seen = observation()
    accounts = tuple(
        dataclasses.replace(each, curve=each.curve[:1]) for each in (seen.accounts or ())[:1]
    )
    server = seen.server and dataclasses.replace(
        seen.server, recent=seen.server.recent[:4], durations=seen.server.durations[:8]
    )
    second = tuple(dataclasses.replace(each, version=9) for each in (seen.models or ())[1:])
    return dataclasses.replace(
        seen,
        accounts=accounts,
        server=server,
        models=(*(seen.models or ()), *second),
        unknown=(("models", "the registry is locked"),),
    )


def valued(seen: Observation) -> dict[tuple[str, tuple[tuple[str, str], ...]], str]:
    return {(each.metric, each.labels): repr(each.value) for each in measure(seen)}


def test_no_metric_is_a_constant_and_no_fact_is_forgotten() -> None:
    seen = small()
    before, moved, moving, facts = valued(seen), set(), set(), set()
    for path, changed in changes(seen, ""):
        assert isinstance(changed, Observation)
        after = valued(changed)
        facts.add(path)
        if after != before:
            moving.add(path)
        moved |= {key[0] for key in before.keys() & after.keys() if before[key] != after[key]}
    # Whether the server answers is told by whether its facts are there.
    down = dataclasses.replace(seen, server=None, unknown=(("orchestration", "no answer"),))
    after = valued(down)
    moved |= {key[0] for key in before.keys() & after.keys() if before[key] != after[key]}
    assert {each.name for each in METRICS} - moved == set()
    assert facts - moving == SHOWN_ONLY


@pytest.mark.parametrize("seen", [observation(), half_seen(), hostile()])
def test_a_series_is_measured_once_and_its_labels_are_in_order(seen: Observation) -> None:
    samples = measure(seen)
    counts = Counter((each.metric, each.labels) for each in samples)
    assert set(counts.values()) == {1}
    names: dict[str, tuple[str, ...]] = {}
    for each in samples:
        labels = tuple(name for name, _ in each.labels)
        assert labels == tuple(sorted(labels))
        assert names.setdefault(each.metric, labels) == labels
        assert type(each.value) is float


def test_nothing_is_measured_of_what_was_not_seen() -> None:
    nothing = Observation(at=observation().at)
    assert {each.metric for each in measure(nothing)} == {"trading.halted", "watch.unseen"}
    for part in ("host", "server", "data", "accounts", "models", "alerts"):
        only = dataclasses.replace(nothing, **{part: getattr(observation(), part)})
        parts = {metric_type(each.metric).part for each in measure(only)}
        assert len(parts - {Part.TRADING, Part.ALERTING}) <= 1, part


def test_there_is_a_metric_for_every_part_and_at_least_sixty_in_all() -> None:
    assert len(METRICS) >= 60
    assert {each.part for each in METRICS} == set(Part)
    assert {each.name.partition(".")[0] for each in METRICS} == set(PART_OF)
    for each in METRICS:
        assert PART_OF[each.name.partition(".")[0]] is each.part
        assert each.source
        assert each.description.endswith(".")
        assert metric_type(each.name) is each


def test_a_metric_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"host\.cpu"):
        metric_type("host.cpus")


def register(name: str, description: str, registry: Registry) -> None:
    def read(_seen: Observation) -> list[tuple[tuple[tuple[str, str], ...], float]]:
        return [((), 2)]

    read.__doc__ = description
    metric(name, unit=Unit.COUNT, source="test", registry=registry)(read)


def test_a_registered_function_is_measured() -> None:
    registry = Registry()
    register("host.cpu", "One.\n\nMore.", registry)
    found: MetricType = registry.named("host.cpu")
    assert (found.description, found.part, found.unit) == ("One.", Part.HOST, Unit.COUNT)
    assert tuple(found.measure(observation())) == (Sample(metric="host.cpu", value=2.0),)
    assert registry.all() == (found,)


@pytest.mark.parametrize("name", ["host", "cpu.host", "host.CPU", "host.", "host.a b", "host.a\n"])
def test_a_name_that_is_no_metric_name_is_refused(name: str) -> None:
    with pytest.raises(ParameterError):
        register(name, "One.", Registry())


def test_a_name_is_taken_once_and_needs_a_description() -> None:
    registry = Registry()
    with pytest.raises(ParameterError, match="docstring"):
        register("host.cpu", "", registry)
    register("host.cpu", "One.", registry)
    with pytest.raises(ParameterError, match="twice"):
        register("host.cpu", "Two.", registry)


def test_the_table_has_a_row_for_every_metric_and_can_be_printed() -> None:
    metrics, _, scheme = metrics_table().partition("## Health")
    rows = [line for line in metrics.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [each.name for each in METRICS]
    assert all(row.count("|") == 5 for row in rows)
    assert scheme.endswith(scheme_table())
    command = [sys.executable, "-m", "slices.monitor.metrics"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == metrics_table()
