"""Ordering one task many times, and waiting for all of it in sight of whoever looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import unmapped
from prefect.futures import as_completed

if TYPE_CHECKING:
    from prefect import Task

    from slices.runtime.artifacts import ProgressBar


def results_of(
    task: Task[..., Any], *, each: dict[str, list[Any]], same: dict[str, Any], bar: ProgressBar
) -> list[Any]:
    """Run a task once for each of some values, at once, and wait for all of them.

    Args:
        task: What to run.
        each: Arguments that differ, one value per run.
        same: Arguments that all runs share.
        bar: Shows which share of them is done.

    Returns:
        The results in the order of the values.

    Raises:
        Exception: The first failure, in the order of the values, once all runs have ended.
    """
    shared = {name: unmapped(value) for name, value in same.items()}
    arguments: dict[str, Any] = {**each, **shared}
    ordered = list(task.map(**arguments))
    for done, _ in enumerate(as_completed(ordered), start=1):
        bar.show(done / len(ordered))
    return [future.result() for future in ordered]
