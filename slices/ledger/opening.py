"""Opening the books: one database for paper accounts, another for live ones, never shared."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from slices.domain.accounts import TradingMode
from slices.domain.errors import SettingsError
from slices.domain.trading_errors import LedgerBusyError, LedgerError
from slices.ledger.connections import prepare_postgresql, prepare_sqlite
from slices.ledger.migrating import migrate, migration_lock
from slices.ledger.schema import LEDGER_INFO
from slices.runtime.atomic import make_private
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

    from slices.domain.accounts import Execution

SETTING = {
    TradingMode.PAPER: "TRADEFLOWS_LEDGER_URL",
    TradingMode.LIVE: "TRADEFLOWS_LIVE_LEDGER_URL",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Ledger:
    """An open ledger.

    Attributes:
        name: Where it is, for messages; without a password.
        mode: Whose money its accounts hold.
        halt_file: While this file exists nothing is traded.
        locks_folder: Where locks between processes are kept.
    """

    engine: Engine
    name: str
    mode: TradingMode
    halt_file: Path
    locks_folder: Path

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction: all of it or, whatever happens, nothing.

        One transaction writes at a time, and what it reads nobody changes meanwhile.

        Raises:
            LedgerBusyError: Another transaction wrote for longer than 30 seconds.
            LedgerError: The database refuses.
        """
        with self._transaction(writing=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read everything as of one moment, whatever is written meanwhile.

        Raises:
            LedgerError: The database refuses.
        """
        with self._transaction(writing=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        try:
            options = self.engine.execution_options(writing=writing)
            with options.connect() as connection, connection.begin():
                yield connection
        except OperationalError as problem:
            kind = LedgerBusyError if _is_busy(problem) else LedgerError
            raise kind(ledger=self.name, problem=_first_line(problem)) from problem
        except SQLAlchemyError as problem:
            raise LedgerError(ledger=self.name, problem=_first_line(problem)) from problem

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_ledger(url: str, *, mode: TradingMode, halt_file: Path, locks_folder: Path) -> Ledger:
    """Open a ledger, making or upgrading its tables where that is needed.

    Args:
        url: `sqlite:///` and a file, or `postgresql://`.
        mode: Whose money it is for; a ledger keeps the mode it was made with.
        halt_file: While this file exists nothing is traded.
        locks_folder: Where locks between processes are kept.

    Raises:
        SettingsError: The address is none of the two.
        LedgerError: It is a ledger of the other mode, is newer than this program, or is damaged.
    """
    address = ledger_address(url, setting=SETTING[mode])
    ledger = Ledger(
        engine=_engine(address),
        name=_name(address),
        mode=mode,
        halt_file=halt_file,
        locks_folder=locks_folder,
    )
    try:
        _prepare(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


@contextmanager
def books_of(execution: Execution) -> Iterator[Ledger]:
    """Open the books of live accounts for `live`, else of paper accounts, for as long as needed.

    Raises:
        SettingsError: See `ledger_for`; LedgerError likewise.
    """
    ledger = ledger_for(TradingMode.LIVE if execution == "live" else TradingMode.PAPER)
    try:
        yield ledger
    finally:
        ledger.close()


def ledger_for(mode: TradingMode) -> Ledger:
    """Open the ledger of this installation for paper or for live accounts.

    Raises:
        SettingsError: Both are the same database.
        LedgerError: See `open_ledger`.
    """
    settings = load_settings()
    own = {
        TradingMode.PAPER: settings.ledger_url or f"sqlite:///{settings.ledger_folder}/paper.db",
        TradingMode.LIVE: settings.live_ledger_url or f"sqlite:///{settings.ledger_folder}/live.db",
    }
    addresses = {each: ledger_address(url, setting=SETTING[each]) for each, url in own.items()}
    if _place(addresses[TradingMode.PAPER]) == _place(addresses[TradingMode.LIVE]):
        raise SettingsError(
            setting=SETTING[TradingMode.LIVE],
            found=f"{_name(addresses[mode])}, the ledger of paper accounts",
            needed="a database of its own for live accounts",
        )
    return open_ledger(
        own[mode], mode=mode, halt_file=settings.halt_file, locks_folder=settings.locks_folder
    )


def ledger_address(url: str, *, setting: str) -> URL:
    """Read a database's address.

    Raises:
        SettingsError: It is neither a file of SQLite nor a database of PostgreSQL.
    """
    needed = "sqlite:/// and a file, or postgresql://user@host/database"
    try:
        address = make_url(url)
    except ArgumentError:
        raise SettingsError(setting=setting, found="no address", needed=needed) from None
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    is_file = address.drivername == "sqlite" and address.database not in {None, "", ":memory:"}
    if not is_file and address.drivername != "postgresql+psycopg":
        found = address.render_as_string(hide_password=True)
        raise SettingsError(setting=setting, found=found, needed=needed)
    return address


def _name(address: URL) -> str:
    if address.drivername == "sqlite":
        return str(Path(address.database or "").expanduser().absolute())
    return address.difference_update_query(["password"]).render_as_string(hide_password=True)


def _place(address: URL) -> tuple[object, ...]:
    if address.drivername == "sqlite":
        return (Path(address.database or "").expanduser().resolve(),)
    host = address.host or address.query.get("host") or ""
    return (host, address.port or address.query.get("port") or 5432, address.database)


def _engine(address: URL) -> Engine:
    if address.drivername == "sqlite":
        file = Path(_name(address))
        engine = create_engine(address.set(database=str(file)))
        prepare_sqlite(engine)
        return engine
    try:
        engine = create_engine(address, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise SettingsError(
            setting="ledger", found="postgresql://", needed="pip install 'tradeflows[postgres]'"
        ) from None
    prepare_postgresql(engine)
    return engine


def _prepare(ledger: Ledger) -> None:
    with migration_lock(ledger.locks_folder, ledger.name):
        if ledger.engine.dialect.name == "sqlite":
            _private_file(Path(ledger.name))
        with ledger.writing() as connection:
            migrate(connection, name=ledger.name)
            found = connection.scalar(select(LEDGER_INFO.c.mode))
            if found is None:
                connection.execute(insert(LEDGER_INFO).values(number=1, mode=ledger.mode))
    if found is not None and found is not ledger.mode:
        problem = f"it holds {found} accounts and is never used for {ledger.mode} ones"
        raise LedgerError(ledger=ledger.name, problem=problem)


def _private_file(file: Path) -> None:
    """Make the file before the database does, since its log files take its permissions over."""
    try:
        make_private(file)
    except OSError as problem:
        raise LedgerError(ledger=str(file), problem=problem.strerror or str(problem)) from problem


def _is_busy(problem: OperationalError) -> bool:
    """Tell whether another transaction is in the way, in the words of either database."""
    lock_timeout = "55P03"
    is_late = getattr(problem.orig, "sqlstate", None) == lock_timeout
    return is_late or "locked" in str(problem.orig)


def _first_line(problem: SQLAlchemyError) -> str:
    cause = getattr(problem, "orig", None) or problem
    return str(cause).strip().split("\n", maxsplit=1)[0]
