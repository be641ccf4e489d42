"""`python -m deployments.apply [--check]`: make a server what this project says it should be.

Everything is read and checked before anything is changed. Applied twice, the second time changes
nothing; `--check` changes nothing at all and ends with 1 where something differs.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.desired import desired, stages
from deployments.document import FILE
from flows.cli.exits import Exit, exit_code
from flows.cli.output import note, print_line
from slices.domain.errors import SettingsError, TradingError
from slices.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deployments.plan import Change, Stage

LONGEST = 300
NOBODY = (
    "nobody is told about alerts, they stand on the dashboard alone:"
    " TRADEFLOWS_ALERTS_URL names a receiver"
)


def apply(
    settings: Settings, api_url: str, *, check: bool = False, file: Path = FILE
) -> tuple[str, ...]:
    """Bring a server to what is wanted, or only look at it.

    Args:
        settings: Of this installation.
        api_url: Where the server's API is.
        check: Whether to look only.
        file: Where the deployments are written.

    Returns:
        What was changed, or with `check` what differs, a line each.

    Raises:
        ParameterError: The file or a rule asks for what there is not; nothing was changed.
        SettingsError: The server does not answer, or a setting cannot be used.
    """
    wanted = desired(settings, file=file)
    with reached(api_url) as client:
        done = [_staged(client, stage, check=check) for stage in stages(wanted)]
    return tuple(change.line for changes in done for change in changes)


@contextmanager
def reached(api_url: str) -> Iterator[SyncPrefectClient]:
    """Talk to a server.

    Raises:
        SettingsError: It does not answer, or refuses what it is asked.
    """
    try:
        with temporary_settings({PREFECT_API_URL: api_url}), get_client(sync_client=True) as client:
            yield client
    except PrefectHTTPStatusError as refusal:
        answer = refusal.response
        raise _refused(api_url, f"{answer.status_code} {answer.text}") from refusal
    except (HTTPError, RuntimeError) as unreachable:
        raise _refused(api_url, str(unreachable)) from unreachable


def _staged(client: SyncPrefectClient, stage: Stage, *, check: bool) -> tuple[Change, ...]:
    changes = stage(client)
    for change in () if check else changes:
        change.make(client)
    return changes


def _refused(api_url: str, answer: str) -> SettingsError:
    first = answer.strip().partition("\n")[0][:LONGEST] or "no answer"
    return SettingsError(
        setting="PREFECT_API_URL",
        found=f"{api_url}: {first}",
        needed="a Prefect server that does as it is asked",
    )


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(words)
    try:
        return _run(check=arguments.check, file=arguments.file)
    except TradingError as error:
        note(f"apply: {error}")
        return exit_code(error).value


def _run(*, check: bool, file: Path) -> int:
    settings = load_settings()
    lines = apply(settings, server_address(settings), check=check, file=file)
    for line in lines:
        print_line(f"would {line}" if check else line)
    if not lines:
        print_line("nothing to do")
    if settings.alerts_url is None:
        note(NOBODY)
    return Exit.FAILED.value if check and lines else Exit.OK.value


def server_address(settings: Settings) -> str:
    """Return where the server of the environment is, or the one `up` starts."""
    return PREFECT_API_URL.value() or f"http://127.0.0.1:{settings.prefect_port}/api"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deployments.apply",
        description="Make pools, limits, variables, blocks, deployments and automations on the"
        " Prefect server what this project says they should be.",
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; end with 1 where something differs"
    )
    parser.add_argument(
        "--file", type=Path, default=FILE, help="another prefect.yaml than that of the project"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
