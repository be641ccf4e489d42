"""Events on the disk of this machine before anything else is done with them.

The watch counts from here what happened, so an event that was put in once is never lost: not when
its process is killed a moment later, not while the Prefect server is away. Any number of threads
and processes put at once; numbers grow in the order in which events were written, so that whoever
remembers the last number he has seen misses none.
"""

from __future__ import annotations

import atexit
import dataclasses
import datetime as dt
import json
import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from slices.domain.alerts import Level
from slices.domain.clock import SystemClock
from slices.domain.errors import StorageError
from slices.domain.monitoring import Notice
from slices.runtime.atomic import make_private
from slices.runtime.environment import home
from slices.runtime.locks import KernelLocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slices.domain.alerts import Event

BUSY_SECONDS = 10.0
MOST = 5000
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    payload TEXT NOT NULL
)
"""
INSERT = (
    "INSERT INTO events (event_id, at, name, subject, level, message, payload)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
SELECT = (
    "SELECT number, at, event_id, name, subject, level, message FROM events"
    " WHERE number > ? ORDER BY number LIMIT ?"
)
PREPARED = ("journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF")


def outbox_file() -> Path:
    """Return where the events of this home are kept."""
    return home() / "monitor" / "outbox.db"


def put(event: Event) -> str:
    """Write an event to the disk; once this returns it is there for good.

    Returns:
        The UUID that names the event.

    Raises:
        StorageError: The disk refuses.
    """
    event_id = str(uuid4())
    words = (event.name, event.subject, event.level.value, event.message)
    written = tuple(each.encode("utf-8", "backslashreplace").decode() for each in words)
    payload = json.dumps(dataclasses.asdict(event), default=str)
    with _CONNECTED.using() as connection:
        at = SystemClock().now().isoformat()
        connection.execute(INSERT, (event_id, at, *written, payload))
    return event_id


def take(after: int, *, most: int = MOST) -> tuple[Notice, ...]:
    """Read the events behind a number, oldest first; they stay where they are.

    Args:
        after: The last number that is known; 0 for the beginning.
        most: How many.

    Raises:
        StorageError: The disk refuses.
    """
    with _CONNECTED.using() as connection:
        rows = connection.execute(SELECT, (after, most)).fetchall()
    return tuple(
        Notice(
            number=number,
            at=dt.datetime.fromisoformat(at),
            event_id=event_id,
            name=name,
            subject=subject,
            level=Level(level),
            message=message,
        )
        for number, at, event_id, name, subject, level, message in rows
    )


def last_number() -> int:
    """Return the number of the newest event; 0 where there was never one.

    Raises:
        StorageError: The disk refuses.
    """
    query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'"
    with _CONNECTED.using() as connection:
        return int(connection.execute(query).fetchone()[0])


def prune(before: dt.datetime, *, through: int) -> int:
    """Forget old events, of those that were counted.

    Args:
        before: Younger ones stay.
        through: The last number that was counted; later ones stay.

    Returns:
        How many.

    Raises:
        StorageError: The disk refuses.
    """
    query = "DELETE FROM events WHERE number <= ? AND at < ?"
    with _CONNECTED.using() as connection:
        moment = before.astimezone(dt.UTC).isoformat()
        return connection.execute(query, (through, moment)).rowcount


class _Connected:
    """The one connection of this process, opened anew where the home or its file was exchanged.

    A process that inherits a connection by a fork would share its locks, and could so lose the
    file's log to another; so it is closed before every fork.
    """

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[Path, int, int] | None = None
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._guard.release,
            after_in_child=self._guard.release,
        )
        atexit.register(self.close)

    def _before_fork(self) -> None:
        self._guard.acquire()
        self._close()

    def close(self) -> None:
        with self._guard:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._opened = None

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        file = outbox_file()
        with self._guard:
            try:
                yield self._connection_to(file)
            except (sqlite3.Error, OSError) as problem:
                self._close()
                raise StorageError(path=str(file), problem=str(problem)) from problem

    def _connection_to(self, file: Path) -> sqlite3.Connection:
        if self._connection is None or self._opened != _identity(file):
            self._close()
            self._connection = _opened(file)
            self._opened = _identity(file)
        return self._connection


def _identity(file: Path) -> tuple[Path, int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return file, status.st_dev, status.st_ino


def _opened(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    with _alone(file):
        make_private(file)
        connection = sqlite3.connect(
            file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            for pragma in PREPARED:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep other processes from making the same file; two that turn its log on are refused."""
    locks = KernelLocks(file.parent.parent / "locks")
    if not locks.acquire_lock(str(file), "outbox", acquire_timeout=BUSY_SECONDS):
        problem = f"another process has been opening it for {BUSY_SECONDS:.0f} seconds"
        raise StorageError(path=str(file), problem=problem)
    try:
        yield
    finally:
        locks.release_lock(str(file), "outbox")


_CONNECTED = _Connected()
