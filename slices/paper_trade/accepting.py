"""Which orders the simulated exchange accepts, and how it takes them back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError
from slices.domain.orders import Order, OrderState, Side, client_order_id
from slices.paper_trade.pricing import intent_of
from slices.paper_trade.reporting import BY_HAND
from slices.quant.simulation.amending import cancel
from slices.quant.simulation.intents import check_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.paper_trade.venue_state import EngineState, VenueBook, VenueOrder


WORKFLOW, STRATEGY = "paper venue", "close everything"
"""Who orders where everything is closed."""


def check_acceptable(order: Order, book: VenueBook) -> str:
    """Say why an order cannot be accepted; empty where it can.

    Args:
        order: To be filled in the session after the venue's newest.
        book: The account as it is.
    """
    if order.account != book.terms.account:
        return f"it is of account '{order.account}', and this is '{book.terms.account}'"
    if book.session is None:
        return f"the account has not lived through its first session, {book.terms.opened}"
    if order.session > book.session:
        return f"it was decided on {order.session}, and the venue is at {book.session}"
    if order.symbol not in book.engine.known.symbols:
        return f"{order.symbol} had no bars in the newest session, {book.session}"
    if book.engine.account.ruined_row >= 0:
        return "the account was ruined"
    return _nonsense(order, book)


def _nonsense(order: Order, book: VenueBook) -> str:
    """Say what the simulation would not understand."""
    try:
        intent = intent_of(order, row=0, column=0)
        check_order(intent, sessions=1, symbols=1, rules=book.terms.rules)
    except ParameterError as problem:
        return str(problem)
    return ""


def is_closing(order: Order) -> bool:
    """Tell whether an order is one of those that close everything."""
    return order.workflow == WORKFLOW


def closing_orders(book: VenueBook, *, sequence: int) -> tuple[Order, ...]:
    """Write orders that close everything held.

    Args:
        book: What is held.
        sequence: Tells these orders from those that closed everything before.
    """
    return tuple(
        _closing(book, each.symbol, Side.SELL if each.quantity > 0 else Side.BUY, sequence)
        for each in book.holdings
    )


def _closing(book: VenueBook, symbol: str, side: Side, sequence: int) -> Order:
    account, session = book.terms.account, book.session or book.terms.opened
    name = client_order_id(
        account=account,
        workflow=WORKFLOW,
        strategy=STRATEGY,
        session=session,
        symbol=symbol,
        side=side,
        sequence=sequence,
    )
    return Order(
        client_order_id=name,
        account=account,
        workflow=WORKFLOW,
        strategy=STRATEGY,
        session=session,
        symbol=symbol,
        side=side,
        quantity=abs(book.quantity_of(symbol)),
        reduce_only=True,
        sequence=sequence,
        purpose=STRATEGY,
    )


def withdrawn(
    engine: EngineState, orders: Sequence[VenueOrder]
) -> tuple[EngineState, tuple[VenueOrder, ...]]:
    """Cancel orders, whether the simulation knows them yet or not."""
    numbers = [each.number for each in orders if each.number is not None]
    ended = tuple(replace(each, state=OrderState.CANCELLED, reason=BY_HAND) for each in orders)
    return replace(engine, account=cancel(engine.account, numbers)), ended
