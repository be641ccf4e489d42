"""How orders leave: each once, only while trading is allowed, and never again on a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.errors import SourceError
from slices.domain.orders import OPEN_STATES, Order, OrderRecord, OrderState, Side
from slices.domain.trading_errors import BrokerError, OrderRejectedError
from slices.ledger.accounts import read_book
from slices.ledger.orders import (
    orders_of,
    write_answer,
    write_ended,
    write_unknown,
)
from slices.ledger.states import trading_state

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.brokers import Broker
    from slices.ledger.opening import Ledger

UNCLEAR = (OrderState.INTENDED, OrderState.UNKNOWN)


class Step(IntEnum):
    """Points on the way of an order, and of a session, at which a process may be killed."""

    RECONCILED = 1
    JUDGED = 2
    INTENDED = 3
    SENT = 4
    ANSWERED = 5
    PLACED = 6
    ADVANCED = 7
    BOOKED = 8
    CLOSED = 9
    DECIDED = 10


Reached = Callable[[Step], None]
"""Called after each step."""


def nothing(_step: Step) -> None:
    """Take note of no step."""


def in_sending_order(orders: Iterable[Order]) -> list[Order]:
    """Put sales first, so that what they bring is there for the purchases."""
    return sorted(orders, key=lambda each: each.side is Side.BUY)


def send_all(
    ledger: Ledger,
    broker: Broker,
    account: str,
    orders: Iterable[Order],
    *,
    at: dt.datetime,
    reached: Reached = nothing,
) -> bool:
    """Send orders that nobody has sent; where one gets no clear answer, the rest waits.

    Args:
        ledger: Where they stand as INTENDED.
        broker: Who is to trade them.
        account: Whose they are.
        orders: All of one account.
        at: Instant (UTC) to record answers with.
        reached: Called after each step.

    Returns:
        Whether every answer was clear.
    """
    is_clear, sent = True, []
    for order in in_sending_order(orders):
        if _withheld(ledger, account, order, at=at):
            continue
        sent.append(order.client_order_id)
        is_clear = _sent(ledger, broker, order, at=at, reached=reached)
        if not is_clear:
            break
    _withdraw_where_halted(ledger, broker, account, sent, at=at)
    return is_clear


def _sent(
    ledger: Ledger, broker: Broker, order: Order, *, at: dt.datetime, reached: Reached
) -> bool:
    """Send one order and return whether there was a clear answer."""
    name = order.client_order_id
    try:
        answer = broker.submit(order)
    except OrderRejectedError as refused:
        write_ended(ledger, name, OrderState.REJECTED, refused.problem, at=at)
        return True
    except (BrokerError, SourceError) as unclear:
        write_unknown(ledger, name, unclear.problem, at=at)
        return False
    reached(Step.SENT)
    write_answer(ledger, name, answer, at=at)
    reached(Step.ANSWERED)
    return True


def _withheld(ledger: Ledger, account: str, order: Order, *, at: dt.datetime) -> bool:
    """Cancel an order that may no longer leave, and return whether it was one."""
    state, reason = trading_state(ledger, account)
    is_reducing = state is TradingState.REDUCING
    if state is TradingState.ACTIVE or (is_reducing and _reduces(ledger, account, order)):
        return False
    why = f"not sent: trading is {state} ({reason})"
    write_ended(ledger, order.client_order_id, OrderState.CANCELLED, why, at=at)
    return True


def _reduces(ledger: Ledger, account: str, order: Order) -> bool:
    held = read_book(ledger, account, curve=False).held(order.symbol)
    return order.reduce_only or (held * order.signed_quantity < 0 and order.quantity <= abs(held))


def _withdraw_where_halted(
    ledger: Ledger, broker: Broker, account: str, names: list[str], *, at: dt.datetime
) -> None:
    """Take back what left while somebody halted: whoever halts cannot see it yet."""
    if names and trading_state(ledger, account)[0] is TradingState.HALTED:
        for name in names:
            _cancelled(ledger, broker, name, at=at)


def resolve(
    ledger: Ledger,
    broker: Broker,
    account: str,
    *,
    at: dt.datetime,
    reached: Reached = nothing,
) -> int:
    """Find out about every order of which nobody knows whether it left.

    The broker is asked by our name for the order. What it has is recorded. What it does not have is
    sent, under the same name, where it was decided in the broker's session and trading is allowed;
    else it is withdrawn.

    Returns:
        How many there were.

    Raises:
        BrokerUnavailableError: Where the broker cannot be asked; nothing is sent then.
    """
    unclear = orders_of(ledger, account, states=UNCLEAR)
    if not unclear:
        return 0
    missing = [
        order
        for order in in_sending_order(each.order for each in unclear)
        if not _answered(ledger, broker, order.client_order_id, at=at)
    ]
    current = broker.clock().session if missing else None
    for order in missing:
        if current is not None and order.session < current:
            why = f"not sent: decided on {order.session} and found unsent on {current}"
            write_ended(ledger, order.client_order_id, OrderState.CANCELLED, why, at=at)
    timely = [each for each in missing if current is not None and each.session >= current]
    send_all(ledger, broker, account, timely, at=at, reached=reached)
    return len(unclear)


def _answered(ledger: Ledger, broker: Broker, name: str, *, at: dt.datetime) -> bool:
    answer = broker.get_by_client_id(name)
    if answer is not None:
        write_answer(ledger, name, answer, at=at)
    return answer is not None


def cancel_open(ledger: Ledger, broker: Broker, account: str, *, at: dt.datetime) -> int:
    """Cancel every open order at the broker, ours or not, and what has not left yet.

    Allowed in every state.

    Returns:
        How many there were.

    Raises:
        BrokerUnavailableError: Where the broker cannot be asked.
    """
    waiting = orders_of(ledger, account, states=OPEN_STATES)
    cancelled = broker.cancel_all()
    unsent = [_cancelled(ledger, broker, each.order.client_order_id, at=at) for each in waiting]
    return cancelled + sum(unsent)


def _cancelled(ledger: Ledger, broker: Broker, name: str, *, at: dt.datetime) -> bool:
    """Cancel an order wherever it is, and return whether the broker never had it."""
    broker.cancel(name)
    if _answered(ledger, broker, name, at=at):
        return False
    write_ended(ledger, name, OrderState.CANCELLED, "withdrawn before it left", at=at)
    return True


def records_by_name(ledger: Ledger, account: str, session: dt.date) -> dict[str, OrderRecord]:
    """Return the orders that were decided in a session, by name."""
    found = orders_of(ledger, account, session=session)
    return {each.order.client_order_id: each for each in found}
