"""Where an account begins: opened with its venue, or described before anything is written."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.accounts import AccountBook, TradingMode
from slices.domain.calendar import session_close
from slices.domain.errors import ParameterError, listed
from slices.domain.exact import ZERO, money
from slices.ledger.accounts import account_names, has_account, open_account, read_book
from slices.ledger.opening import books_of
from slices.paper_trade.venue import PaperBroker
from slices.paper_trade.venue_books import read_terms

if TYPE_CHECKING:
    import datetime as dt
    from contextlib import AbstractContextManager

    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs, TradingRules
    from slices.ledger.opening import Ledger

CAPITAL = 100_000.0
"""What an account begins with where nobody says otherwise."""


def paper_ledger() -> AbstractContextManager[Ledger]:
    """Open the books of paper accounts for as long as they are needed."""
    return books_of("paper")


def opened(
    ledger: Ledger,
    account: str,
    bars: DatasetRef,
    *,
    session: dt.date,
    capital: float,
    costs: Costs,
    rules: TradingRules,
) -> PaperBroker:
    """Open an account and its venue where there are none; the venue of a known one otherwise.

    Raises:
        ParameterError: Where it was opened with other money, costs or rules, saying both.
    """
    if has_account(ledger, account):
        session = read_book(ledger, account, curve=False).opened
    cash, at = money(capital), session_close(session, calendar=bars.calendar)
    check_capital(ledger, account, cash)
    open_account(ledger, account, capital=cash, session=session, at=at)
    return PaperBroker.open(
        ledger,
        account,
        capital=cash,
        session=session,
        costs=costs,
        rules=rules,
        calendar=bars.calendar,
    )


def book_as_it_is(ledger: Ledger, account: str, *, session: dt.date, capital: float) -> AccountBook:
    """Read an account without writing; one that is not open yet holds its capital in cash."""
    if has_account(ledger, account):
        return read_book(ledger, account)
    return unopened(account, session=session, capital=capital)


def unopened(account: str, *, session: dt.date, capital: float) -> AccountBook:
    """Describe an account as it will begin: cash alone."""
    cash = money(capital)
    return AccountBook(
        name=account,
        mode=TradingMode.PAPER,
        capital=cash,
        opened=session,
        session=None,
        cash=cash,
        day_start_equity=cash,
        peak_equity=cash,
    )


def cost_rate(ledger: Ledger, account: str) -> Decimal:
    """Return what a purchase costs at the account's venue, as a fraction; 0 where there is none."""
    with ledger.reading() as connection:
        terms = read_terms(connection, account)
    return ZERO if terms is None else Decimal(repr(terms.costs.rate))


def check_known(ledger: Ledger, account: str) -> None:
    """Refuse an account that does not exist: it may be the wrong name of one that does.

    Raises:
        ParameterError: Naming the accounts there are.
    """
    names = account_names(ledger)
    if account not in names:
        raise ParameterError(
            parameter="account",
            found=f"'{account}', which does not exist",
            allowed=listed(names) if names else "an account that has begun; there is none yet",
        )


def check_capital(ledger: Ledger, account: str, capital: Decimal) -> None:
    """Refuse another capital than a known account was opened with.

    Raises:
        ParameterError: Naming both.
    """
    with ledger.reading() as connection:
        terms = read_terms(connection, account)
    if terms is not None and terms.capital != capital:
        raise ParameterError(
            parameter="capital",
            found=f"{capital:,.2f}",
            allowed=f"{terms.capital:,.2f}, with which account '{account}' was opened",
        )


def check_not_past(book: AccountBook, session: dt.date) -> None:
    """Refuse a session that an account has behind it.

    Raises:
        ParameterError: Naming the session it stands at.
    """
    newest = book.session or book.opened
    if session < newest:
        raise ParameterError(
            parameter="as_of",
            found=f"{session}, before the newest session of account '{book.name}'",
            allowed=f"{newest} or later, or another account",
        )


def check_held(book: AccountBook, bars: DatasetRef) -> None:
    """Check that there are bars of everything an account holds.

    Raises:
        ParameterError: Naming what lacks.
    """
    lacking = tuple(p.symbol for p in book.positions if p.symbol not in bars.symbols)
    if lacking:
        raise ParameterError(
            parameter="symbols",
            found=f"{listed(bars.symbols)}; account {book.name} holds {listed(lacking)}, which "
            f"{'is' if len(lacking) == 1 else 'are'} not among the symbols",
            allowed=f"everything it holds; add {listed(lacking)}",
        )
