"""Orders and brokers for tests of live trading."""

from __future__ import annotations

import datetime as dt
from typing import Any

from slices.domain.accounts import TradingMode
from slices.domain.exact import quantity
from slices.domain.orders import Order, Side, client_order_id
from slices.live_trade.broker import AlpacaBroker
from slices.live_trade.wire import open_wire
from tests.support.broker_server import KEY, SECRET, Exchange

SESSION = dt.date(2024, 3, 4)
ACCOUNT = "main"


def broker_at(
    exchange: Exchange, *, timeout: float = 5.0, brief: float = 2.0, **options: Any
) -> AlpacaBroker:
    """The adapter at the local server, without waits between refused requests."""
    own = {"key": KEY, "secret": SECRET, "url": exchange.url, "wait_seconds": 0}
    return AlpacaBroker(
        account_name=ACCOUNT,
        wire=open_wire(timeout_seconds=timeout, **own),
        brief=open_wire(timeout_seconds=brief, attempts=1, **own),
        mode=TradingMode.LIVE,
        **options,
    )


def an_order(
    symbol: str = "AAPL",
    shares: str = "10",
    *,
    side: Side = Side.BUY,
    sequence: int = 0,
    **more: Any,
) -> Order:
    """An order of the session."""
    name = client_order_id(
        account=ACCOUNT, workflow="test", strategy="none", session=SESSION, symbol=symbol,
        side=side, sequence=sequence,
    )  # fmt: skip
    return Order(
        client_order_id=name, account=ACCOUNT, workflow="test", strategy="none", session=SESSION,
        symbol=symbol, side=side, quantity=quantity(shares), sequence=sequence, **more,
    )  # fmt: skip
