"""Whether trading goes on: kept in the ledger, and in a file that works without it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from slices.domain.accounts import TradingState
from slices.domain.trading_errors import LedgerError
from slices.ledger.journal import EVERYBODY, append, written
from slices.ledger.schema import ACCOUNTS, TRADING_STATES

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from sqlalchemy import Connection

    from slices.ledger.opening import Ledger

UNREADABLE = "the halt file is there and cannot be read"
EMPTY = "the halt file is there"


def trading_state(ledger: Ledger, account: str) -> tuple[TradingState, str]:
    """Return the most severe of what the halt file, all accounts and this one say, and why.

    A halt file halts whatever is in it, and where nobody can tell whether it is there.
    """
    halted = read_halt_file(ledger.halt_file)
    if halted is not None:
        return TradingState.HALTED, halted
    with ledger.reading() as connection:
        return state_within(connection, ledger, account)


def state_within(connection: Connection, ledger: Ledger, account: str) -> tuple[TradingState, str]:
    """Return the same in the transaction of the connection."""
    halted = read_halt_file(ledger.halt_file)
    if halted is not None:
        return TradingState.HALTED, halted
    known = [_state_of(connection, name) for name in (EVERYBODY, account)]
    return max(known, key=lambda each: each[0].severity)


def set_state(
    ledger: Ledger, account: str, state: TradingState, *, reason: str, by: str, at: dt.datetime
) -> bool:
    """Let an account do less; `release` is the only way back.

    Args:
        ledger: Where the account is.
        account: Its name; empty for all accounts.
        state: What it may do from now on.
        reason: Why, for people.
        by: Who says so: a person, or the name of a check.
        at: Instant (UTC) to record it with.

    Returns:
        Whether anything changed; not so where it may do no more than that already.

    Raises:
        LedgerError: There is no such account.
    """
    with ledger.writing() as connection:
        _check_account(connection, ledger, account)
        before, _ = _state_of(connection, account)
        if state.severity <= before.severity:
            return False
        _write(connection, account, state, reason=reason, by=by, at=at)
        return True


def release(ledger: Ledger, account: str, *, reason: str, by: str, at: dt.datetime) -> None:
    """Let an account, or with an empty name all of them, trade again; nothing where it may.

    Neither the halt file nor the state of all accounts is touched by releasing one of them.

    Raises:
        LedgerError: There is no such account.
    """
    with ledger.writing() as connection:
        _check_account(connection, ledger, account)
        before, _ = _state_of(connection, account)
        if before is not TradingState.ACTIVE:
            _write(connection, account, TradingState.ACTIVE, reason=reason, by=by, at=at)


def write_halt_file(file: Path, *, reason: str, by: str, at: dt.datetime) -> None:
    """Halt everything, whether or not anything else of the system works.

    The file is there, and halts, before anything is written into it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        words = f"{' '.join(reason.split()) or 'halted'} ({by}, {written(at)})\n"
        os.ftruncate(descriptor, 0)
        os.write(descriptor, words.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_halt_file(file: Path) -> str | None:
    """Return why everything is halted; None where there is certainly no halt file."""
    try:
        os.lstat(file)
    except FileNotFoundError:
        return None
    except OSError:
        return UNREADABLE
    try:
        return file.read_text(errors="replace").strip() or EMPTY
    except OSError:
        return UNREADABLE


def remove_halt_file(file: Path) -> None:
    """Take the halt file away; nothing where there is none."""
    file.unlink(missing_ok=True)


def _state_of(connection: Connection, account: str) -> tuple[TradingState, str]:
    query = select(TRADING_STATES.c.state, TRADING_STATES.c.reason)
    found = connection.execute(query.where(TRADING_STATES.c.account == account)).one_or_none()
    if found is None or found.state is TradingState.ACTIVE:
        return TradingState.ACTIVE, ""
    return found.state, found.reason


def _check_account(connection: Connection, ledger: Ledger, account: str) -> None:
    if account == EVERYBODY:
        return
    query = select(ACCOUNTS.c.account).where(ACCOUNTS.c.account == account)
    if connection.scalar(query) is None:
        raise LedgerError(ledger=ledger.name, problem=f"no account '{account}'")


def _write(
    connection: Connection,
    account: str,
    state: TradingState,
    *,
    reason: str,
    by: str,
    at: dt.datetime,
) -> None:
    connection.execute(delete(TRADING_STATES).where(TRADING_STATES.c.account == account))
    values = {"state": state, "reason": reason, "by": by}
    connection.execute(insert(TRADING_STATES).values(account=account, **values))
    payload = [(name, written(value)) for name, value in values.items()]
    subject = account or "all accounts"
    append(connection, account, kind=f"state.{state}", subject=subject, payload=payload, at=at)
