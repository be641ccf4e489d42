"""The desk of live trading against the local stand-in of the broker."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from slices.domain.accounts import AccountBook, TradingState
from slices.domain.dataset import DatasetRef
from slices.domain.errors import ParameterError, SymbolNotFoundError
from slices.domain.limits import RiskLimits
from slices.domain.orders import Bracket, OrderState
from slices.domain.trading_errors import LiveTradingRefusedError, ReconciliationError
from slices.ledger.verifying import verify
from slices.live_trade import desk
from tests.slices.live_trade.live_accounts import (
    bars,
    live_books,
    purchase,
    switch_on,
    to_weights,
)
from tests.slices.live_trade.live_orders import ACCOUNT, SESSION
from tests.support.broker_server import Exchange

CLOSE = 100 * 1.005**42
TOMORROW = dt.datetime(2024, 3, 5, 14, 30, tzinfo=dt.UTC)


@pytest.fixture
def ref(exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DatasetRef:
    switch_on(monkeypatch, exchange, tmp_path / "home")
    return bars(tmp_path)


def settled(ref: DatasetRef) -> AccountBook:
    return desk.settle(ACCOUNT, ref)


def test_books_begin_with_what_the_broker_holds(exchange: Exchange, ref: DatasetRef) -> None:
    exchange.pay("CSD", "2500.5")
    book = settled(ref)
    assert (book.cash, book.capital, book.session) == (Decimal("102500.5"),) * 2 + (SESSION,)
    assert settled(ref) == book
    with live_books() as ledger:
        assert verify(ledger).is_whole


def test_what_was_ordered_is_booked_and_marked(exchange: Exchange, ref: DatasetRef) -> None:
    settled(ref)
    placed = desk.submit(ACCOUNT, ref, purchase(shares=10))
    assert [each.state for each in placed.records] == [OrderState.ACCEPTED]
    exchange.fill(exchange.orders[0], "10", "99.5")
    exchange.pay("FEE", "-0.02")
    book = settled(ref)
    assert (book.held("AAPL"), book.cash) == (10, Decimal("99004.98"))
    assert book.open_orders == ()
    assert float(book.equity) == pytest.approx(99004.98 + 10 * CLOSE, abs=1e-6)


def test_a_plan_handed_in_twice_is_one_order(exchange: Exchange, ref: DatasetRef) -> None:
    settled(ref)
    first = desk.submit(ACCOUNT, ref, purchase())
    again = desk.submit(ACCOUNT, ref, purchase())
    assert (first.is_repeated, again.is_repeated, len(exchange.orders)) == (False, True, 1)


def test_a_weight_becomes_shares_at_the_close(exchange: Exchange, ref: DatasetRef) -> None:
    settled(ref)
    desk.submit(ACCOUNT, ref, to_weights(AAPL=0.5, MSFT=0.0))
    (order,) = exchange.orders
    assert order["qty"] == str(int(50_000 / CLOSE))
    assert (order["symbol"], order["side"]) == ("AAPL", "buy")


def test_a_denied_order_never_leaves(
    exchange: Exchange, ref: DatasetRef, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limits = RiskLimits(max_order_notional=100.0)
    switch_on(monkeypatch, exchange, tmp_path / "home", limits)
    desk.settle(ACCOUNT, ref, limits=limits)
    placed = desk.submit(ACCOUNT, ref, purchase(), limits=limits)
    assert [each.state for each in placed.records] == [OrderState.DENIED]
    assert exchange.orders == []


def test_what_the_broker_does_not_take_leaves_no_trace(exchange: Exchange, ref: DatasetRef) -> None:
    settled(ref)
    with pytest.raises(ParameterError, match="most_sessions"):
        desk.submit(ACCOUNT, ref, purchase(bracket=Bracket(most_sessions=5)))
    assert exchange.orders == []
    assert settled(ref).open_orders == ()


def test_old_bars_are_refused_before_anything_is_written(
    exchange: Exchange, ref: DatasetRef, tmp_path: Path
) -> None:
    exchange.now = dt.datetime(2024, 3, 6, 22, 0, tzinfo=dt.UTC)
    with pytest.raises(ParameterError, match="2024-03-06"):
        settled(ref)
    assert not (tmp_path / "home" / "ledger").exists()
    assert exchange.requests("POST") == 0


def test_a_plan_waits_for_books_of_its_session(exchange: Exchange, ref: DatasetRef) -> None:
    with pytest.raises(LiveTradingRefusedError):
        desk.submit(ACCOUNT, ref, purchase())
    assert exchange.orders == []


def test_an_account_that_holds_something_unknown_is_not_begun(
    exchange: Exchange, ref: DatasetRef
) -> None:
    exchange.positions["IBM"] = (Decimal(3), Decimal(150))
    with pytest.raises(LiveTradingRefusedError, match="IBM"):
        settled(ref)


def test_another_account_at_the_broker_is_refused(exchange: Exchange, ref: DatasetRef) -> None:
    settled(ref)
    exchange.number = "555555555"
    with pytest.raises(LiveTradingRefusedError, match="5555"):
        settled(ref)


def test_held_symbols_without_bars_are_named(
    exchange: Exchange, ref: DatasetRef, tmp_path: Path
) -> None:
    settled(ref)
    desk.submit(ACCOUNT, ref, purchase("MSFT"))
    exchange.fill(exchange.orders[0], "10", "99.5")
    with pytest.raises(SymbolNotFoundError, match="MSFT"):
        desk.settle(ACCOUNT, bars(tmp_path / "other", "AAPL"))


def test_a_trade_made_elsewhere_halts_and_stays_halted(exchange: Exchange, ref: DatasetRef) -> None:
    settled(ref)
    exchange.positions["IBM"] = (Decimal(3), Decimal(150))
    for _ in range(2):
        with pytest.raises(ReconciliationError, match="IBM"):
            settled(ref)
    del exchange.positions["IBM"]
    assert settled(ref).state is TradingState.HALTED
    placed = desk.submit(ACCOUNT, ref, purchase())
    assert [each.state for each in placed.records] == [OrderState.DENIED]
    assert exchange.orders == []


def test_sessions_go_on_after_a_fill_of_the_next_one(
    exchange: Exchange, ref: DatasetRef, tmp_path: Path
) -> None:
    settled(ref)
    desk.submit(ACCOUNT, ref, purchase())
    exchange.now, exchange.is_open = TOMORROW, True
    exchange.fill(exchange.orders[0], "10", "101")
    assert settled(ref).held("AAPL") == 10
    exchange.now, exchange.is_open = dt.datetime(2024, 3, 5, 21, 30, tzinfo=dt.UTC), False
    book = desk.settle(ACCOUNT, bars(tmp_path / "later", count=44))
    assert (book.session, book.held("AAPL")) == (dt.date(2024, 3, 5), 10)
    assert [each.session for each in book.curve] == [SESSION, dt.date(2024, 3, 5)]


def test_books_whose_first_day_was_cut_off_begin_with_what_was_written_down(
    exchange: Exchange, ref: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk, "open_books", dies)
        with pytest.raises(KeyboardInterrupt):
            settled(ref)
    exchange.pay("CSD", "10")
    book = settled(ref)
    assert (book.cash, book.capital) == (100_010, 100_010)
    assert settled(ref) == book
