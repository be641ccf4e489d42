"""The part of the error tree that has to do with trading.

::

    TradingError
    ├── BrokerError                a broker did not do what was asked
    │   ├── BrokerUnavailableError it could not be asked (retryable)
    │   ├── OrderRejectedError     it said no
    │   └── AmbiguousOrderError    nobody can tell whether it took the order
    ├── LedgerError                the books refuse
    │   ├── LedgerBusyError        another process holds the account
    │   └── ReconciliationError    the broker and the books disagree
    ├── TradingHaltedError         nothing may be traded
    └── LiveTradingRefusedError    live trading without everything it takes
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from slices.domain.errors import TradingError


@dataclass(eq=False, kw_only=True, repr=False)
class BrokerError(TradingError):
    """A broker did not do what was asked."""

    broker: str
    problem: str

    def __str__(self) -> str:
        return f"broker '{self.broker}': {self.problem}"


class BrokerUnavailableError(BrokerError):
    """The broker could not be asked: a timeout, a broken connection, a server error."""

    retryable: ClassVar[bool] = True


@dataclass(eq=False, kw_only=True, repr=False)
class OrderRejectedError(BrokerError):
    """The broker said no to an order; nothing was placed."""

    client_order_id: str

    def __str__(self) -> str:
        return f"broker '{self.broker}' rejected {self.client_order_id}: {self.problem}"


@dataclass(eq=False, kw_only=True, repr=False)
class AmbiguousOrderError(BrokerError):
    """Nobody can tell whether the broker took an order; it has to be asked before anything else."""

    client_order_id: str

    def __str__(self) -> str:
        return f"broker '{self.broker}', {self.client_order_id}: no clear answer ({self.problem})"


@dataclass(eq=False, kw_only=True, repr=False)
class LedgerError(TradingError):
    """The books refuse: another mode, another meaning of something already booked, damage."""

    ledger: str
    problem: str

    def __str__(self) -> str:
        return f"ledger '{self.ledger}': {self.problem}"


class LedgerBusyError(LedgerError):
    """Another process trades for the account; trying again later helps."""

    retryable: ClassVar[bool] = True


class ReconciliationError(LedgerError):
    """The broker and the books disagree, and nothing explains it; the account is halted."""


@dataclass(eq=False, kw_only=True, repr=False)
class TradingHaltedError(TradingError):
    """Nothing may be traded until somebody releases it."""

    account: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.account}: trading is halted ({self.reason}); `tradeflows release` ends that "
            "and is recorded"
        )


@dataclass(eq=False, kw_only=True, repr=False)
class LiveTradingRefusedError(TradingError):
    """Live trading without everything it takes."""

    found: str
    needed: str

    def __str__(self) -> str:
        return f"live trading refused: found {self.found}; needed: {self.needed}"
