"""What the adapter says to the broker, and what it makes of the answers."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import MalformedAnswerError, ParameterError
from slices.domain.exact import QUANTITY_UNIT, price, quantity
from slices.domain.orders import Bracket, FlowKind, OrderKind, OrderState, Side
from slices.domain.trading_errors import (
    AmbiguousOrderError,
    BrokerError,
    BrokerUnavailableError,
    OrderRejectedError,
)
from slices.live_trade.wire_orders import order_fields, plain
from tests.slices.live_trade.live_orders import SESSION, an_order, broker_at
from tests.support.broker_server import Exchange

POST = "POST /v2/orders"


@given(st.integers(1, 10**15))
def test_quantities_reach_the_wire_to_the_last_unit(units: int) -> None:
    shares = units * QUANTITY_UNIT
    assert quantity(plain(shares)) == shares
    assert order_fields(an_order(shares=str(shares)))["qty"] == plain(shares)


def test_every_number_of_an_order_is_text_on_the_wire(exchange: Exchange) -> None:
    order = an_order(
        shares="0.123456789",
        kind=OrderKind.STOP_LIMIT,
        limit_price=price("101.25"),
        stop_price=price("100.1"),
    )
    taken = broker_at(exchange).submit(order)
    sent = json.loads(exchange.bodies[-1])
    assert sent == {
        "symbol": "AAPL", "side": "buy", "type": "stop_limit", "qty": "0.123456789",
        "client_order_id": order.client_order_id, "time_in_force": "gtc",
        "limit_price": "101.25", "stop_price": "100.1",
    }  # fmt: skip
    assert taken.state is OrderState.ACCEPTED


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, {"type": "market", "time_in_force": "day"}),
        (
            {"kind": OrderKind.LIMIT, "limit_price": price(9), "valid_sessions": 1},
            {"type": "limit", "limit_price": "9", "time_in_force": "day"},
        ),
        (
            {"kind": OrderKind.TRAILING_STOP, "trail": 0.05},
            {"type": "trailing_stop", "trail_percent": "5", "time_in_force": "gtc"},
        ),
        (
            {"bracket": Bracket(stop_loss_price=90.0, take_profit_price=120.5)},
            {
                "order_class": "bracket",
                "stop_loss": {"stop_price": "90"},
                "take_profit": {"limit_price": "120.5"},
                "time_in_force": "gtc",
            },
        ),
        (
            {"bracket": Bracket(stop_loss_price=90.0)},
            {"order_class": "oto", "stop_loss": {"stop_price": "90"}},
        ),
    ],
)
def test_each_kind_of_order_has_its_words(
    more: dict[str, object], asked: dict[str, object]
) -> None:
    fields = order_fields(an_order(**more))
    assert {name: fields.get(name) for name in asked} == asked


@pytest.mark.parametrize(
    ("more", "parameter"),
    [
        ({"target_weight": 0.5}, "target_weight"),
        ({"shares": "0"}, "quantity"),
        ({"kind": OrderKind.LIMIT}, "limit_price"),
        ({"kind": OrderKind.TRAILING_STOP}, "trail"),
        ({"kind": OrderKind.STOP, "stop_price": price(5), "valid_sessions": 3}, "valid_sessions"),
        ({"bracket": Bracket(stop_loss=0.1)}, "bracket.stop_loss"),
        ({"bracket": Bracket(most_sessions=3)}, "bracket.most_sessions"),
    ],
)
def test_what_the_broker_does_not_take_is_refused_by_name_before_it_is_sent(
    exchange: Exchange, more: dict[str, object], parameter: str
) -> None:
    with pytest.raises(ParameterError) as refused:
        broker_at(exchange).submit(an_order(**more))
    assert refused.value.parameter == parameter
    assert exchange.asked == []


@pytest.mark.parametrize("status", ["400", "401", "403", "422"])
def test_a_refusal_is_a_rejection_and_is_not_asked_about(exchange: Exchange, status: str) -> None:
    exchange.misbehave(status, POST, message="insufficient buying power")
    with pytest.raises(OrderRejectedError, match="insufficient buying power"):
        broker_at(exchange).submit(an_order())
    assert (len(exchange.asked), exchange.orders) == (1, [])


def test_a_second_order_of_a_name_is_the_first_one(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    first = broker.submit(an_order())
    assert broker.submit(an_order()) == first
    assert len(exchange.orders) == 1


def test_too_many_requests_are_tried_again_and_place_one_order(exchange: Exchange) -> None:
    exchange.misbehave("429", POST, times=2)
    assert broker_at(exchange).submit(an_order()).state is OrderState.ACCEPTED
    assert (exchange.requests(POST), len(exchange.orders)) == (3, 1)


def test_too_many_requests_for_ever_stay_unclear(exchange: Exchange) -> None:
    exchange.misbehave("429", "/v2/orders", times=1000)
    with pytest.raises(AmbiguousOrderError):
        broker_at(exchange).submit(an_order())
    assert exchange.orders == []


@pytest.mark.parametrize("status", ["500", "503", "429", "lose"])
def test_a_broker_that_cannot_be_asked_says_so(exchange: Exchange, status: str) -> None:
    exchange.misbehave(status, "GET", times=1000)
    broker = broker_at(exchange)
    for ask in (broker.account, broker.positions, broker.open_orders, broker.clock):
        with pytest.raises(BrokerUnavailableError):
            ask()


def test_refused_credentials_are_named_without_their_value(exchange: Exchange) -> None:
    exchange.misbehave("401", "GET /v2/account", message="unauthorized")
    with pytest.raises(BrokerError, match="credentials refused") as refused:
        broker_at(exchange).account()
    assert not isinstance(refused.value, BrokerUnavailableError)


def test_a_web_page_is_no_answer(exchange: Exchange) -> None:
    exchange.misbehave("html", "GET", times=1000)
    broker = broker_at(exchange)
    for ask in (broker.account, broker.positions, broker.open_orders, broker.clock):
        with pytest.raises(MalformedAnswerError):
            ask()


def test_an_order_is_found_by_our_name_or_not_at_all(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    assert broker.get_by_client_id("tf-nothing") is None
    broker.submit(an_order())
    found = broker.get_by_client_id(an_order().client_order_id)
    assert found is not None
    assert (found.symbol, found.filled_quantity, found.average_price) == ("AAPL", 0, None)


def test_positions_carry_the_sign_of_their_side(exchange: Exchange) -> None:
    exchange.positions = {
        "MSFT": (Decimal("-3"), Decimal("400.5")),
        "AAPL": (Decimal("1.5"), Decimal("170")),
    }
    found = [
        (each.symbol, each.quantity, each.average_price) for each in broker_at(exchange).positions()
    ]
    assert found == [("AAPL", Decimal("1.5"), 170), ("MSFT", -3, Decimal("400.5"))]


def test_fills_come_in_order_under_our_names(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.submit(an_order(shares="10"))
    order = exchange.order(an_order().client_order_id)
    exchange.fill(order, "4", "100.10")
    exchange.now += dt.timedelta(minutes=1)
    exchange.fill(order, "6", "100.20")
    exchange.repeats_activities = exchange.reverses_activities = True
    fills = broker.fills(SESSION)
    assert [(each.quantity, each.price) for each in fills] == [
        (4, Decimal("100.1")),
        (6, Decimal("100.2")),
    ]
    assert {each.client_order_id for each in fills} == {order["client_order_id"]}
    assert {each.session for each in fills} == {SESSION}
    assert broker.fills(SESSION + dt.timedelta(days=1)) == ()


def test_a_fill_belongs_to_the_session_of_the_exchange(exchange: Exchange) -> None:
    exchange.now = dt.datetime(2024, 3, 5, 1, 0, tzinfo=dt.UTC)
    broker = broker_at(exchange)
    broker.submit(an_order())
    exchange.fill(exchange.orders[0], "10", "100")
    assert [each.session for each in broker.fills(None)] == [SESSION]


def test_more_activities_than_a_page_holds_are_all_read(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.submit(an_order(shares="250"))
    for _ in range(250):
        exchange.fill(exchange.orders[0], "1", "100")
    assert sum(each.quantity for each in broker.fills(SESSION)) == 250
    assert exchange.requests("page_token") == 2


def test_more_orders_than_a_page_holds_are_all_read(exchange: Exchange) -> None:
    body = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc"}
    for number in range(700):
        exchange.now += dt.timedelta(microseconds=number % 2)
        exchange.accept(body)
    assert len(broker_at(exchange).open_orders()) == 700


def test_one_activity_told_with_two_contents_is_refused(exchange: Exchange) -> None:
    first = exchange.pay("DIV", "1.25")
    exchange.activities.append({**first, "net_amount": "1.26"})
    with pytest.raises(MalformedAnswerError, match="told twice"):
        broker_at(exchange).cash_flows(None)


def test_money_that_moves_has_a_kind_and_a_sign(exchange: Exchange) -> None:
    for kind, amount in [
        ("DIV", "12.34"),
        ("FEE", "-0.02"),
        ("INT", "1"),
        ("CSD", "500"),
        ("JNLC", "-7"),
    ]:
        exchange.pay(kind, amount)
    found = {each.kind: each.amount for each in broker_at(exchange).cash_flows(SESSION)}
    assert found == {
        FlowKind.DIVIDEND: Decimal("12.34"),
        FlowKind.FEE: Decimal("-0.02"),
        FlowKind.INTEREST: 1,
        FlowKind.DEPOSIT: 500,
        FlowKind.WITHDRAWAL: -7,
    }


def test_an_unknown_activity_is_refused_rather_than_left_out(exchange: Exchange) -> None:
    exchange.pay("OPASN", "0")
    with pytest.raises(MalformedAnswerError, match="OPASN"):
        broker_at(exchange).cash_flows(SESSION)


@pytest.mark.parametrize(("old", "new"), [("10", "40"), ("-10", "-40"), ("30", "3")])
def test_a_split_is_what_leaves_and_what_comes(exchange: Exchange, old: str, new: str) -> None:
    exchange.pay("SPLIT", "0", symbol="AAPL", qty=str(-Decimal(old)))
    exchange.pay("SPLIT", "0", symbol="AAPL", qty=new)
    (action,) = broker_at(exchange).share_actions(SESSION)
    assert (action.old_quantity, action.new_quantity) == (Decimal(old), Decimal(new))
    assert broker_at(exchange).cash_flows(SESSION) == ()


def test_half_a_split_is_refused(exchange: Exchange) -> None:
    exchange.pay("SPLIT", "0", symbol="AAPL", qty="30")
    with pytest.raises(MalformedAnswerError, match="AAPL"):
        broker_at(exchange).share_actions(SESSION)


def test_the_exits_of_a_bracket_go_by_the_order_that_brought_them(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    entry = an_order(bracket=Bracket(stop_loss_price=90.0, take_profit_price=120.0))
    broker.submit(entry)
    order = exchange.order(entry.client_order_id)
    exchange.fill(order, "10", "100")
    exchange.now += dt.timedelta(minutes=1)
    exchange.fill(order["legs"][1], "10", "89.5")
    bought, sold = broker.fills(SESSION)
    assert bought.client_order_id == sold.client_order_id == entry.client_order_id
    assert (bought.is_exit, sold.is_exit, sold.reason) == (False, True, "stop loss")
    assert sold.quantity == -10


def test_open_orders_are_all_but_the_exits_of_ours(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.submit(an_order(bracket=Bracket(stop_loss_price=90.0)))
    exchange.accept(
        {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "day"}
    )
    names = {each.client_order_id for each in broker.open_orders()}
    assert len(names) == 2
    assert an_order().client_order_id in names


def test_cancelling_what_has_ended_does_nothing(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.cancel("tf-nothing")
    broker.submit(an_order())
    broker.cancel(an_order().client_order_id)
    broker.cancel(an_order().client_order_id)
    assert exchange.orders[0]["status"] == "canceled"
    assert exchange.requests("DELETE") == 1


def test_an_order_that_fills_while_it_is_cancelled_is_no_failure(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.submit(an_order())
    exchange.misbehave("422", "DELETE", message="order is not cancelable")
    with pytest.raises(BrokerError):
        broker.cancel(an_order().client_order_id)
    exchange.misbehave("404", "DELETE")
    exchange.fill(exchange.orders[0], "10", "100")
    broker.cancel(an_order().client_order_id)


def test_everything_can_be_cancelled_and_closed(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.submit(an_order())
    broker.submit(an_order("MSFT"))
    assert broker.cancel_all() == 2
    assert broker.open_orders() == ()
    exchange.positions = {"AAPL": (Decimal(5), Decimal(100))}
    assert broker.close_all() == 1
    assert [(each["side"], each["qty"]) for each in exchange.orders[-1:]] == [("sell", "5")]


@pytest.mark.parametrize("status", ["INACTIVE", "ACCOUNT_CLOSED"])
def test_an_account_that_may_not_trade_says_so(exchange: Exchange, status: str) -> None:
    assert not broker_at(exchange).account().is_blocked
    exchange.status = status
    assert broker_at(exchange).account().is_blocked


def test_the_clock_names_the_session_that_trades_or_closed_last(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    assert (broker.clock().session, broker.clock().now) == (SESSION, exchange.now)
    exchange.now, exchange.is_open = dt.datetime(2024, 3, 5, 15, 0, tzinfo=dt.UTC), True
    assert broker.clock().session == dt.date(2024, 3, 5)


def test_an_order_at_the_broker_has_a_known_state(exchange: Exchange) -> None:
    broker = broker_at(exchange)
    broker.submit(an_order(side=Side.SELL))
    exchange.orders[0]["status"] = "vanished"
    with pytest.raises(MalformedAnswerError, match="vanished"):
        broker.open_orders() or broker.get_by_client_id(an_order(side=Side.SELL).client_order_id)
