"""`python -m deployments.backup FOLDER`: copy what cannot be made again, while everything runs.

Databases are copied through SQLite, so that each is as of one moment; the files they name are
copied after them. Left out are caches, locks, logs and the password. A backup holds what the
receivers of alerts are reached by: keep it as closely as the home.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.programs import DATABASE_VARIABLE, STORE_VARIABLE
from flows.cli.exits import exit_code
from flows.cli.output import print_line, report_error
from slices.domain.errors import IntegrityError, ParameterError, StorageError, TradingError, counted
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEFT_OUT = frozenset({"cache", "credentials", "locks", "results", "run"})
ASIDE = "before-restore"
"""Begins the names of folders that hold what a restored backup has taken the place of."""

BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
UNFINISHED = ".unfinished"
HEADER = b"SQLite format 3\x00"
ATTEMPTS = 3
MANIFEST = "MANIFEST.json"
WAIT_SECONDS = 60.0
READ_BYTES = 1 << 20


def backup(folder: Path) -> int:
    """Copy the home into an empty folder; return how many files there are now.

    Raises:
        ParameterError: The folder holds something, or lies in the home.
        StorageError: The disk refuses.
    """
    home = load_settings().home
    target = folder.expanduser().resolve()
    if target.is_relative_to(home) or (target.exists() and any(target.iterdir())):
        raise ParameterError(
            parameter="FOLDER", found=str(target), allowed="an empty folder outside the home"
        )
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        copied = _copied(home, target)
        digests = {str(each): digest_of(target / each) for each in copied}
        (target / MANIFEST).write_text(json.dumps({"files": digests}, indent=1))
    except (OSError, sqlite3.Error) as refused:
        raise StorageError(path=str(target), problem=str(refused)) from refused
    return len(copied)


def _copied(home: Path, target: Path) -> list[Path]:
    """Copy databases, then lists of files, then files: what is named is there by then."""
    databases = [each for each in kept_files(home) if is_database(home / each)]
    for each in databases:
        _copy_database(home / each, _place(target, each))
    done = set(databases)
    for are_lists in (True, False):
        kept = [each for each in kept_files(home) if (each.suffix == ".json") is are_lists]
        done |= {each for each in kept if each not in done and _is_copied(home, target, each)}
    return sorted(done)


def _is_copied(home: Path, target: Path, inside: Path) -> bool:
    """Copy a file that is still there, and no database that was made since those were copied.

    One that is gone whenever it is opened, however often it came back, is as good as gone.
    """
    source = home / inside
    for _ in range(ATTEMPTS):
        try:
            if is_database(source):
                return False
            shutil.copyfile(source, _place(target, inside))
        except FileNotFoundError as gone:
            if gone.filename != str(source):
                raise
        else:
            return True
    return False


def kept_files(home: Path) -> tuple[Path, ...]:
    """List the files of a home that cannot be made again, relative to it."""
    return tuple(_kept(home))


def _kept(home: Path) -> Iterable[Path]:
    for each in sorted(home.rglob("*")):
        inside = each.relative_to(home)
        if not is_kept(inside) or not each.is_file() or each.is_symlink():
            continue
        if not inside.name.endswith((*BESIDE_A_DATABASE, UNFINISHED)):
            yield inside


def is_kept(inside: Path) -> bool:
    """Tell whether a path, relative to the home, is of what is backed up."""
    return inside.parts[0] not in LEFT_OUT and not inside.parts[0].startswith(ASIDE)


def is_database(file: Path) -> bool:
    """Tell whether a file is there and is a database of SQLite."""
    with suppress(FileNotFoundError), file.open("rb") as content:
        return content.read(len(HEADER)) == HEADER
    return False


def _copy_database(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source, timeout=WAIT_SECONDS)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)


def _place(target: Path, inside: Path) -> Path:
    file = target / inside
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return file


def digest_of(file: Path) -> str:
    """Digest a file's content."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while part := content.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def checked(folder: Path) -> tuple[Path, ...]:
    """Check every file of a backup and list them.

    Raises:
        IntegrityError: A file is not what was copied, or there is no list of them.
    """
    try:
        digests = json.loads((folder / MANIFEST).read_text())["files"]
        bad = [name for name, digest in digests.items() if digest_of(folder / name) != digest]
    except (OSError, ValueError, KeyError) as unreadable:
        raise IntegrityError(
            path=str(folder), problem=f"not a whole backup ({unreadable})"
        ) from unreadable
    if bad:
        raise IntegrityError(path=str(folder / bad[0]), problem="not what was copied")
    return tuple(Path(name) for name in digests)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deployments.backup", description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="empty, or not there yet")
    os.umask(0o077)
    try:
        folder = parser.parse_args(argv).folder
        print_line(f"{counted(backup(folder), 'file')} in {folder}")
    except TradingError as error:
        return report_error(error, exit_code(error), as_json=False).value
    for variable in (DATABASE_VARIABLE, STORE_VARIABLE, "TRADEFLOWS_LEDGER_URL"):
        if os.environ.get(variable, "").startswith("postgresql"):
            print_line(f"not in it: the database of {variable}; copy that with pg_dump")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
