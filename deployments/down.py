"""`python -m deployments.down`: end what `up` started, and nothing else.

Runs under way are ended with the worker and show as crashed. Orders that were sent stay as they
are: the next run asks the broker about them.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deployments.processes import alone, end_all
from flows.cli.exits import exit_code
from flows.cli.output import print_line, report_error
from slices.domain.errors import TradingError
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence


def down() -> tuple[str, ...]:
    """End the servers of the home; return the names of those that ran.

    Raises:
        SettingsError: Another command starts or ends them just now.
    """
    settings = load_settings()
    if not settings.run_folder.is_dir():
        return ()
    with alone(settings):
        return end_all(settings.run_folder)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    argparse.ArgumentParser(prog="python -m deployments.down", description=__doc__).parse_args(argv)
    try:
        ended = down()
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    print_line(f"ended: {', '.join(ended)}" if ended else "nothing was running")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
