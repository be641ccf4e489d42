"""One process at a time trades for an account."""

from __future__ import annotations

import hashlib
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from slices.domain.trading_errors import LedgerBusyError
from slices.runtime.locks import POLL_SECONDS, KernelLocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from slices.ledger.opening import Ledger


@contextmanager
def account_lock(ledger: Ledger, account: str, *, wait_seconds: float = 60.0) -> Iterator[None]:
    """Hold the right to trade for an account; whoever dies holding it, loses it.

    Not to be taken twice by the same process: the second time waits for the first.

    Args:
        ledger: Where the account is.
        account: Its name.
        wait_seconds: How long to wait for another process.

    Raises:
        LedgerBusyError: Another process holds it.
    """
    if ledger.engine.dialect.name == "sqlite":
        with _file_lock(ledger, account, wait_seconds):
            yield
    else:
        with _database_lock(ledger, account, wait_seconds):
            yield


@contextmanager
def _file_lock(ledger: Ledger, account: str, wait_seconds: float) -> Iterator[None]:
    locks, holder = KernelLocks(ledger.locks_folder), uuid.uuid4().hex
    key = f"account {account} of {ledger.name}"
    if not locks.acquire_lock(key, holder, wait_seconds):
        raise _busy(ledger, account, wait_seconds)
    try:
        yield
    finally:
        locks.release_lock(key, holder)


@contextmanager
def _database_lock(ledger: Ledger, account: str, wait_seconds: float) -> Iterator[None]:
    key = {"key": int.from_bytes(hashlib.sha256(account.encode()).digest()[:7], "big")}
    options = ledger.engine.execution_options(isolation_level="AUTOCOMMIT", writing=None)
    with options.connect() as connection:
        deadline = time.monotonic() + wait_seconds
        while not _is_taken(connection, key):
            if time.monotonic() >= deadline:
                raise _busy(ledger, account, wait_seconds)
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)


def _is_taken(connection: Connection, key: dict[str, int]) -> bool:
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))


def _busy(ledger: Ledger, account: str, wait_seconds: float) -> LedgerBusyError:
    problem = f"another process has been trading for '{account}' for {wait_seconds:g} seconds"
    return LedgerBusyError(ledger=ledger.name, problem=problem)
