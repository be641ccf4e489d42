"""`tradeflows environment`: what other commands need to use the same folders."""

from __future__ import annotations

import os
import shlex

from flows.cli.exits import Exit
from flows.cli.output import print_line
from slices.runtime.environment import HOME_VARIABLE, check_home, defaults
from slices.runtime.servers import access


def show_environment() -> Exit:
    """Print shell exports; what the environment sets already stays as it is.

    Where servers of this home run, they are among them with the password: for `eval`, not for a
    screen that others see.
    """
    folder = check_home()
    wanted = {HOME_VARIABLE: str(folder)} | defaults(folder) | access(folder)
    for name, value in wanted.items():
        print_line(f"export {name}={shlex.quote(os.environ.get(name, value))}")
    return Exit.OK
