"""Taking one open order back, wherever it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slices.domain.orders import OrderState
from slices.ledger.orders import write_answer, write_ended

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.brokers import Broker
    from slices.domain.orders import OrderRecord
    from slices.ledger.opening import Ledger

UNSENT = "withdrawn before it left"


def take_back(
    ledger: Ledger, broker: Broker, name: str, *, why: str = "", at: dt.datetime
) -> OrderRecord:
    """Cancel an order at the broker and write down what the broker then says of it.

    Allowed in every state; nothing where the order has ended. One the broker never had is
    cancelled in the books alone.

    Args:
        ledger: Where it is written.
        broker: Who may have it.
        name: Our name of it.
        why: For the books.
        at: Instant (UTC).

    Raises:
        BrokerError: The broker cannot be asked, or refuses.
    """
    broker.cancel(name)
    answer = broker.get_by_client_id(name)
    if answer is None:
        return write_ended(ledger, name, OrderState.CANCELLED, why or UNSENT, at=at)
    if answer.state is OrderState.CANCELLED and why:
        answer = replace(answer, reason=why)
    return write_answer(ledger, name, answer, at=at)
