"""`python -m deployments.resume [TAG]`: let schedules start again what an alert has paused.

An alert that halts trading pauses every deployment tagged `trading`. `tradeflows release` lets
orders through again and leaves those paused: whether they run by themselves again is said here. An
alert pauses a deployment as a whole, which Prefect's own commands about schedules do not undo.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from deployments.apply import reached, server_address
from deployments.automations import TRADING
from deployments.deployed import deployed
from flows.cli.exits import Exit, exit_code
from flows.cli.output import note, print_line
from slices.domain.errors import ParameterError, TradingError
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect.client.orchestration import SyncPrefectClient


def resume(client: SyncPrefectClient, tag: str) -> tuple[str, ...]:
    """Resume the paused deployments with a tag; return their full names.

    Raises:
        ParameterError: No deployment has the tag.
    """
    there = deployed(client)
    tagged = {name: each for name, each in there.items() if tag in each.tags}
    if not tagged:
        tags = ", ".join(sorted({known for each in there.values() for known in each.tags}))
        raise ParameterError(parameter="TAG", found=tag, allowed=tags or "none: apply first")
    paused = sorted(name for name, each in tagged.items() if each.paused)
    for name in paused:
        client.resume_deployment(tagged[name].id)
    return tuple(paused)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.resume", description=__doc__)
    parser.add_argument("tag", metavar="TAG", nargs="?", default=TRADING, help="(default trading)")
    tag: str = parser.parse_args(words).tag
    try:
        with reached(server_address(load_settings())) as client:
            resumed = resume(client, tag)
    except TradingError as error:
        note(f"resume: {error}")
        return exit_code(error).value
    for name in resumed:
        print_line(f"resumed {name}")
    if not resumed:
        print_line(f"nothing tagged {tag} was paused")
    return Exit.OK.value


if __name__ == "__main__":
    sys.exit(main())
