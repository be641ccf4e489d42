"""Progress inside this process: who wants to see tasks start and finish may listen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas import TaskRun
    from prefect.client.schemas.objects import State


@dataclass(frozen=True, kw_only=True)
class Step:
    """A task run that entered a state.

    Attributes:
        name: Of the run, with what tells it apart from others of its task.
        task: Of the task.
        state: Name of the state.
        seconds: Since the run began.
    """

    run_id: str
    name: str
    task: str
    state: str
    seconds: float


Listener = Callable[[Step], None]
listeners: list[Listener] = []
expected_runs: dict[str, int] = {}
"""How many runs of a task were ordered at once, by the task's name."""


def _worth_logging(record: logging.LogRecord) -> bool:
    """Drop Prefect's two lines about each call of the hooks below; they tell a reader nothing."""
    return "ook 'progress_" not in record.getMessage()


logging.getLogger("prefect.task_runs").addFilter(_worth_logging)


def _tell(task: Task[..., Any], task_run: TaskRun, state: State[Any], state_name: str) -> None:
    began = task_run.start_time
    step = Step(
        run_id=str(task_run.id),
        name=f"{task.name.partition('.')[0]}.{task_run.name}" if task.task_run_name else task.name,
        task=task.name,
        state=state_name,
        seconds=max(0.0, (state.timestamp - began).total_seconds()) if began else 0.0,
    )
    for listener in listeners:
        listener(step)


def progress_started(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> None:
    """Tell the listeners that a task began (a Prefect hook)."""
    _tell(task, task_run, state, "Running")


def progress_finished(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> None:
    """Tell the listeners how a task ended (a Prefect hook)."""
    _tell(task, task_run, state, state.name or state.type.value)
