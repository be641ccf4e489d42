"""Steps of flows: which there are, what depends on what, and how to make one of them fail."""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import functools
import inspect
import io
import textwrap
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from prefect import tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterTags,
)
from prefect.futures import PrefectFuture
from prefect.utilities.annotations import BaseAnnotation

from flows.cli import main
from slices.runtime.kinds import CountedTask
from slices.runtime.progress import listeners

if TYPE_CHECKING:
    import pytest
    from prefect.client.schemas.objects import FlowRun

    from slices.runtime.progress import Step

TAG = "faults"
"""Of every run. One for each would cost every step a connection of its own, because Prefect asks
for the limits of all tags that a step has, and keeps a client for each set of them."""

Tasks = dict[str, "CountedTask[..., Any]"]


def tasks_of(run: object, *, seen: frozenset[str] = frozenset()) -> Tasks:
    """Find every task that the source of a flow names, also in functions of ours that it calls."""
    found: Tasks = {}
    for each in _named(_plain(run)):
        if isinstance(each, CountedTask):
            found[each.name] = each
        elif _is_ours(each) and each.__name__ not in seen:
            found |= tasks_of(each, seen=seen | {each.__name__})
    return found


def _plain(run: Any) -> types.FunctionType:
    made = inspect.unwrap(getattr(run, "fn", run))
    assert isinstance(made, types.FunctionType)
    return made


def _named(run: types.FunctionType) -> Iterator[Any]:
    """List what a function names: its globals, and attributes of the modules among them."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(run)))
    known: Mapping[str, Any] = run.__globals__
    either = {
        each.targets[0].id: [known[e.id] for e in (each.value.body, each.value.orelse)]  # type: ignore[attr-defined]
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.IfExp)
        and all(isinstance(e, ast.Name) for e in (each.value.body, each.value.orelse))
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield known.get(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owners = either.get(node.value.id, [known.get(node.value.id)])
            modules = [each for each in owners if isinstance(each, types.ModuleType)]
            yield from (vars(each).get(node.attr) for each in modules)


def _is_ours(named: Any) -> bool:
    module = getattr(named, "__module__", None) or ""
    runs = isinstance(named, types.FunctionType) or hasattr(named, "fn")
    return runs and (module.endswith(".tasks") or module.startswith("flows."))


def parts(value: object) -> dict[int, object]:
    """List the own objects that a value is made of, by identity; each comes from one place only."""
    found: dict[int, object] = {}
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if id(each) in found or isinstance(each, Enum | type):
            continue
        if isinstance(each, BaseAnnotation):
            waiting.append(each.unwrap())
        elif isinstance(each, list | tuple):
            waiting.extend(() if each and isinstance(each[0], str | float | int) else each)
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif dataclasses.is_dataclass(each):
            found[id(each)] = each
            waiting.extend(getattr(each, every.name) for every in dataclasses.fields(each))
        elif isinstance(each, PrefectFuture | np.ndarray | pl.DataFrame):
            found[id(each)] = each
    return found


@dataclass(eq=False)
class Call:
    """One order of a task: what it was given and what came of it."""

    task: str
    given: dict[int, object]
    came: list[object]

    @functools.cached_property
    def own(self) -> set[int]:
        """What only this call can have made."""
        results = [
            each.result(raise_on_failure=False) if isinstance(each, PrefectFuture) else each
            for each in self.came
        ]
        return set(parts([*self.came, *results])) - set(self.given)


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """Write down every order of a task."""
    calls: list[Call] = []

    def noted(name: str) -> Any:
        ordered = getattr(CountedTask, name)

        @functools.wraps(ordered)
        def wrapped(task: CountedTask[..., Any], *args: Any, **kwargs: Any) -> Any:
            came = ordered(task, *args, **kwargs)
            listed = list(came) if name == "map" else [came]
            calls.append(Call(task.name, parts([*args, kwargs]), listed))
            return came

        return wrapped

    with monkeypatch.context() as patched:
        for name in ("__call__", "submit", "map"):
            patched.setattr(CountedTask, name, noted(name))
        yield calls


def without(calls: list[Call]) -> dict[str, Counter[str]]:
    """Count, for every task, the runs of others that are given nothing of what it makes.

    A run that is given something of a run that is, counts as given it too.
    """
    later = _dependants(calls)
    found: dict[str, Counter[str]] = {}
    for task in {each.task for each in calls}:
        broken_calls = {place for place, each in enumerate(calls) if each.task == task}
        lost = broken_calls.union(*(later[place] for place in broken_calls))
        kept = [each for place, each in enumerate(calls) if place not in lost]
        found[task] = Counter()
        for each in kept:
            found[task][each.task] += len(each.came)
    return found


def _dependants(calls: list[Call]) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in calls]
    for place in reversed(range(len(calls))):
        own = calls[place].own
        nearest = [each for each in range(place + 1, len(calls)) if own & set(calls[each].given)]
        found[place] = set(nearest).union(*(found[each] for each in nearest))
    return found


@dataclass
class Ran:
    """What a command printed and left on the server."""

    code: int
    answered: str
    noted: str
    steps: list[Step]
    run: FlowRun = field(init=False)

    @property
    def began(self) -> Counter[str]:
        """How many runs of each task began, or were answered from the cache."""
        return Counter(task for _, task in {(each.run_id, each.task) for each in self.steps})

    def ended(self, *states: str) -> set[str]:
        """Tasks with a run that ended in one of these states."""
        return {each.task for each in self.steps if each.state in states}


def commanded(words: list[str]) -> Ran:
    """Run a command of the program in this process; its flow run, if there is one, comes along."""
    steps: list[Step] = []
    answered, noted, began = io.StringIO(), io.StringIO(), dt.datetime.now(dt.UTC)
    listeners.append(steps.append)
    try:
        with redirect_stdout(answered), redirect_stderr(noted), tags(TAG):
            code = main(words)
    finally:
        listeners.remove(steps.append)
    ran = Ran(code, answered.getvalue(), noted.getvalue(), steps)
    ours = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG]),
        expected_start_time=FlowRunFilterExpectedStartTime(after_=began),
    )
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=ours)
    runs = [each for each in found if each.parent_task_run_id is None]
    assert len(runs) == 1, ran.noted
    ran.run = runs[0]
    return ran


@contextmanager
def broken(
    task: CountedTask[..., Any], error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let a task fail whenever it runs, and run although its answer is known."""

    @functools.wraps(task.fn)
    def failing(*_args: object, **_options: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(task, "fn", failing)
        patched.setattr(task, "refresh_cache", True)
        yield
