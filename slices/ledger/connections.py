"""How a connection behaves: what is committed stays, and one transaction writes at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

BUSY_MILLISECONDS = 30_000
WRITER_KEY = 0x7F10_3E64


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...

    def close(self) -> None: ...


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def prepare_sqlite(engine: Engine) -> None:
    """Let transactions begin when they are told to, and let every commit reach the disk."""

    def connected(connection: _DriverConnection, _record: object) -> None:
        # The driver would begin transactions by itself, and late; "begin" below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_MILLISECONDS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        is_writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def prepare_postgresql(engine: Engine) -> None:
    """Let one transaction write at a time, and let a reader see one moment."""

    def begun(connection: Connection) -> None:
        is_writing = connection.get_execution_options().get("writing")
        if is_writing:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MILLISECONDS}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_KEY})")
        elif is_writing is not None:
            statement = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            connection.exec_driver_sql(statement)

    event.listen(engine, "begin", begun)
