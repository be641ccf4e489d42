"""A live account's first day in the books, and whose account it is from then on."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.domain.errors import SettingsError, listed
from slices.domain.trading_errors import LedgerBusyError, LedgerError, LiveTradingRefusedError
from slices.ledger.accounts import has_account, open_account
from slices.ledger.journal import append, entries
from slices.ledger.opening import ledger_for
from slices.live_trade.broker import open_broker

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from slices.ledger.opening import Ledger
    from slices.live_trade.broker import AlpacaBroker
    from slices.live_trade.optin import Credentials

KIND = "broker_account"
PAPER_NUMBER = "PA"
"""How Alpaca's numbers of paper accounts begin."""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Whose account this is at the broker, as written down when the books began.

    Attributes:
        number: The broker's number of the account.
        cash: What it held, which is the capital.
        session: At whose close the books begin.
        earlier: Names of activities that happened before the books began.
    """

    number: str
    cash: Decimal
    session: str
    earlier: frozenset[str]


@contextmanager
def live_ledger() -> Iterator[Ledger]:
    """Open the ledger of live accounts.

    Raises:
        LiveTradingRefusedError: There is none, or it is one of paper accounts.
    """
    try:
        ledger = ledger_for(TradingMode.LIVE)
    except LedgerBusyError:
        raise
    except (SettingsError, LedgerError) as unusable:
        raise LiveTradingRefusedError(
            found=str(unusable), needed="a ledger of live accounts"
        ) from unusable
    try:
        yield ledger
    finally:
        ledger.close()


def unbound_broker(account: str, credentials: Credentials) -> AlpacaBroker:
    """Open the broker; it is asked for nothing but the time before it is bound to books."""
    return open_broker(
        account,
        key=credentials.key,
        secret=credentials.secret,
        url=credentials.address,
        timeout_seconds=credentials.timeout_seconds,
    )


def bound(
    ledger: Ledger, broker: AlpacaBroker, account: str, *, begins: dt.date | None = None
) -> AlpacaBroker:
    """Prove that the broker's account is the one these books are of.

    Args:
        ledger: The books; the caller holds the account's lock.
        broker: Whose account is asked for.
        account: Name in the ledger.
        begins: At whose close books may begin where there are none; None where they must exist.

    Returns:
        The broker, for what has happened since the books began.

    Raises:
        LiveTradingRefusedError: It is another account, a paper one, or one that holds something
            when its books begin.
        BrokerError: The broker cannot be asked.
    """
    check_modes(ledger, broker)
    number = broker.account_number()
    if number.startswith(PAPER_NUMBER):
        raise LiveTradingRefusedError(found="a paper account at the broker", needed="a live one")
    known = binding(ledger, account)
    if known is None:
        known = _bind(ledger, broker, account, number=number, begins=begins)
    if known.number != number:
        raise LiveTradingRefusedError(
            found=f"account ...{number[-4:]} at the broker",
            needed=f"account ...{known.number[-4:]}, which '{account}' has been since it began",
        )
    return dataclasses.replace(broker, ignored=known.earlier)


def check_modes(ledger: Ledger, broker: AlpacaBroker) -> None:
    """Check that books and broker are both of paper or both of live money.

    Raises:
        LiveTradingRefusedError: They are not.
    """
    if ledger.mode is not broker.mode:
        raise LiveTradingRefusedError(
            found=f"a broker of {broker.mode} accounts with a ledger of {ledger.mode} ones",
            needed="both of one kind",
        )


def open_books(ledger: Ledger, account: str, *, at: dt.datetime) -> None:
    """Open the account with what the broker held when it was bound; again does nothing."""
    known = binding(ledger, account)
    if known is not None and not has_account(ledger, account):
        session = at.date().fromisoformat(known.session)
        open_account(ledger, account, capital=known.cash, session=session, at=at)


def binding(ledger: Ledger, account: str) -> Binding | None:
    """Return whose account this is, or None before its books began."""
    found = entries(ledger, account=account, subject=account)
    payload = next((dict(each.payload) for each in found if each.kind == KIND), None)
    if payload is None:
        return None
    return Binding(
        number=payload["number"],
        cash=Decimal(payload["cash"]),
        session=payload["session"],
        earlier=frozenset(payload["earlier"].split()),
    )


def _bind(
    ledger: Ledger, broker: AlpacaBroker, account: str, *, number: str, begins: dt.date | None
) -> Binding:
    if begins is None or has_account(ledger, account):
        raise LiveTradingRefusedError(
            found=f"no record of whose account '{account}' is", needed="books that were begun live"
        )
    _check_empty(broker)
    made = Binding(
        number=number,
        cash=broker.account().cash,
        session=begins.isoformat(),
        earlier=frozenset(broker.activity_ids(begins)),
    )
    payload = (
        ("number", made.number),
        ("cash", str(made.cash)),
        ("session", made.session),
        ("earlier", " ".join(sorted(made.earlier))),
    )
    with ledger.writing() as connection:
        append(
            connection, account, kind=KIND, subject=account, payload=payload, at=broker.clock().now
        )
    return made


def _check_empty(broker: AlpacaBroker) -> None:
    held = [each.symbol for each in broker.positions()]
    waiting = [each.symbol for each in broker.open_orders()]
    if held or waiting:
        names = listed(tuple(sorted({*held, *waiting})))
        raise LiveTradingRefusedError(
            found=f"positions or open orders in {names} that no books know",
            needed="an account that holds cash alone when its books begin",
        )
