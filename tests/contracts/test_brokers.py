"""What every broker does alike, whoever trades behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from slices.domain.accounts import Mark
from slices.domain.exact import ZERO, money, price
from slices.domain.orders import OrderState, Side
from slices.domain.trading_errors import OrderRejectedError
from slices.ledger.accounts import close_session, open_account, read_book
from slices.ledger.orders import find_order
from slices.ledger.path import place
from slices.ledger.reconciling import reconcile
from tests.slices.paper_trade.paper_accounts import LOOSE
from tests.support.desks import ACCOUNT, DESKS, SESSION, Desk, an_order
from tests.support.venues import ALWAYS, CAPITAL, made_ledger

LATER = SESSION + dt.timedelta(days=30)


@pytest.fixture(params=list(DESKS))
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with DESKS[request.param](tmp_path) as made:
        yield made


def test_a_new_account_holds_its_capital(desk: Desk) -> None:
    broker = desk.broker
    assert broker.account().cash == broker.account().equity == CAPITAL
    assert not broker.account().is_blocked
    assert broker.positions() == ()
    assert broker.open_orders() == ()
    assert broker.fills(None) == broker.cash_flows(None) == broker.share_actions(None) == ()


def test_an_order_waits_under_the_name_we_gave_it(desk: Desk) -> None:
    order = an_order()
    told = desk.broker.submit(order)
    assert (told.client_order_id, told.symbol) == (order.client_order_id, "AAPL")
    assert told.state is OrderState.ACCEPTED
    assert told.broker_order_id
    assert desk.broker.get_by_client_id(order.client_order_id) == told
    assert desk.broker.open_orders() == (told,)
    assert desk.broker.get_by_client_id("nobody") is None


def test_a_second_order_of_a_name_is_the_first(desk: Desk) -> None:
    first, second = desk.broker.submit(an_order()), desk.broker.submit(an_order("99"))
    assert second == first
    desk.trade()
    assert [each.quantity for each in desk.broker.positions()] == [10]


def test_cash_positions_and_orders_follow_from_the_fills(desk: Desk) -> None:
    bought, sold = an_order(), an_order("4", side=Side.SELL)
    desk.broker.submit(bought)
    desk.trade()
    desk.broker.submit(sold)
    desk.trade()
    fills, flows = desk.broker.fills(None), desk.broker.cash_flows(None)
    assert [each.quantity for each in fills] == [10, -4]
    assert [each.client_order_id for each in fills] == [
        bought.client_order_id,
        sold.client_order_id,
    ]
    assert len({each.fill_id for each in fills}) == 2
    assert {each.account for each in fills} == {ACCOUNT}
    moved = sum((each.cash for each in fills), sum((each.amount for each in flows), ZERO))
    assert desk.broker.account().cash == CAPITAL + moved
    (position,) = desk.broker.positions()
    assert (position.symbol, position.quantity, position.average_price) == ("AAPL", 6, 100)
    assert desk.broker.account().equity == desk.broker.account().cash + 600
    told = desk.broker.get_by_client_id(bought.client_order_id)
    assert told is not None
    assert (told.state, told.filled_quantity, told.average_price) == (OrderState.FILLED, 10, 100)
    assert desk.broker.fills(LATER) == ()


def test_a_refused_order_is_not_there(desk: Desk) -> None:
    order = desk.refuse(an_order())
    with pytest.raises(OrderRejectedError) as refused:
        desk.broker.submit(order)
    assert refused.value.client_order_id == order.client_order_id
    assert desk.broker.get_by_client_id(order.client_order_id) is None
    assert desk.broker.open_orders() == ()


def test_a_cancelled_order_never_fills(desk: Desk) -> None:
    gone, kept = an_order(), an_order("5", symbol="MSFT")
    for each in (gone, kept):
        desk.broker.submit(each)
    desk.broker.cancel(gone.client_order_id)
    desk.broker.cancel(gone.client_order_id)
    desk.broker.cancel("nobody")
    desk.trade()
    told = desk.broker.get_by_client_id(gone.client_order_id)
    assert told is not None
    assert told.state is OrderState.CANCELLED
    assert [each.symbol for each in desk.broker.positions()] == ["MSFT"]
    desk.broker.cancel(kept.client_order_id)
    filled = desk.broker.get_by_client_id(kept.client_order_id)
    assert filled is not None
    assert filled.state is OrderState.FILLED


def test_everything_that_waits_is_cancelled_at_once(desk: Desk) -> None:
    for each in (an_order(), an_order("5", symbol="MSFT")):
        desk.broker.submit(each)
    assert desk.broker.cancel_all() == 2
    assert desk.broker.open_orders() == ()
    assert desk.broker.cancel_all() == 0
    desk.trade()
    assert desk.broker.positions() == ()


def test_everything_held_is_sold(desk: Desk) -> None:
    for each in (an_order(), an_order("5", symbol="MSFT")):
        desk.broker.submit(each)
    desk.trade()
    desk.broker.submit(an_order("3", sequence=1))
    assert desk.broker.close_all() == 2
    desk.trade()
    assert desk.broker.positions() == ()
    assert desk.broker.open_orders() == ()


def test_the_clock_tells_an_instant_and_its_session(desk: Desk) -> None:
    told = desk.broker.clock()
    assert told.now.utcoffset() == dt.timedelta(0)
    assert told.session == SESSION
    assert desk.broker.clock().now >= told.now


def test_the_books_take_over_what_happened_and_find_nothing_new(desk: Desk, tmp_path: Path) -> None:
    books = tmp_path / "books"
    books.mkdir()
    ledger = made_ledger(books, desk.broker.mode)
    at = desk.broker.clock().now
    open_account(ledger, ACCOUNT, capital=money(CAPITAL), session=SESSION, at=at)
    mark = Mark(symbol="AAPL", price=price(100), session=SESSION)
    close_session(ledger, ACCOUNT, session=SESSION, marks=[mark], at=at)
    order = an_order()
    placed = place(
        ledger,
        desk.broker,
        ACCOUNT,
        [order],
        limits=LOOSE,
        session=SESSION,
        at=at,
        workflow="contract",
        strategy="none",
        calendar=ALWAYS,
    )
    assert [each.state for each in placed.records] == [OrderState.ACCEPTED]
    desk.trade()
    first = reconcile(ledger, desk.broker, ACCOUNT, at=desk.broker.clock().now)
    again = reconcile(ledger, desk.broker, ACCOUNT, at=desk.broker.clock().now)
    assert first.booked == 1
    assert (again.booked, again.updated, again.resolved) == (0, 0, 0)
    record = find_order(ledger, order.client_order_id)
    assert record is not None
    assert record.state is OrderState.FILLED
    book = read_book(ledger, ACCOUNT)
    assert book.cash == desk.broker.account().cash
    assert [each.quantity for each in book.positions] == [10]
    ledger.close()
