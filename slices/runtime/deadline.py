"""An end to a step that hangs: the whole process is ended, as if it had been killed.

A thread that waits inside a system call or compiled code cannot be interrupted in Python, and the
timeouts Prefect has for tasks take effect when the wait is over. A hung act would hold its account
for ever. So a timer ends the process and everything it started; the operating system gives back
the locks, and the order path goes on after a death at any point as if there had been none.

The timer is a thread of Python: compiled code that holds the interpreter lock outlives it.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
from prefect.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

HUNG = 124
"""The exit code of a process that was ended, as of the command `timeout`."""

ROUNDS = 5
"""How often children are looked for; one may start another while it is killed."""

SAYING_SECONDS = 2.0
"""How long the log may take; where it is what hangs, the process ends without it."""


@contextmanager
def deadline(step: str, *, seconds: float) -> Iterator[None]:
    """End this process and its children where the block takes longer than that.

    Args:
        step: What the block does, for the log.
        seconds: How long it may take.
    """
    timer = threading.Timer(seconds, end_process, [step, seconds])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def end_process(step: str, seconds: float) -> None:
    """Say at level CRITICAL what hangs, kill this process's children, and end it."""
    said = threading.Thread(target=_say, args=(step, seconds), daemon=True)
    said.start()
    said.join(SAYING_SECONDS)
    try:
        kill_children()
    finally:
        os._exit(HUNG)


def kill_children() -> None:
    """Kill every process that this one started, and those they started."""
    for _ in range(ROUNDS):
        children = psutil.Process().children(recursive=True)
        if not children:
            return
        for child in children:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                child.kill()
        psutil.wait_procs(children, timeout=1.0)


def _say(step: str, seconds: float) -> None:
    get_logger("tradeflows.deadline").critical(
        "%s has not ended within %g seconds (TRADEFLOWS_ACT_TIMEOUT_SECONDS); ending the process."
        " Run it again: what was done stays done, and nothing is done twice.",
        step,
        seconds,
    )
