"""Starting programs in sessions of their own, and ending exactly those and what they started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

from deployments.programs import ROOT, Program
from slices.domain.errors import SettingsError
from slices.runtime.locks import KernelLocks
from slices.runtime.servers import ServerProcess, forget, record, recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from slices.runtime.settings import Settings

MARK = "TRADEFLOWS_STARTED_IN"
"""In the environment of everything that was started: the run folder it belongs to."""

PATIENCE_SECONDS = 8.0
LOG_TAIL_LINES = 12
FIRST = frozenset({"worker", "watch", "dashboard"})
"""They end before the servers they talk to, so that runs under way can say that they were ended."""


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep two commands from starting and ending servers of one home at the same time.

    Raises:
        SettingsError: Another one is at it.
    """
    locks, holder = KernelLocks(settings.locks_folder), str(os.getpid())
    if not locks.acquire_lock("servers", holder, acquire_timeout=0):
        raise SettingsError(
            setting=str(settings.home),
            found="another command that starts or ends its servers",
            needed="one at a time",
        )
    try:
        yield
    finally:
        locks.release_lock("servers", holder)


def log_file(run_folder: Path, name: str) -> Path:
    """Return where a program's output goes; what it wrote the time before is in `.log.1`."""
    return run_folder / f"{name}.log"


def start(program: Program, run_folder: Path) -> ServerProcess:
    """Start a program and write down that it was."""
    log = log_file(run_folder, program.name)
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        popen = subprocess.Popen(  # noqa: S603 - our own programs
            program.words,
            cwd=ROOT,
            env=os.environ | dict(program.variables) | {MARK: str(run_folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )
    popen.returncode = 0  # it outlives this process, which must not complain about that
    process = ServerProcess(
        name=program.name,
        pid=popen.pid,
        created=psutil.Process(popen.pid).create_time(),
        address=program.address.url if program.address else "",
    )
    record(run_folder, process)
    return process


def last_words(run_folder: Path, name: str) -> str:
    """Read the end of a program's log."""
    with suppress(OSError):
        lines = log_file(run_folder, name).read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])
    return ""


def end_all(run_folder: Path) -> tuple[str, ...]:
    """End everything that was started there, also what a crash left behind.

    Returns:
        The names of the programs that still ran.
    """
    there = [each for each in recorded(run_folder) if each.is_running]
    first = [each for each in there if each.name in FIRST]
    _end(_families(first))
    _end(_families(there))
    _end(_marked(run_folder))
    for each in recorded(run_folder):
        forget(run_folder, each.name)
    return tuple(each.name for each in there)


def end_one(process: ServerProcess, run_folder: Path) -> None:
    """End one program with what it left in its session, and forget it."""
    if process.is_running:
        _end(_families([process]))
    _end([each for each in _marked(run_folder) if _session_of(each) == process.pid])
    forget(run_folder, process.name)


def _families(leaders: Iterable[ServerProcess]) -> list[psutil.Process]:
    """List processes and their descendants, as far as they still run."""
    found: list[psutil.Process] = []
    for leader in leaders:
        with suppress(psutil.Error):
            if leader.is_running:
                process = psutil.Process(leader.pid)
                found += [process, *process.children(recursive=True)]
    return found


def _marked(run_folder: Path) -> list[psutil.Process]:
    """List processes that say by their environment that they were started there."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _mark_of(process) == str(run_folder)
    ]


def _mark_of(process: psutil.Process) -> str:
    with suppress(psutil.Error, OSError):
        return process.environ().get(MARK, "")
    return ""


def _session_of(process: psutil.Process) -> int:
    with suppress(OSError):
        return os.getsid(process.pid)
    return 0


def _end(processes: list[psutil.Process]) -> None:
    """Ask processes to end, and end those that do not; psutil knows a process by id and time."""
    for step in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with suppress(psutil.Error):
                process.send_signal(step)
        processes = _still_there(processes)


def _still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := [each for each in processes if _runs(each)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
