"""`python -m deployments.serve NAME`: be one of the programs that `up` starts, in the foreground.

For containers and process managers that start, watch and restart programs themselves. Words,
environment and password are the same as with `up`; `apply` is what `up` does in between. `--check`
asks whether one that listens works.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING

from deployments.addresses import addresses, answers
from deployments.mlflow_server import prepare_mlflow
from deployments.programs import ROOT, Program, client_variables, programs
from flows.cli.exits import Exit, exit_code
from flows.cli.output import report_error
from slices.domain.errors import SettingsError, TradingError
from slices.runtime.credentials import operator_password
from slices.runtime.environment import check_home
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from slices.runtime.settings import Settings

NAMES = ("prefect", "mlflow", "dashboard", "watch", "worker", "apply")
WAIT_SECONDS = 240.0
POLL_SECONDS = 1.0


def serve(name: str) -> None:
    """Become a program; this process is it from then on.

    Raises:
        SettingsError: The Prefect server it needs does not answer.
    """
    check_home()
    settings, password = load_settings(), operator_password()
    known = (*programs(settings, password), applying(settings, password))
    program = next(each for each in known if each.name == name)
    if name == "mlflow":
        prepare_mlflow(settings, password)
    if program.needs_prefect:
        _wait_for_prefect()
    _become(program)


def applying(settings: Settings, password: SecretStr) -> Program:
    """Describe the command that makes the server what this project says it should be."""
    return Program(
        name="apply",
        words=(sys.executable, "-m", "deployments.apply"),
        variables=client_variables(settings, password),
        needs_prefect=True,
    )


def works(name: str) -> bool:
    """Tell whether a program that listens answers.

    Raises:
        SettingsError: It refuses the password.
    """
    settings = load_settings()
    address = next((each for each in addresses(settings) if each.name == name), None)
    return address is None or answers(address, operator_password())


def _wait_for_prefect() -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not works("prefect"):
        if time.monotonic() > deadline:
            raise SettingsError(
                setting="prefect", found=f"no answer in {WAIT_SECONDS:.0f} s", needed="its server"
            )
        time.sleep(POLL_SECONDS)


def _become(program: Program) -> None:
    os.umask(0o077)
    os.chdir(ROOT)
    os.execve(program.words[0], program.words, os.environ | dict(program.variables))  # noqa: S606 - our own programs


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.serve", description=__doc__)
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--check", action="store_true", help="only ask; exit code 1 where not")
    arguments = parser.parse_args(argv)
    try:
        if arguments.check:
            return (Exit.OK if works(arguments.name) else Exit.FAILED).value
        serve(arguments.name)
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    return Exit.OK.value


if __name__ == "__main__":
    raise SystemExit(main())
