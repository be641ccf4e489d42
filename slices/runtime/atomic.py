"""Files that are whole or absent: written aside, flushed to the disk, then renamed into place."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from slices.domain.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED = ".unfinished"


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees all of it or what was there before.

    Raises:
        StorageError: Where the disk refuses; nothing is left behind.
    """
    aside = file.with_name(f"{file.name}.{uuid.uuid4().hex}{UNFINISHED}")
    try:
        _make_folder(file.parent)
        with aside.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(file)
        _flush_folder(file.parent)
    except OSError as refusal:
        _discard(aside)
        raise StorageError(path=str(file), problem=_reason(refusal)) from refusal


def read_whole(file: Path) -> bytes:
    """Read a file.

    Raises:
        StorageError: Where it is gone or cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as refusal:
        raise StorageError(path=str(file), problem=_reason(refusal)) from refusal


def make_private(file: Path) -> None:
    """Make an empty file where there is none, and leave it to its owner alone.

    For databases, whose own log files take its permissions over. Of threads and processes one at a
    time may call it, before it opens the database. A file that is there is never opened here: to
    close it again would end the locks that SQLite holds on it for other connections of this process
    (https://www.sqlite.org/howtocorrupt.html, section 2.2), and whoever closed the file next,
    elsewhere, would remove the log that this process goes on committing to.

    Raises:
        OSError: The disk refuses.
    """
    file = file.resolve()  # of a link, what it leads to, which may not be there yet
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if file.is_file() and file.stat().st_mode & 0o077:
        file.chmod(0o600)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _flush_folder(folder.parent)


def _discard(file: Path) -> None:
    """Remove what a failed write left; a disk that refuses even that must not hide the cause."""
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return


def _flush_folder(folder: Path) -> None:
    """Make a rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(refusal: OSError) -> str:
    return (refusal.strerror or str(refusal)).lower()
