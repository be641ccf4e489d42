"""What the broker says against what the books say: over the union of both, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.brokers import BrokerAccount, BrokerOrder, BrokerPosition
from slices.domain.exact import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.accounts import AccountBook, Position
    from slices.domain.orders import OrderRecord

PRICE_TOLERANCE = Decimal("1e-6")
"""Largest relative difference between two average prices that is rounding."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing the broker and the books do not agree on.

    Attributes:
        subject: A symbol, an order's name, `cash` or `account`.
        what: Which of its values.
        books: What the books say.
        broker: What the broker says.
    """

    subject: str
    what: str
    books: str
    broker: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.what} {self.books} in the books, {self.broker} at the broker"


@dataclass(frozen=True, kw_only=True)
class BrokerReport:
    """Everything that is compared, as the broker tells it at one moment."""

    account: BrokerAccount
    positions: tuple[BrokerPosition, ...]
    open_orders: tuple[BrokerOrder, ...]


def differences(book: AccountBook, report: BrokerReport) -> tuple[Difference, ...]:
    """Compare cash, positions and open orders; nothing is left out on either side.

    Args:
        book: The account as booked, with every order that may still be filled.
        report: The account as the broker tells it.

    Returns:
        What differs: quantities, cash and filled quantities by the smallest unit, average prices
        by more than a millionth.
    """
    return (
        *_account_differences(book, report.account),
        *_position_differences(book.positions, report.positions),
        *_order_differences(book.open_orders, report.open_orders),
    )


def _account_differences(book: AccountBook, account: BrokerAccount) -> list[Difference]:
    found = []
    if book.cash != account.cash:
        found.append(_difference("cash", "amount", book.cash, account.cash))
    if account.is_blocked:
        found.append(_difference("account", "trading", "allowed", "blocked"))
    return found


def _position_differences(
    booked: Sequence[Position], reported: Sequence[BrokerPosition]
) -> list[Difference]:
    ours = {each.symbol: each for each in booked}
    theirs = {each.symbol: each for each in reported}
    found = [
        _difference(symbol, "listed", "once", "more than once")
        for symbol in sorted(theirs)
        if sum(each.symbol == symbol for each in reported) > 1
    ]
    for symbol in sorted({*ours, *theirs}):
        found += _compared(symbol, ours.get(symbol), theirs.get(symbol))
    return found


def _compared(
    symbol: str, ours: Position | None, theirs: BrokerPosition | None
) -> list[Difference]:
    held, reported = ours.quantity if ours else ZERO, theirs.quantity if theirs else ZERO
    if held != reported:
        return [_difference(symbol, "quantity", held, reported)]
    if ours is None or theirs is None:
        return []
    paid = ours.basis / ours.quantity
    if abs(paid - theirs.average_price) <= PRICE_TOLERANCE * abs(paid):
        return []
    return [_difference(symbol, "average price", ours.average_price, theirs.average_price)]


def _order_differences(
    booked: Sequence[OrderRecord], reported: Sequence[BrokerOrder]
) -> list[Difference]:
    ours = {each.order.client_order_id: each for each in booked}
    theirs = {each.client_order_id: each for each in reported}
    found = []
    for name in sorted({*ours, *theirs}):
        record, told = ours.get(name), theirs.get(name)
        if record is None or told is None:
            found.append(
                _difference(name, "order", _state(record), told.state if told else "not open")
            )
        elif record.filled_quantity != told.filled_quantity:
            found.append(
                _difference(name, "filled quantity", record.filled_quantity, told.filled_quantity)
            )
    return found


def _state(record: OrderRecord | None) -> str:
    return record.state if record else "not open"


def _difference(subject: str, what: str, books: object, broker: object) -> Difference:
    return Difference(subject=subject, what=what, books=str(books), broker=str(broker))
