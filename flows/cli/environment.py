"""`tradeflows environment`: what other commands need to use the same folders."""

from __future__ import annotations

import os
import shlex

from flows.cli.exits import Exit
from flows.cli.output import print_line
from slices.runtime.environment import HOME_VARIABLE, check_home, defaults


def show_environment() -> Exit:
    """Print shell exports; what the environment sets already stays as it is."""
    folder = check_home()
    wanted = {HOME_VARIABLE: str(folder)} | defaults(folder)
    for name, value in wanted.items():
        print_line(f"export {name}={shlex.quote(os.environ.get(name, value))}")
    return Exit.OK
