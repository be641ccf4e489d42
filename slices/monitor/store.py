"""The database of what was measured and of incidents: one file, one writer at a time.

A damaged file is refused in one line. `open_for_watching` alone moves it aside and begins anew,
because what it held is history: no order and no money depends on it.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError

from slices.domain.errors import IntegrityError, StorageError
from slices.ledger.connections import prepare_sqlite
from slices.monitor.schema import METADATA
from slices.runtime.atomic import make_private
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.pool import ConnectionPoolEntry

FILE = "monitor.db"
VERSION = 1
DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


@dataclass(frozen=True, kw_only=True, eq=False)
class Store:
    """An open database; threads may share it."""

    engine: Engine
    folder: Path

    @property
    def file(self) -> Path:
        """Where it is."""
        return self.folder / FILE

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(folder: Path | None = None) -> Store:
    """Open the database, making it where there is none; nobody else may read its file.

    Args:
        folder: Where it is; by default that of the settings.

    Raises:
        IntegrityError: It is damaged, or of a newer program.
        StorageError: The disk refuses.
    """
    place = folder or load_settings().monitor_folder
    _make_place(place)
    store = Store(engine=_engine(place / FILE), folder=place)
    try:
        with _alone(place):
            _make_file(place / FILE)
            with writing(store) as connection:
                _check_version(store, connection)
                METADATA.create_all(connection)
    except BaseException:
        store.close()
        raise
    return store


def open_for_watching(folder: Path | None = None) -> tuple[Store, Path | None]:
    """Open the database for the process that writes it, setting a damaged file aside.

    Returns:
        The database, and where the damaged file is now; None where there was none.

    Raises:
        StorageError: The disk refuses.
    """
    place = folder or load_settings().monitor_folder
    try:
        store = open_store(place)
        check_intact(store)
    except IntegrityError:
        aside = _set_aside(place)
        return open_store(place), aside
    return store, None


def check_intact(store: Store) -> None:
    """Read every page.

    Raises:
        IntegrityError: Something is not as it was written; the database is closed.
    """
    try:
        with reading(store) as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            raise _damaged(store, str(found))
    except IntegrityError:
        store.close()
        raise


@contextmanager
def writing(store: Store) -> Iterator[Connection]:
    """Write in one transaction: all of it or, whatever happens, nothing.

    Raises:
        IntegrityError: The file is damaged.
        StorageError: The disk refuses, or another transaction wrote for longer than 30 seconds.
    """
    with _transaction(store, writing=True) as connection:
        yield connection


@contextmanager
def reading(store: Store) -> Iterator[Connection]:
    """Read everything as of one moment, whatever is written meanwhile.

    Raises:
        IntegrityError: The file is damaged.
        StorageError: The disk refuses.
    """
    with _transaction(store, writing=False) as connection:
        yield connection


@contextmanager
def _transaction(store: Store, *, writing: bool) -> Iterator[Connection]:
    options = store.engine.execution_options(writing=writing)
    try:
        with options.connect() as connection, connection.begin():
            yield connection
    except DBAPIError as problem:
        line = str(problem.orig).partition("\n")[0]
        if _is_damage(problem.orig, line):
            raise _damaged(store, line) from problem
        raise StorageError(path=str(store.file), problem=line) from problem


def _is_damage(problem: BaseException | None, line: str) -> bool:
    name: str = getattr(problem, "sqlite_errorname", "")
    return name.startswith(DAMAGE) or line.startswith("no such ")


def _damaged(store: Store, found: str) -> IntegrityError:
    problem = (
        f"{found}; it holds measurements and alerts, no books: `tradeflows watch` moves it aside"
        " and begins a new one"
    )
    return IntegrityError(path=str(store.file), problem=problem)


def _check_version(store: Store, connection: Connection) -> None:
    found = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
    if found > VERSION:
        raise _damaged(store, f"version {found} is of a newer program, this one knows {VERSION}")
    if found < VERSION:
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def _engine(file: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(file)))
    prepare_sqlite(engine)
    _follow(engine, file)
    return engine


def _follow(engine: Engine, file: Path) -> None:
    """Let go of a file that was set aside, so that readers see the one that took its place."""

    def connected(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(file)

    def taken(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        now = _identity(file)
        if now is not None and now != record.info["file"]:
            raise DisconnectionError

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)


def _identity(file: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = file.stat()
        return found.st_dev, found.st_ino
    return None


def _make_place(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as refusal:
        raise _refused(folder / FILE, refusal) from refusal


def _make_file(file: Path) -> None:
    try:
        make_private(file)
    except OSError as refusal:
        raise _refused(file, refusal) from refusal


def _refused(file: Path, refusal: OSError) -> StorageError:
    return StorageError(path=str(file), problem=(refusal.strerror or str(refusal)).lower())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make tables, or set a file aside, in one process at a time."""
    handle = os.open(folder / f"{FILE}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _set_aside(folder: Path) -> Path:
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = folder / f"{FILE}.aside-{stamp}"
    with _alone(folder):
        for end in ("-wal", "-shm", ""):
            file = folder / f"{FILE}{end}"
            if file.exists():
                file.rename(folder / f"{aside.name}{end}")
    return aside
