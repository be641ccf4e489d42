"""Progress of a run on stderr: a live list on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from slices.runtime.progress import listeners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.runtime.progress import Step

MARKS = {"Completed": "[green]✓[/]", "Cached": "[cyan]✓[/]", "Running": ""}


class Board:
    """The steps of a run so far, by the order in which they began."""

    def __init__(self, flow: str) -> None:
        self.flow = flow
        self.began = time.monotonic()
        self.steps: dict[str, Step] = {}
        self.console = Console(stderr=True, highlight=False)

    def __rich__(self) -> Table:
        """Draw the board."""
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_row(
            Spinner("dots"), f"[bold]{self.flow}[/]", f"{time.monotonic() - self.began:.0f} s"
        )
        if not self.steps:
            table.add_row("", "[dim]starting Prefect[/]", "")
        for step in list(self.steps.values()):
            mark = MARKS.get(step.state, "[red]✗[/]")
            timing = "" if step.state == "Running" else f"{step.seconds:.1f} s"
            table.add_row(mark, step.name, f"[dim]{step.state}[/]", timing)
        return table

    def update(self, step: Step) -> None:
        """Take in a step's new state."""
        self.steps[step.run_id] = step

    def say(self, step: Step) -> None:
        """Write a finished step as a line."""
        if step.state != "Running":
            self.console.print(f"{step.name}  {step.state}  {step.seconds:.1f} s", soft_wrap=True)


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
