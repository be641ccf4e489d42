"""Accounts: opening them, what they hold, and their value at the close of a session."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from slices.domain.accounts import (
    ACCOUNT_PATTERN,
    AccountBook,
    EquityPoint,
    Mark,
    is_account_name,
)
from slices.domain.errors import ParameterError, listed
from slices.domain.exact import ZERO, money
from slices.domain.orders import CashFlow, FlowKind
from slices.domain.trading_errors import LedgerError
from slices.ledger.books import read_book_within
from slices.ledger.closing import close_within, marks_within
from slices.ledger.journal import Note, append_all, written
from slices.ledger.schema import ACCOUNTS, CASH_FLOWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from slices.ledger.opening import Ledger


def open_account(
    ledger: Ledger, account: str, *, capital: Decimal, session: dt.date, at: dt.datetime
) -> None:
    """Open an account with a deposit; nothing happens where it is open with the same capital.

    Args:
        ledger: Where to open it.
        account: Its name, see `domain.accounts.AccountName`.
        capital: Money it begins with, above 0; for a live account what the broker says is there.
        session: At whose close it begins.
        at: Instant (UTC) to record it with.

    Raises:
        ParameterError: The name or the capital is not allowed.
        LedgerError: It is open with another capital.
    """
    deposit = opening_deposit(account, capital=capital, session=session, at=at)
    with ledger.writing() as connection:
        query = select(ACCOUNTS.c.opening_capital).where(ACCOUNTS.c.account == account)
        found = connection.scalar(query)
        if found is None:
            row = _fresh_account(deposit)
            connection.execute(insert(ACCOUNTS).values(**row))
            connection.execute(insert(CASH_FLOWS).values(**vars(deposit)))
            append_all(connection, account, _opening_notes(deposit), at)
    if found is not None and found != deposit.amount:
        problem = f"account '{account}' was opened with {found:,}, not with {deposit.amount:,}"
        raise LedgerError(ledger=ledger.name, problem=problem)


def opening_deposit(
    account: str, *, capital: Decimal, session: dt.date, at: dt.datetime
) -> CashFlow:
    """Return the deposit an account is opened with, for whoever lists it once more.

    Raises:
        ParameterError: The name or the capital is not allowed.
    """
    if not is_account_name(account):
        raise ParameterError(parameter="account", found=repr(account), allowed=ACCOUNT_PATTERN)
    if not money(capital) > 0:
        raise ParameterError(parameter="capital", found=str(capital), allowed="above 0")
    return CashFlow(
        flow_id=f"{account}-opening",
        account=account,
        kind=FlowKind.DEPOSIT,
        amount=money(capital),
        session=session,
        at=at.astimezone(dt.UTC),
    )


def account_names(ledger: Ledger) -> tuple[str, ...]:
    """List the accounts there are."""
    with ledger.reading() as connection:
        return tuple(connection.scalars(select(ACCOUNTS.c.account).order_by(ACCOUNTS.c.account)))


def has_account(ledger: Ledger, account: str) -> bool:
    """Tell whether there is an account of this name."""
    return account in account_names(ledger)


def read_book(ledger: Ledger, account: str, *, curve: bool = True) -> AccountBook:
    """Read everything the ledger knows of an account, as of one moment.

    Args:
        ledger: Where the account is.
        account: Its name.
        curve: Whether equity after every session is wanted too.

    Raises:
        LedgerError: There is no such account.
    """
    with ledger.reading() as connection:
        found = read_book_within(connection, ledger, account, curve=curve)
    if found is None:
        raise no_account(ledger, account)
    return found


def close_session(
    ledger: Ledger, account: str, *, session: dt.date, marks: Sequence[Mark], at: dt.datetime
) -> EquityPoint:
    """Value an account at the close of a session and record its equity.

    Doing it again with the same marks changes nothing. What is held and has no newer mark keeps
    the one it had.

    Args:
        ledger: Where the account is.
        account: Its name.
        session: Not before the newest one closed.
        marks: Prices of any symbols, held or not, at most one each, of this session or before.
        at: Instant (UTC) to record it with.

    Raises:
        LedgerError: The session lies before the newest one, a mark after it, or a price is not
            above 0.
    """
    with ledger.writing() as connection:
        book = read_book_within(connection, ledger, account, curve=False)
        if book is None:
            raise no_account(ledger, account)
        problem = _closing_problem(book, session, marks)
        if problem:
            raise LedgerError(ledger=ledger.name, problem=f"{account}: {problem}")
        return close_within(connection, book, session=session, marks=marks, at=at)


def marks_of(ledger: Ledger, account: str) -> tuple[Mark, ...]:
    """List the newest mark of every symbol that ever had one."""
    with ledger.reading() as connection:
        return marks_within(connection, account)


def no_account(ledger: Ledger, account: str) -> LedgerError:
    """Return the error that names the accounts there are."""
    names = account_names(ledger)
    there = f"it has: {listed(names)}" if names else "it has none yet"
    return LedgerError(ledger=ledger.name, problem=f"no account '{account}'; {there}")


def _fresh_account(deposit: CashFlow) -> dict[str, object]:
    return {
        "account": deposit.account,
        "opened": deposit.session,
        "opened_at": deposit.at,
        "opening_capital": deposit.amount,
        "capital": deposit.amount,
        "cash": deposit.amount,
        "costs": ZERO,
        "session": None,
    }


def _opening_notes(deposit: CashFlow) -> tuple[Note, ...]:
    opened = {
        "opened": deposit.session,
        "opened_at": deposit.at,
        "opening_capital": deposit.amount,
    }
    account = tuple((name, written(value)) for name, value in opened.items())
    flow = tuple((name, written(value)) for name, value in vars(deposit).items())
    return (
        Note(kind="account.opened", subject=deposit.account, payload=account),
        Note(kind="flow.booked", subject=deposit.flow_id, payload=flow),
    )


def _closing_problem(book: AccountBook, session: dt.date, marks: Iterable[Mark]) -> str:
    newest = book.session or book.opened
    if session < newest:
        return f"{session} lies before {newest}, the newest session"
    later = [each for each in marks if each.session > session]
    if later:
        return f"the mark of {later[0].symbol} is of {later[0].session}, after {session}"
    wrong = [each for each in marks if not (each.price.is_finite() and each.price > 0)]
    if wrong:
        return f"the mark of {wrong[0].symbol} was found to be {wrong[0].price}; allowed: above 0"
    return ""
