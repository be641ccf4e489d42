"""What a broker's silence or disagreement says to whoever listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from slices.domain.alerts import BooksDisagree, BrokerUnreachable, Level
from slices.domain.dataset import DatasetRef
from slices.domain.trading_errors import (
    BrokerUnavailableError,
    LiveTradingRefusedError,
    ReconciliationError,
)
from slices.live_trade import desk
from slices.live_trade.telling import telling
from slices.runtime import outbox
from tests.slices.live_trade.live_accounts import bars, switch_on
from tests.slices.live_trade.live_orders import ACCOUNT
from tests.support.broker_server import Exchange

settle = telling(desk.settle)


@pytest.fixture
def ref(exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DatasetRef:
    switch_on(monkeypatch, exchange, tmp_path / "home")
    monkeypatch.setenv("TRADEFLOWS_BROKER_TIMEOUT_SECONDS", "0.5")
    return bars(tmp_path)


def test_a_broker_that_does_not_answer_is_told_and_the_step_fails(
    exchange: Exchange, ref: DatasetRef
) -> None:
    exchange.misbehave("stall", "/v2/", times=1000)
    with pytest.raises(BrokerUnavailableError):
        settle(ACCOUNT, ref)
    (told,) = outbox.take(0)
    assert (told.name, told.subject) == (BrokerUnreachable.name, ACCOUNT)
    assert told.level is Level.ERROR


def test_books_that_disagree_are_told_as_critical(exchange: Exchange, ref: DatasetRef) -> None:
    settle(account=ACCOUNT, bars=ref)
    exchange.cash -= 1
    with pytest.raises(ReconciliationError):
        settle(account=ACCOUNT, bars=ref)
    (told,) = outbox.take(0)
    assert (told.name, told.subject, told.level) == (BooksDisagree.name, ACCOUNT, Level.CRITICAL)


def test_whatever_else_fails_is_not_the_brokers_fault(
    ref: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRADEFLOWS_LIVE_TRADING")
    with pytest.raises(LiveTradingRefusedError):
        settle(ACCOUNT, ref)
    assert outbox.take(0) == ()
