"""With which code and limits an account was traded in a session; never with two at once.

Two versions of a program that trade the same account at the same time undo and double each other's
orders. So the first that trades in a session writes down what it is, and any other is refused until
the next session.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from slices.domain.fingerprint import fingerprint
from slices.domain.trading_errors import LedgerError
from slices.ledger.journal import append, entries
from slices.runtime.sources import source_digest

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection

    from slices.domain.limits import RiskLimits
    from slices.ledger.opening import Ledger

TRADING_CODE = (
    "slices/domain",
    "slices/quant",
    "slices/ledger",
    "slices/position_sizing",
    "slices/adaptive_portfolio",
    "slices/paper_trade",
    "slices/live_trade",
)
KIND = "traded_with"


@dataclass(frozen=True, kw_only=True)
class TradedWith:
    """Digests of the code and of the limits."""

    code: str
    limits: str


@cache
def trading_code() -> str:
    """Digest the sources that decide, judge and send."""
    return source_digest(*TRADING_CODE)


def traded_with(limits: RiskLimits, *, code: str = "") -> TradedWith:
    """Name the code and the limits of this process.

    Args:
        limits: What orders are judged by.
        code: Digest of the code; that of the sources where empty.
    """
    return TradedWith(code=code or trading_code(), limits=fingerprint(limits))


def recorded(ledger: Ledger, account: str, session: dt.date) -> TradedWith | None:
    """Return what this account was first traded with in this session, or None."""
    found = entries(ledger, account=account, subject=session.isoformat())
    payload = next((dict(each.payload) for each in found if each.kind == KIND), None)
    return None if payload is None else TradedWith(code=payload["code"], limits=payload["limits"])


def check_traded_with(
    ledger: Ledger,
    account: str,
    session: dt.date,
    own: TradedWith,
    *,
    only_reduces: bool,
) -> bool:
    """Check that nobody else has traded this account in this session in another way.

    Args:
        ledger: Where the account is.
        account: Which is to be traded.
        session: In which it is to be traded.
        own: What this process is.
        only_reduces: Whether positions can only become smaller, for which other limits are fine.

    Returns:
        Whether this session is recorded already.

    Raises:
        LedgerError: Naming both codes, or both limits.
    """
    found = recorded(ledger, account, session)
    if found is None:
        return False
    if found.code != own.code:
        raise _refusal(ledger, account, session, "code", found.code, own.code)
    if found.limits != own.limits and not only_reduces:
        raise _refusal(ledger, account, session, "limits", found.limits, own.limits)
    return True


def _refusal(
    ledger: Ledger, account: str, session: dt.date, what: str, found: str, own: str
) -> LedgerError:
    return LedgerError(
        ledger=ledger.name,
        problem=f"{account} was traded on {session} with {what} {found[:10]}, and this process has"
        f" {what} {own[:10]}; it may trade from the next session on",
    )


def record_traded_with(
    connection: Connection, account: str, session: dt.date, own: TradedWith, *, at: dt.datetime
) -> None:
    """Write down what this account is traded with in this session."""
    append(
        connection,
        account,
        kind=KIND,
        subject=session.isoformat(),
        payload=(("code", own.code), ("limits", own.limits)),
        at=at,
    )
