"""Every broker with somebody behind it who fills orders: the cases of the broker contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from slices.domain.brokers import Broker
from slices.domain.exact import quantity
from slices.domain.orders import Order, Side, client_order_id
from slices.domain.parameters import Costs, TradingRules
from tests.support.broker_server import Exchange, trading_server
from tests.support.venues import ALWAYS, CAPITAL, flat, made_ledger

ACCOUNT = "main"
SESSION = dt.date(2024, 3, 4)
PRICE = "100"


@dataclass(frozen=True)
class Desk:
    """A broker, and what the world does to its orders.

    Attributes:
        trade: Fills everything that waits, at 100 a share.
        refuse: Sees to it that the next order is refused.
    """

    broker: Broker
    trade: Callable[[], None]
    refuse: Callable[[Order], Order]


def an_order(
    shares: str = "10", *, symbol: str = "AAPL", side: Side = Side.BUY, sequence: int = 0
) -> Order:
    """An order of the session."""
    name = client_order_id(
        account=ACCOUNT,
        workflow="contract",
        strategy="none",
        session=SESSION,
        symbol=symbol,
        side=side,
        sequence=sequence,
    )
    return Order(
        client_order_id=name,
        account=ACCOUNT,
        workflow="contract",
        strategy="none",
        session=SESSION,
        symbol=symbol,
        side=side,
        quantity=quantity(shares),
        sequence=sequence,
    )


@contextmanager
def paper_desk(folder: Path) -> Iterator[Desk]:
    """The paper venue: everything fills when it lives through the next session."""
    from slices.paper_trade.venue import PaperBroker

    ledger = made_ledger(folder)
    one = flat(*(100.0,) * 6, first=SESSION)
    names = ("open", "high", "low", "close", "volume")
    wide = {each: np.hstack([getattr(one, each)] * 2) for each in names}
    panel = replace(one, symbols=("AAPL", "MSFT"), **wide)
    broker = PaperBroker.open(
        ledger,
        ACCOUNT,
        capital=CAPITAL,
        session=SESSION,
        costs=Costs(),
        rules=TradingRules(),
        calendar=ALWAYS,
    )
    broker.advance(panel, until=SESSION)

    def trade() -> None:
        newest = panel.sessions.index(broker.clock().session)
        broker.advance(panel, until=panel.sessions[newest + 1])

    def refuse(order: Order) -> Order:
        return replace(order, symbol="ZZZZ")

    try:
        yield Desk(broker, trade, refuse)
    finally:
        ledger.close()


@contextmanager
def alpaca_desk(_folder: Path) -> Iterator[Desk]:
    """The adapter at a local stand-in of the service."""
    from tests.slices.live_trade.live_orders import broker_at

    with trading_server() as exchange:
        yield Desk(broker_at(exchange), lambda: fill_waiting(exchange), refusing(exchange))


def fill_waiting(exchange: Exchange) -> None:
    """Fill every order that waits."""
    for each in exchange.orders:
        if each["status"] == "new":
            exchange.fill(each, each["qty"], PRICE)


def refusing(exchange: Exchange) -> Callable[[Order], Order]:
    """Let the service refuse the next order."""

    def refuse(order: Order) -> Order:
        exchange.misbehave("403", "POST", message="not tradable")
        return order

    return refuse


DESKS = {"paper": paper_desk, "alpaca": alpaca_desk}
