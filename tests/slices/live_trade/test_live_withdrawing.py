"""Taking back orders of a live account, against the local stand-in of the broker."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from slices.domain.accounts import TradingState
from slices.domain.dataset import DatasetRef
from slices.domain.limits import RiskLimits
from slices.domain.orders import OrderState
from slices.domain.trading_errors import BrokerError, LiveTradingRefusedError
from slices.ledger.orders import find_order
from slices.ledger.states import set_state
from slices.live_trade import desk
from slices.live_trade.withdrawing import withdraw
from tests.slices.live_trade.live_accounts import bars, live_books, purchase, switch_on
from tests.slices.live_trade.live_orders import ACCOUNT, SESSION
from tests.support.broker_server import Exchange

DELETE = "DELETE /v2/orders"
AT = dt.datetime(2024, 3, 4, 21, 40, tzinfo=dt.UTC)


@pytest.fixture
def ref(exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DatasetRef:
    switch_on(monkeypatch, exchange, tmp_path / "home")
    return bars(tmp_path)


def sent(ref: DatasetRef, *symbols: str) -> tuple[str, ...]:
    """Bring the account up and buy; return our names of the orders."""
    desk.settle(ACCOUNT, ref)
    plans = (replace(purchase(each), strategy=each) for each in symbols)
    placed = [desk.submit(ACCOUNT, ref, each) for each in plans]
    return tuple(record.order.client_order_id for each in placed for record in each.records)


def withdrawn(ref: DatasetRef, *names: str) -> int:
    return withdraw(ACCOUNT, ref, names, session=SESSION)


def state_of(name: str) -> OrderState:
    with live_books() as ledger:
        found = find_order(ledger, name)
    assert found is not None
    return found.state


def test_the_orders_that_are_named_are_cancelled_and_no_others(
    exchange: Exchange, ref: DatasetRef
) -> None:
    first, second = sent(ref, "AAPL", "MSFT")
    assert withdrawn(ref, first) == 1
    assert [each["status"] for each in exchange.orders] == ["canceled", "new"]
    assert (state_of(first), state_of(second)) == (OrderState.CANCELLED, OrderState.ACCEPTED)
    assert desk.settle(ACCOUNT, ref).open_orders[0].order.client_order_id == second


def test_a_halted_account_may_cancel(exchange: Exchange, ref: DatasetRef) -> None:
    (name,) = sent(ref, "AAPL")
    with live_books() as ledger:
        set_state(ledger, ACCOUNT, TradingState.HALTED, reason="losses", by="test", at=AT)
    assert withdrawn(ref, name) == 1
    assert exchange.order(name)["status"] == "canceled"


def test_what_has_ended_stays_ended(exchange: Exchange, ref: DatasetRef) -> None:
    (name,) = sent(ref, "AAPL")
    exchange.fill(exchange.order(name), "10", "100")
    assert withdrawn(ref, name) == 0
    assert exchange.requests(DELETE) == 0
    assert exchange.order(name)["status"] == "filled"
    assert desk.settle(ACCOUNT, ref).held("AAPL") == 10
    assert state_of(name) is OrderState.FILLED


def test_no_names_ask_nobody(exchange: Exchange, ref: DatasetRef) -> None:
    assert withdrawn(ref) == 0
    assert exchange.asked == []


def test_a_broker_that_cannot_be_asked_leaves_the_order_open(
    exchange: Exchange, ref: DatasetRef
) -> None:
    (name,) = sent(ref, "AAPL")
    exchange.misbehave("503", DELETE)
    with pytest.raises(BrokerError):
        withdrawn(ref, name)
    assert state_of(name) is OrderState.ACCEPTED
    assert withdrawn(ref, name) == 1
    assert withdrawn(ref, name) == 1
    assert exchange.requests(DELETE) == 2


@pytest.mark.parametrize("missing", ["TRADEFLOWS_LIVE_TRADING", "TRADEFLOWS_LIVE_CONFIRMATION"])
def test_without_a_switch_nothing_is_asked(
    exchange: Exchange, ref: DatasetRef, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    (name,) = sent(ref, "AAPL")
    asked = len(exchange.asked)
    monkeypatch.delenv(missing)
    for names in ((), (name,)):
        with pytest.raises(LiveTradingRefusedError):
            withdrawn(ref, *names)
    assert len(exchange.asked) == asked
    assert exchange.order(name)["status"] == "new"


def test_the_confirmation_is_for_these_limits(exchange: Exchange, ref: DatasetRef) -> None:
    (name,) = sent(ref, "AAPL")
    with pytest.raises(LiveTradingRefusedError):
        withdraw(ACCOUNT, ref, (name,), session=SESSION, limits=RiskLimits(max_order_notional=5.0))
    assert exchange.order(name)["status"] == "new"
