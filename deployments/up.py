"""`python -m deployments.up`: start everything a person runs every day, and say where it is.

Prefect, MLflow, the dashboard, the watch and a worker, all on the loopback interface and behind one
password. What runs already is left alone, what died is started again.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from deployments.addresses import answers, check_free
from deployments.mlflow_server import prepare_mlflow
from deployments.processes import alone, end_all, end_one, last_words, log_file, start
from deployments.programs import Program, programs
from flows.cli.exits import exit_code
from flows.cli.output import print_line, report_error
from slices.domain.errors import SettingsError, TradingError
from slices.runtime.credentials import (
    OPERATOR,
    credentials_file,
    operator_password,
    replace_password,
)
from slices.runtime.environment import check_home
from slices.runtime.mlflow_store import locked
from slices.runtime.servers import ServerProcess, record, recorded
from slices.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence


READY_SECONDS = 240.0
SETTLED_SECONDS = 1.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class _Start:
    """One start of everything: what is known to all its steps."""

    settings: Settings
    password: SecretStr
    begun: float = field(default_factory=time.monotonic)

    def say(self, what: str) -> None:
        print_line(f"{time.monotonic() - self.begun:6.1f} s  {what}")
        sys.stdout.flush()


def up() -> None:
    """Start what does not run, apply the deployments, print where everything is.

    Raises:
        SettingsError: A port is taken, a program ended, or one does not answer in time.
        StorageError: The disk refuses.
    """
    check_home()
    settings = load_settings()
    settings.run_folder.mkdir(mode=0o700, exist_ok=True)
    settings.run_folder.chmod(0o700)
    with alone(settings):
        _bring_up(_Start(settings, operator_password()))


def _bring_up(starting: _Start) -> None:
    wanted = programs(starting.settings, starting.password)
    kept = _kept(starting)
    missing = tuple(each for each in wanted if each.name not in kept)
    for program in missing:
        if program.address is not None:
            check_free(program.address)
    with locked("database"):
        begun = _started([each for each in missing if not each.needs_prefect], starting)
        _adopt(wanted[0])
        import deployments.apply  # noqa: F401 - takes seconds, in which the servers start

        _wait_for(begun, starting)
    _confirm([each for each in wanted if each.name in kept], starting)
    late = _started([each for each in missing if each.needs_prefect], starting)
    _apply(starting)
    _wait_for(late, starting)
    _print_places(wanted, starting)


def _kept(starting: _Start) -> frozenset[str]:
    """Name what is left running; what was cut off while it started is ended first."""
    folder = starting.settings.run_folder
    there = recorded(folder)
    for each in there:
        if not (each.is_running and each.is_ready):
            end_one(each, folder)
    return frozenset(each.name for each in there if each.is_running and each.is_ready)


def _started(chosen: list[Program], starting: _Start) -> tuple[tuple[Program, ServerProcess], ...]:
    if any(each.name == "mlflow" for each in chosen):
        prepare_mlflow(starting.settings, starting.password)
    return tuple((each, start(each, starting.settings.run_folder)) for each in chosen)


def _adopt(program: Program) -> None:
    """Let this process reach the server as the programs do; Prefect reads it when imported."""
    names = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_UI_URL", "PREFECT_HOME")
    os.environ.update({name: value for name, value in program.variables if name in names})


def _wait_for(begun: tuple[tuple[Program, ServerProcess], ...], starting: _Start) -> None:
    waiting, deadline = list(begun), time.monotonic() + READY_SECONDS
    while waiting:
        for program, process in tuple(waiting):
            if _is_ready(program, process, starting):
                record(starting.settings.run_folder, replace(process, is_ready=True))
                starting.say(f"{program.name} is ready")
                waiting.remove((program, process))
        if waiting and time.monotonic() > deadline:
            raise _silent(waiting[0][0], starting, f"no answer in {READY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _is_ready(program: Program, process: ServerProcess, starting: _Start) -> bool:
    """Tell whether a program works: it answers, or it has not ended at once."""
    if not process.is_running:
        raise _silent(program, starting, "a program that ended")
    if program.address is not None:
        return answers(program.address, starting.password)
    return time.time() - process.created > SETTLED_SECONDS


def _silent(program: Program, starting: _Start, found: str) -> SettingsError:
    folder = starting.settings.run_folder
    return SettingsError(
        setting=program.name,
        found=found,
        needed=f"what its log {log_file(folder, program.name)} asks for:\n"
        f"{last_words(folder, program.name)}",
    )


def _confirm(kept: list[Program], starting: _Start) -> None:
    """Check that what is left running works and takes our password."""
    for program in kept:
        if program.address is not None and not answers(program.address, starting.password):
            raise _silent(program, starting, "a program that runs and does not answer")
        starting.say(f"{program.name} runs already")


def _apply(starting: _Start) -> None:
    from deployments.apply import apply  # Prefect reads its address when it is imported

    prefect = programs(starting.settings, starting.password)[0].address
    if prefect is not None:
        apply(starting.settings, f"{prefect.url}/api")
        starting.say("deployments are applied")


def _print_places(wanted: tuple[Program, ...], starting: _Start) -> None:
    given = starting.settings.operator_password is not None
    where = "TRADEFLOWS_OPERATOR_PASSWORD" if given else f"in {credentials_file()}"
    print_line("")
    for program in wanted:
        if program.address is not None:
            print_line(f"  {program.name:<10} {program.address.url}{program.address.page}")
    print_line(f"  user       {OPERATOR} (Prefect's page asks for {OPERATOR}:PASSWORD)")
    print_line(f"  password   {where}")
    print_line(f"  logs       {starting.settings.run_folder}")
    print_line('  shell      eval "$(tradeflows environment)"')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.up", description=__doc__)
    parser.add_argument(
        "--new-password", action="store_true",
        help="make another password first, and start again what runs with the old one",
    )  # fmt: skip
    arguments = parser.parse_args(argv)
    os.umask(0o077)
    # Started in the background of a script, Ctrl-C is ignored, and so would the programs: a worker
    # that ignores it never ends.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if arguments.new_password:
            replace_password()
            end_all(load_settings().run_folder)
        up()
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
