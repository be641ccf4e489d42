"""What losses and halts take away: the right to trade, and the orders that wait at the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.orders import OPEN_STATES
from slices.ledger.accounts import read_book
from slices.ledger.journal import EVERYBODY
from slices.ledger.orders import orders_of
from slices.ledger.states import set_state, trading_state
from slices.ledger.withdrawing import take_back
from slices.quant.limits.loss import state_after

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook
    from slices.domain.brokers import Broker
    from slices.domain.limits import RiskLimits
    from slices.domain.orders import Order
    from slices.ledger.opening import Ledger

LOSS_GUARD = "loss limits"
"""Who changes the state of an account after a loss, as the journal says it."""


def guard_losses(
    ledger: Ledger, broker: Broker, account: str, *, limits: RiskLimits, at: dt.datetime
) -> AccountBook:
    """Take an account that lost too much out of trading; only a recorded release brings it back.

    Orders that wait and that it may no longer trade are cancelled, whoever halted it.

    Args:
        ledger: Where the account is.
        broker: Who trades for it.
        account: Its name; its newest session is closed.
        limits: Losses from which on it may only reduce, or nothing more.
        at: Instant (UTC) to record it with.

    Returns:
        The account afterwards, without its curve.

    Raises:
        BrokerError: Orders were to be cancelled and the broker cannot be asked.
    """
    book = read_book(ledger, account, curve=False)
    found = state_after(book, limits)
    if found is not None:
        state, reason = found
        set_state(ledger, account, state, reason=reason, by=LOSS_GUARD, at=at)
    withdrawn = withdraw_barred(ledger, broker, account, at=at)
    return book if found is None and not withdrawn else read_book(ledger, account, curve=False)


def withdraw_barred(ledger: Ledger, broker: Broker, account: str, *, at: dt.datetime) -> int:
    """Cancel what waits and may not be traded.

    Where everything is halted that is all of it. An account that is halted by itself, or may only
    reduce, keeps the orders that do: they may be those that close it.

    Returns:
        How many orders.

    Raises:
        BrokerError: The broker cannot be asked.
    """
    state, reason = trading_state(ledger, account)
    if state is TradingState.ACTIVE:
        return 0
    is_everything = trading_state(ledger, EVERYBODY)[0] is TradingState.HALTED
    book = read_book(ledger, account, curve=False)
    barred = [
        each.order
        for each in orders_of(ledger, account, states=OPEN_STATES)
        if is_everything or not _only_reduces(book, each.order)
    ]
    for order in barred:
        why = f"withdrawn: trading is {state} ({reason})"
        take_back(ledger, broker, order.client_order_id, why=why, at=at)
    return len(barred)


def _only_reduces(book: AccountBook, order: Order) -> bool:
    if order.target_weight is not None:
        return order.target_weight == 0
    held = book.held(order.symbol)
    is_smaller = held * order.signed_quantity < 0 and order.quantity <= abs(held)
    return order.reduce_only or is_smaller
