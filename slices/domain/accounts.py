"""Accounts as the ledger knows them: cash, positions, open orders, and whether they may trade."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from slices.domain.exact import ZERO, notional, price
from slices.domain.orders import OrderRecord

ACCOUNT_PATTERN = r"^[a-z][a-z0-9_\-]{0,30}$"

AccountName = Annotated[str, Field(pattern=ACCOUNT_PATTERN)]
"""Name of an account: lower case letters, digits, dashes and underscores, up to 31."""

Execution = Literal["plan", "paper", "live"]
"""What becomes of orders: `plan` sends none, `paper` trades with play money."""


def is_account_name(text: str) -> bool:
    """Tell whether an account may have this name.

    >>> is_account_name("main"), is_account_name("../main")
    (True, False)
    """
    return re.fullmatch(ACCOUNT_PATTERN, text) is not None


class TradingMode(StrEnum):
    """Whose money it is; a ledger holds accounts of one mode, for ever."""

    PAPER = "paper"
    LIVE = "live"


class TradingState(StrEnum):
    """What an account may do, in growing severity."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"

    @property
    def severity(self) -> int:
        """0, 1 or 2."""
        return list(TradingState).index(self)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A price positions are valued at, and the session it is of."""

    symbol: str
    price: Decimal
    session: dt.date


@dataclass(frozen=True, kw_only=True)
class Position:
    """Shares held of one symbol.

    Attributes:
        quantity: Signed shares, negative where sold short; never 0.
        basis: Money paid for them before costs, negative where received.
        mark: Newest price; None before the first.
        marked: Session of the mark.
        opened: Session of the fill that opened it.
    """

    symbol: str
    quantity: Decimal
    basis: Decimal
    mark: Decimal | None
    marked: dt.date | None
    opened: dt.date

    @property
    def average_price(self) -> Decimal:
        """Money per share paid."""
        return price(self.basis / self.quantity)

    @property
    def value(self) -> Decimal:
        """Money it is worth at the mark; what was paid where there is none."""
        return self.basis if self.mark is None else notional(self.quantity, self.mark)

    @property
    def unrealized_pnl(self) -> Decimal:
        """Money gained since it was opened, before costs."""
        return self.value - self.basis


@dataclass(frozen=True, kw_only=True)
class EquityPoint:
    """An account after a session: equity is cash plus the positions' value."""

    session: dt.date
    equity: Decimal
    cash: Decimal
    long_value: Decimal
    short_value: Decimal


@dataclass(frozen=True, kw_only=True)
class AccountBook:
    """Everything the ledger knows of one account, as of its newest session.

    Attributes:
        capital: Deposits less withdrawals.
        opened: Session at whose close it began.
        session: Newest session that was closed; None before the first.
        open_orders: Orders that may still be filled.
        state: What it may do; the halt of everything included.
        state_reason: Why, where it is not ACTIVE.
        realized_pnl: Money gained by closed quantities, before costs.
        costs: Money paid for all fills.
        day_start_equity: Equity at the close of the session before; capital at the beginning.
            Money paid in or out since has changed it by the same fraction as the account.
        peak_equity: Highest equity of any close, capital included, likewise.
        curve: Equity after every session.
    """

    name: str
    mode: TradingMode
    capital: Decimal
    opened: dt.date
    session: dt.date | None
    cash: Decimal
    positions: tuple[Position, ...] = ()
    open_orders: tuple[OrderRecord, ...] = ()
    state: TradingState = TradingState.ACTIVE
    state_reason: str = ""
    realized_pnl: Decimal = ZERO
    costs: Decimal = ZERO
    day_start_equity: Decimal
    peak_equity: Decimal
    curve: tuple[EquityPoint, ...] = ()

    @property
    def equity(self) -> Decimal:
        """Cash plus the value of all positions."""
        return self.cash + sum((each.value for each in self.positions), ZERO)

    @property
    def long_value(self) -> Decimal:
        """Value of what is held long."""
        return sum((each.value for each in self.positions if each.quantity > 0), ZERO)

    @property
    def short_value(self) -> Decimal:
        """Value of what is sold short, at most 0."""
        return sum((each.value for each in self.positions if each.quantity < 0), ZERO)

    @property
    def drawdown(self) -> float:
        """Fraction lost since the peak, at least 0; 1 where nothing is left."""
        if self.peak_equity <= 0:
            return 1.0
        return max(0.0, float(1 - self.equity / self.peak_equity))

    @property
    def daily_loss(self) -> float:
        """Fraction lost since the close before, at least 0."""
        if self.day_start_equity <= 0:
            return 1.0
        return max(0.0, float(1 - self.equity / self.day_start_equity))

    def position(self, symbol: str) -> Position | None:
        """Return the position in a symbol, or None."""
        return next((each for each in self.positions if each.symbol == symbol), None)

    def held(self, symbol: str) -> Decimal:
        """Return signed shares held of a symbol, 0 where none."""
        found = self.position(symbol)
        return found.quantity if found else ZERO
