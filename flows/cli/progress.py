"""Progress of a run on stderr: a live list on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table

from slices.runtime.progress import expected_runs, listeners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from slices.runtime.progress import Step

MARKS = {"Completed": "[green]✓[/]", "Cached": "[cyan]✓[/]", "Running": ""}
MOST_LINES = 5
"""More runs of one task than this share a line."""

BAR_LETTERS = 20


class Board:
    """The steps of a run so far, by the order in which they began."""

    def __init__(self, flow: str) -> None:
        self.flow = flow
        self.began = time.monotonic()
        self.steps: dict[str, Step] = {}
        self.console = Console(stderr=True, highlight=False)
        self._ordered_before = dict(expected_runs)

    def __rich__(self) -> Table:
        """Draw the board."""
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_row(
            Spinner("dots"), f"[bold]{self.flow}[/]", f"{time.monotonic() - self.began:.0f} s"
        )
        if not self.steps:
            table.add_row("", "[dim]starting Prefect[/]", "")
        for row in self.rows():
            table.add_row(*row)
        return table

    def rows(self) -> Iterator[tuple[RenderableType, ...]]:
        """Give each step a line, and all runs of a task together one where there are many."""
        grouped: dict[str, list[Step]] = {}
        for step in list(self.steps.values()):
            grouped.setdefault(step.task, []).append(step)
        for task, steps in grouped.items():
            ordered = self.ordered(task)
            if ordered > MOST_LINES:
                yield _shared_row(task, steps, ordered)
            else:
                yield from (_row(step) for step in steps)

    def ordered(self, task: str) -> int:
        """Return how many runs of a task there will be, as far as is known."""
        seen = sum(1 for step in list(self.steps.values()) if step.task == task)
        return max(seen, expected_runs.get(task, 0) - self._ordered_before.get(task, 0))

    def update(self, step: Step) -> None:
        """Take in a step's new state."""
        self.steps[step.run_id] = step

    def say(self, step: Step) -> None:
        """Write a finished step as a line; of many runs of one task, only the last and failures."""
        self.update(step)
        if step.state == "Running":
            return
        ordered = self.ordered(step.task)
        done = _done([each for each in list(self.steps.values()) if each.task == step.task])
        if ordered <= MOST_LINES or step.state not in MARKS:
            self.console.print(f"{step.name}  {step.state}  {step.seconds:.1f} s", soft_wrap=True)
        elif len(done) == ordered:
            self.console.print(f"{step.task}  {_counted(done)} of {ordered}", soft_wrap=True)


def _row(step: Step) -> tuple[RenderableType, ...]:
    mark = MARKS.get(step.state, "[red]✗[/]")
    timing = "" if step.state == "Running" else f"{step.seconds:.1f} s"
    return mark, step.name, f"[dim]{step.state}[/]", timing


def _shared_row(task: str, steps: list[Step], ordered: int) -> tuple[RenderableType, ...]:
    done = _done(steps)
    is_failed = any(step.state not in MARKS for step in done)
    mark = "[red]✗[/]" if is_failed else MARKS["Completed"] if len(done) == ordered else ""
    bar = ProgressBar(total=ordered, completed=len(done), width=BAR_LETTERS)
    return mark, task, bar, f"{len(done)} of {ordered} [dim]{_counted(done)}[/]"


def _done(steps: list[Step]) -> list[Step]:
    return [step for step in steps if step.state != "Running"]


def _counted(steps: list[Step]) -> str:
    """Count states.

    >>> _counted([])
    ''
    """
    states = Counter(step.state for step in steps)
    return ", ".join(f"{count} {state}" for state, count in states.items())


@contextmanager
def shown_progress(flow: str) -> Iterator[None]:
    """Show the steps of the run inside the `with` block."""
    board = Board(flow)
    is_live = sys.stderr.isatty()
    listener = board.update if is_live else board.say
    listeners.append(listener)
    try:
        if is_live:
            with Live(board, console=board.console, refresh_per_second=8):
                yield
        else:
            yield
    finally:
        listeners.remove(listener)
