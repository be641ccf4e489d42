"""Making and upgrading the tables, by one process at a time."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from slices.domain.trading_errors import LedgerBusyError, LedgerError
from slices.runtime.locks import KernelLocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 60.0


def revisions() -> tuple[str, ...]:
    """List the revisions of the tables, oldest first."""
    files = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return tuple(sorted(each.name.partition("_")[0] for each in files))


def revision_of(connection: Connection) -> str | None:
    """Return the revision a database is at; None where it has no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def migrate(connection: Connection, *, name: str, revision: str = "head") -> None:
    """Bring the tables up to a revision, within the transaction of the connection.

    Raises:
        LedgerError: A newer program has written the ledger.
    """
    known = revisions()
    wanted = known[-1] if revision == "head" else revision
    found = revision_of(connection)
    if found == wanted:
        return
    if found is not None and found not in known:
        problem = f"its tables are at revision {found}; this program knows up to {known[-1]}"
        raise LedgerError(ledger=name, problem=problem)
    _upgrade(connection, wanted)


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@contextmanager
def migration_lock(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock under which tables are made; the system releases it when its holder dies.

    Raises:
        LedgerBusyError: Another process held it for a minute.
    """
    locks, holder, key = KernelLocks(folder), uuid.uuid4().hex, f"migrate {name}"
    if not locks.acquire_lock(key, holder, WAIT_SECONDS):
        problem = f"another process has been upgrading it for {WAIT_SECONDS:g} seconds"
        raise LedgerBusyError(ledger=name, problem=problem)
    try:
        yield
    finally:
        locks.release_lock(key, holder)
