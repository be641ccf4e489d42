"""`python -m deployments.restore FOLDER`: put a backup in the place of what the home holds.

Servers must be down. What was there before is moved aside, not deleted. Trading is halted
afterwards: the books are older than what happened, and what was halted since then is not in them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.backup import ASIDE, checked, is_kept
from deployments.processes import alone
from flows.cli.exits import exit_code
from flows.cli.halt import operator
from flows.cli.output import print_line, report_error
from slices.domain.errors import SettingsError, StorageError, TradingError, counted
from slices.ledger.states import write_halt_file
from slices.runtime.environment import check_home
from slices.runtime.servers import running
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.runtime.settings import Settings


def restore(folder: Path) -> tuple[int, Path]:
    """Put a backup into the home, and halt trading.

    Returns:
        How many files it has, and where what was there before is now.

    Raises:
        IntegrityError: A file of the backup is not what was copied; the home is untouched.
        SettingsError: Servers of the home run.
        StorageError: The disk refuses.
    """
    check_home()
    settings = load_settings()
    with alone(settings):
        there = running(settings.run_folder)
        if there:
            raise SettingsError(
                setting=str(settings.home),
                found=f"{', '.join(each.name for each in there)} running",
                needed="`python -m deployments.down` first",
            )
        files = checked(folder)
        try:
            return len(files), _replaced(settings, folder, files)
        except OSError as refused:
            problem = refused.strerror or str(refused)
            raise StorageError(path=str(settings.home), problem=problem) from refused


def _replaced(settings: Settings, folder: Path, files: tuple[Path, ...]) -> Path:
    """Copy first, which may fail, then move, which takes no room."""
    home, now = settings.home, dt.datetime.now(dt.UTC)
    moment = f"{now:%Y%m%d-%H%M%S}"
    whole, aside = home / f"{ASIDE}-{moment}.unfinished", home / f"{ASIDE}-{moment}"
    try:
        for inside in files:
            target = whole / inside
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(folder / inside, target)
        halt = whole / settings.halt_file.relative_to(home)
        if not halt.exists():
            write_halt_file(halt, reason=f"restored from {folder}", by=operator(), at=now)
        _move(home, aside)
        _move(whole, home)
    finally:
        shutil.rmtree(whole, ignore_errors=True)
    return aside


def _move(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700, exist_ok=True)
    for each in sorted(source.iterdir()):
        if is_kept(each.relative_to(source)):
            each.rename(target / each.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.restore", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="made by deployments.backup")
    os.umask(0o077)
    try:
        count, aside = restore(parser.parse_args(argv).folder)
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    print_line(f"{counted(count, 'file')} restored; what was there before is in {aside}")
    print_line("trading is halted until `tradeflows release --reason TEXT`")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
