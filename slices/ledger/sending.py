"""How orders leave: each once, only while trading is allowed, and never again on a guess."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.brokers import BrokerOrder
from slices.domain.errors import SourceError
from slices.domain.orders import OPEN_STATES, Order, OrderRecord, OrderState, Side
from slices.domain.trading_errors import BrokerError, OrderRejectedError
from slices.ledger.accounts import read_book
from slices.ledger.opening import Ledger
from slices.ledger.orders import (
    orders_of,
    write_answer,
    write_answers,
    write_ended,
    write_unknown,
)
from slices.ledger.states import read_halt_file, trading_state

if TYPE_CHECKING:
    from slices.domain.brokers import Broker

UNCLEAR = (OrderState.INTENDED, OrderState.UNKNOWN)
FAILED = (OrderState.REJECTED, OrderState.CANCELLED)
TOGETHER_SECONDS = 0.1


class Step(IntEnum):
    """Points on the way of an order, and of a session, at which a process may be killed."""

    JUDGED = 1
    INTENDED = 2
    SENT = 3
    ANSWERED = 4
    PLACED = 5
    ADVANCED = 6
    BOOKED = 7
    CLOSED = 8
    DECIDED = 9


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
    answers = _Answers(ledger=ledger, at=at, reached=reached)
    permission = _Permission(ledger=ledger, account=account)
    is_clear, sent = True, []
    for order in in_sending_order(orders):
        if not permission.covers(order):
            answers.write()
            _withhold(ledger, order, permission, at=at)
            continue
        sent.append(order.client_order_id)
        is_clear = _sent(broker, order, answers)
        if not is_clear:
            break
    answers.write()
    _withdraw_where_halted(ledger, broker, account, sent, at=at)
    return is_clear


@dataclass
class _Answers:
    """Answers that are written down together.

    Ten times a second, so that those of a slow broker stand written one by one; whoever is killed
    in between asks the broker again.
    """

    ledger: Ledger
    at: dt.datetime
    reached: Reached
    held: list[BrokerOrder] = field(default_factory=list)
    written: float = field(default_factory=time.monotonic)

    def take(self, answer: BrokerOrder) -> None:
        self.held.append(answer)
        if time.monotonic() - self.written >= TOGETHER_SECONDS:
            self.write()

    def write(self) -> None:
        if self.held:
            write_answers(self.ledger, self.held, at=self.at)
            self.reached(Step.ANSWERED)
        self.held, self.written = [], time.monotonic()


@dataclass
class _Permission:
    """What the account may do.

    The halt file is looked at for every order, the books ten times a second.
    """

    ledger: Ledger
    account: str
    state: TradingState = TradingState.ACTIVE
    reason: str = ""
    read: float = -math.inf

    def covers(self, order: Order) -> bool:
        is_due = time.monotonic() - self.read >= TOGETHER_SECONDS
        if is_due or read_halt_file(self.ledger.halt_file) is not None:
            self.state, self.reason = trading_state(self.ledger, self.account)
            self.read = time.monotonic()
        is_reducing = self.state is TradingState.REDUCING
        return self.state is TradingState.ACTIVE or (
            is_reducing and _reduces(self.ledger, self.account, order)
        )


def _sent(broker: Broker, order: Order, answers: _Answers) -> bool:
    """Send one order and return whether there was a clear answer."""
    ledger, name, at = answers.ledger, order.client_order_id, answers.at
    try:
        answer = broker.submit(order)
    except OrderRejectedError as refused:
        answers.write()
        write_ended(ledger, name, OrderState.REJECTED, refused.problem, at=at)
        return True
    except (BrokerError, SourceError) as unclear:
        answers.write()
        write_unknown(ledger, name, unclear.problem, at=at)
        return False
    answers.reached(Step.SENT)
    answers.take(replace(answer, client_order_id=name))
    return True


def _withhold(ledger: Ledger, order: Order, permission: _Permission, *, at: dt.datetime) -> None:
    """Cancel an order that may no longer leave."""
    why = f"not sent: trading is {permission.state} ({permission.reason})"
    write_ended(ledger, order.client_order_id, OrderState.CANCELLED, why, at=at)


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
    else it is withdrawn. So are purchases decided with a sale that failed: it was to pay for them,
    and there are no limits here to judge them by.

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
    sales = [each for each in timely if each.side is Side.SELL]
    if send_all(ledger, broker, account, sales, at=at, reached=reached):
        purchases = [each for each in timely if each.side is Side.BUY]
        paid_for = _paid_for(ledger, account, purchases, at=at)
        send_all(ledger, broker, account, paid_for, at=at, reached=reached)
    return len(unclear)


def _paid_for(
    ledger: Ledger, account: str, purchases: Iterable[Order], *, at: dt.datetime
) -> list[Order]:
    """Return the purchases no failed sale was decided with; the others are withdrawn."""
    paid_for = []
    for order in purchases:
        sales = [
            each.order.symbol
            for each in orders_of(ledger, account, session=order.session, states=FAILED)
            if each.order.side is Side.SELL and _decision(each.order) == _decision(order)
        ]
        if sales:
            why = f"not sent: the sale of {', '.join(sales)} that was decided with it failed"
            write_ended(ledger, order.client_order_id, OrderState.CANCELLED, why, at=at)
        else:
            paid_for.append(order)
    return paid_for


def _decision(order: Order) -> tuple[str, str]:
    return order.workflow, order.strategy


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
