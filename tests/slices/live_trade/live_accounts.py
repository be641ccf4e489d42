"""A live account in a home of its own, with every switch on, at the local server."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.domain.exact import ZERO, quantity
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.orders import Side
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.ledger.opening import ledger_for
from slices.live_trade.optin import live_confirmation
from tests.slices.live_trade.live_orders import ACCOUNT, SESSION
from tests.support.broker_server import KEY, SECRET, Exchange
from tests.support.frames import FrameSource, load, ohlcv

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from slices.domain.dataset import DatasetRef
    from slices.ledger.opening import Ledger

FIRST = dt.date(2024, 1, 2)
COUNT = 43
"""Sessions from the first to SESSION."""


def bars(folder: Path, *symbols: str, count: int = COUNT) -> DatasetRef:
    """Made-up bars that end at SESSION."""
    chosen = symbols or ("AAPL", "MSFT")
    frames = {each: ohlcv(count, first=FIRST) for each in chosen}
    return load(FrameSource(dict(frames)), folder, *chosen)


def switches(exchange: Exchange, limits: RiskLimits = DEFAULT_LIMITS) -> dict[str, str]:
    """Everything it takes, by variable."""
    return {
        "TRADEFLOWS_LIVE_TRADING": "enabled",
        "TRADEFLOWS_LIVE_CONFIRMATION": live_confirmation(
            ACCOUNT, address=exchange.url, limits=limits
        ),
        "TRADEFLOWS_BROKER_URL": exchange.url,
        "TRADEFLOWS_BROKER_KEY": KEY,
        "TRADEFLOWS_BROKER_SECRET": SECRET,
        "TRADEFLOWS_BROKER_TIMEOUT_SECONDS": "5",
    }


def switch_on(
    monkeypatch: pytest.MonkeyPatch,
    exchange: Exchange,
    home: Path,
    limits: RiskLimits = DEFAULT_LIMITS,
) -> None:
    """Set everything it takes."""
    monkeypatch.setenv("TRADEFLOWS_HOME", str(home))
    for name, value in switches(exchange, limits).items():
        monkeypatch.setenv(name, value)


@contextmanager
def live_books() -> Iterator[Ledger]:
    """The ledger that the settings name."""
    ledger = ledger_for(TradingMode.LIVE)
    try:
        yield ledger
    finally:
        ledger.close()


def to_weights(session: dt.date = SESSION, **weights: float) -> OrderPlan:
    """A plan for the whole account."""
    orders = tuple(
        PlannedOrder(symbol=each, side=Side.BUY, quantity=ZERO, target_weight=weight)
        for each, weight in weights.items()
    )
    return OrderPlan(
        workflow="test",
        strategy="rule",
        session=session,
        orders=orders,
        targets=tuple(weights.items()),
    )


def purchase(symbol: str = "AAPL", shares: Decimal | int | str = 10, **more: object) -> OrderPlan:
    """A plan of one order."""
    planned = PlannedOrder(symbol=symbol, side=Side.BUY, quantity=quantity(shares), **more)  # type: ignore[arg-type]
    return OrderPlan(workflow="test", strategy="rule", session=SESSION, orders=(planned,))
