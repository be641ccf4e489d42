"""Servers that were started for this home: which of them run, and how commands reach them.

Each has a file `<name>.pid` in the run folder: process id, when the process was made, and the
address once it answers. Imports nothing heavy: every command looks here first.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

OPERATOR = "tradeflows"
"""Name of the one user of all servers."""

PASSWORD_VARIABLE = "TRADEFLOWS_OPERATOR_PASSWORD"  # noqa: S105 - the name of it
CREDENTIALS = "credentials"
RUN_FOLDER = "run"
SAME_SECONDS = 2.0
"""A process made within so short a time under the same id is the same one."""


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A process that was started as a server.

    Attributes:
        created: When the process was made, in seconds since 1970; an id alone may be another
            process by now.
        address: Where it answers; empty until it does, or where it never listens.
        is_ready: Whether it was seen to work.
    """

    name: str
    pid: int
    created: float
    address: str = ""
    is_ready: bool = False

    @property
    def is_running(self) -> bool:
        """Whether this very process still runs."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.created) < SAME_SECONDS
            return is_same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def record(run_folder: Path, process: ServerProcess) -> None:
    """Write down that a server was started, or that it is ready."""
    state = "ready" if process.is_ready else "starting"
    lines = (str(process.pid), repr(process.created), process.address, state)
    aside = run_folder / f"{process.name}.unfinished"
    aside.write_text("\n".join(lines) + "\n")
    aside.replace(run_folder / f"{process.name}.pid")


def forget(run_folder: Path, name: str) -> None:
    """Remove what was written down about a server."""
    (run_folder / f"{name}.pid").unlink(missing_ok=True)


def recorded(run_folder: Path) -> tuple[ServerProcess, ...]:
    """Read what was written down about servers, whether they still run or not."""
    found = (_parsed(file) for file in sorted(run_folder.glob("*.pid")))
    return tuple(each for each in found if each is not None)


def _parsed(file: Path) -> ServerProcess | None:
    """Read one file; None where it is gone by now or is no such file."""
    with suppress(OSError, ValueError):
        pid, created, address, state = file.read_text().splitlines()
        return ServerProcess(
            name=file.stem,
            pid=int(pid),
            created=float(created),
            address=address,
            is_ready=state == "ready",
        )
    return None


def running(run_folder: Path) -> tuple[ServerProcess, ...]:
    """List the servers that run."""
    return tuple(each for each in recorded(run_folder) if each.is_running)


def prefect_access(address: str, password: str) -> dict[str, str]:
    """List the variables with which commands reach a Prefect server."""
    return {
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_API_AUTH_STRING": f"{OPERATOR}:{password}",
        "PREFECT_UI_URL": address,
    }


def mlflow_access(address: str, password: str) -> dict[str, str]:
    """List the variables with which commands reach an MLflow server."""
    return {
        "TRADEFLOWS_MLFLOW_URL": address,
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_TRACKING_USERNAME": OPERATOR,
        "MLFLOW_TRACKING_PASSWORD": password,
    }


def access(home: Path) -> dict[str, str]:
    """List the variables with which commands reach the servers of a home that run now.

    Where the environment names another server, nothing is said about it: its users are not ours,
    and our password is nobody else's business.
    """
    ready = {each.name: each.address for each in running(home / RUN_FOLDER) if each.is_ready}
    password = os.environ.get(PASSWORD_VARIABLE) or _kept_password(home)
    if not ready or not password:
        return {}
    found: dict[str, str] = {}
    if "prefect" in ready and _is_ours("PREFECT_API_URL", f"{ready['prefect']}/api"):
        found |= prefect_access(ready["prefect"], password)
    if "mlflow" in ready and _is_ours("TRADEFLOWS_MLFLOW_URL", ready["mlflow"]):
        found |= mlflow_access(ready["mlflow"], password)
    return found


def _is_ours(variable: str, address: str) -> bool:
    return os.environ.get(variable, address) == address


def _kept_password(home: Path) -> str:
    with suppress(OSError):
        return (home / CREDENTIALS).read_text().strip()
    return ""
