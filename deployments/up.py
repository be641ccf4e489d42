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

from deployments.addresses import addresses, check_free
from deployments.mlflow_server import prepare_mlflow
from deployments.processes import alone, end_all, end_one, start
from deployments.programs import POOL, Program, programs
from deployments.readiness import is_ready, silent
from flows.cli.exits import Exit, exit_code
from flows.cli.output import note, print_line, report_error
from slices.domain.errors import SettingsError, TradingError, counted
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


def up(*, is_password_new: bool = False) -> None:
    """Start what does not run, apply the deployments, print where everything is.

    Args:
        is_password_new: Make another password first, and start again what runs with the old one.

    Raises:
        SettingsError: A port is taken, a program ended, or one does not answer in time.
        StorageError: The disk refuses.
    """
    check_home()
    settings = load_settings()
    settings.run_folder.mkdir(mode=0o700, exist_ok=True)
    settings.run_folder.chmod(0o700)
    with alone(settings):
        if is_password_new:
            replace_password()
            end_all(settings.run_folder)
        _bring_up(_Start(settings, operator_password()))


def _bring_up(starting: _Start) -> None:
    wanted = programs(starting.settings, starting.password)
    kept = _kept(wanted, starting)
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
    _make_pool()
    late = _started([each for each in missing if each.needs_prefect], starting)
    _apply(starting)
    _wait_for(late, starting)
    _print_places(wanted, starting)


def _kept(wanted: tuple[Program, ...], starting: _Start) -> frozenset[str]:
    """Name what is left running; what was cut off while it started is ended first."""
    folder = starting.settings.run_folder
    there = {each.name: each for each in recorded(folder)}
    working = {name: each for name, each in there.items() if each.is_running and each.is_ready}
    for program in wanted:
        _check_place(program, working.get(program.name))
    for name in there.keys() - working.keys():
        end_one(there[name], folder)
    return frozenset(working)


def _check_place(program: Program, process: ServerProcess | None) -> None:
    if process and program.address and process.address != program.address.url:
        raise SettingsError(
            setting=program.address.setting,
            found=f"{program.address.port}, and {program.name} running at {process.address}",
            needed="`python -m deployments.down` first",
        )


def _started(chosen: list[Program], starting: _Start) -> tuple[tuple[Program, ServerProcess], ...]:
    if any(each.name == "mlflow" for each in chosen):
        prepare_mlflow(starting.settings, starting.password)
    return tuple((each, start(each, starting.settings.run_folder)) for each in chosen)


def _adopt(program: Program) -> None:
    """Let this process reach the server as the programs do; Prefect reads it when imported."""
    names = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_UI_URL", "PREFECT_HOME")
    os.environ.update({name: value for name, value in program.variables if name in names})


def _wait_for(
    begun: tuple[tuple[Program, ServerProcess], ...], starting: _Start, *, word: str = "is ready"
) -> None:
    folder, waiting = starting.settings.run_folder, list(begun)
    deadline = time.monotonic() + READY_SECONDS
    while waiting:
        for program, process in tuple(waiting):
            if is_ready(program, process, password=starting.password, run_folder=folder):
                record(folder, replace(process, is_ready=True))
                starting.say(f"{program.name} {word}")
                waiting.remove((program, process))
        if waiting and time.monotonic() > deadline:
            raise silent(waiting[0][0], folder, found=f"no answer in {READY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _confirm(kept: list[Program], starting: _Start) -> None:
    """Check that what is left running works and takes our password."""
    there = {each.name: each for each in recorded(starting.settings.run_folder)}
    _wait_for(tuple((each, there[each.name]) for each in kept), starting, word="runs already")


def _make_pool() -> None:
    """Make the pool the worker asks, which would make one of its own otherwise."""
    from prefect.client.orchestration import get_client  # it reads the environment when imported

    from deployments.pools import pools_stage

    with get_client(sync_client=True) as client:
        for change in pools_stage([POOL])(client):
            change.make(client)


def _apply(starting: _Start) -> None:
    from deployments.apply import NOBODY, apply  # see above

    prefect, _, _ = addresses(starting.settings)
    changes = apply(starting.settings, f"{prefect.url}/api")
    starting.say(f"deployments are applied: {counted(len(changes), 'change')}")
    if starting.settings.alerts_url is None:
        note(NOBODY)


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
        up(is_password_new=arguments.new_password)
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    except KeyboardInterrupt:
        note("up: interrupted; what was started runs on, and `python -m deployments.down` ends it")
        return Exit.INTERRUPTED.value
    return Exit.OK.value


if __name__ == "__main__":
    raise SystemExit(main())
