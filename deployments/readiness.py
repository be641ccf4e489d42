"""When a program that was started does its work."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import TYPE_CHECKING

from deployments.addresses import answers
from deployments.processes import last_words, log_file
from deployments.programs import POOL
from slices.domain.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import SecretStr

    from deployments.programs import Program
    from slices.runtime.servers import ServerProcess


def is_ready(
    program: Program, process: ServerProcess, *, password: SecretStr, run_folder: Path
) -> bool:
    """Tell whether a program works: it answers, has measured, or asks for runs.

    Raises:
        SettingsError: It has ended, or refuses the password.
    """
    if not process.is_running:
        raise silent(program, run_folder, found="a program that ended")
    if program.address is not None:
        return answers(program.address, password)
    begun = dt.datetime.fromtimestamp(process.created, tz=dt.UTC)
    return WORKING[program.name](begun)


def silent(program: Program, run_folder: Path, *, found: str) -> SettingsError:
    """Say which program does not work, with the end of its log."""
    return SettingsError(
        setting=program.name,
        found=found,
        needed=f"what its log {log_file(run_folder, program.name)} asks for:\n"
        f"{last_words(run_folder, program.name)}",
    )


def has_measured(begun: dt.datetime) -> bool:
    """Tell whether the watch has looked at the system since it began."""
    from slices.monitor.history import read_latest  # they take a second to import
    from slices.monitor.store import open_store

    try:
        with closing(open_store()) as store:
            latest = read_latest(store)
    except StorageError:
        return False  # it is being made, or an old version's picture is about to be replaced
    return latest is not None and latest.at >= begun


def asks_for_runs(begun: dt.datetime) -> bool:
    """Tell whether the worker has been heard of since it began."""
    from prefect.client.orchestration import get_client  # it reads the environment when imported

    with get_client(sync_client=True) as client:
        workers = client.read_workers_for_work_pool(POOL)
    return any(each.last_heartbeat_time and each.last_heartbeat_time >= begun for each in workers)


WORKING: dict[str, Callable[[dt.datetime], bool]] = {
    "watch": has_measured,
    "worker": asks_for_runs,
}
