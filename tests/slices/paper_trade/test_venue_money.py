"""The money of the paper venue: honest losses, cash that is there, every unit accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.exact import ZERO, money, notional, quantity
from slices.domain.orders import Bracket, Order, OrderKind, OrderState
from slices.domain.parameters import Costs, TradingRules
from slices.domain.trading_errors import OrderRejectedError
from slices.ledger.opening import Ledger
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import Panel
from tests.slices.quant.simulated import Case, hard_cases, random_orders
from tests.support.venues import (
    CAPITAL,
    flat,
    made_ledger,
    opened,
    order_of,
    ordered,
    quoted,
)

WIDE = TradingRules(gross_exposure=2)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = made_ledger(tmp_path_factory.mktemp("venue"))
    yield made
    made.close()


def held(broker: PaperBroker) -> dict[str, Decimal]:
    return {each.symbol: each.quantity for each in broker.positions()}


def lived(
    ledger: Ledger, panel: Panel, *orders: Order, account: str, rules: TradingRules = WIDE
) -> PaperBroker:
    """Hand orders in at the close of the first session and live through the rest."""
    broker, _ = opened(ledger, panel, account=account, rules=rules)
    broker.advance(panel, until=panel.sessions[0])
    for each in orders:
        broker.submit(each)
    broker.advance(panel, until=panel.sessions[-1])
    return broker


def test_r35_a_stop_beyond_a_gap_fills_at_the_open(ledger: Ledger) -> None:
    panel = quoted((100, 101, 99, 100), (100, 102, 98, 101), (100, 101, 99, 100), (80, 85, 79, 84))
    account = "gap"
    broker, _ = opened(ledger, panel, account=account)
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(account, panel.sessions[0], 100))
    broker.advance(panel, until=panel.sessions[1])
    stop = ordered(account, panel.sessions[1], -100, kind=OrderKind.STOP, stop=95)
    broker.submit(stop)
    broker.advance(panel, until=panel.sessions[3])
    entry, left = broker.fills(None)
    assert (entry.price, left.price) == (100, 80)
    assert left.session == panel.sessions[3]
    assert left.reason == "stop"
    assert broker.account().cash == CAPITAL - 2000
    assert held(broker) == {}


def test_r35_a_bracket_beyond_a_gap_fills_at_the_open_and_a_touch_at_its_level(
    ledger: Ledger,
) -> None:
    calm, gap = (100, 101, 99, 100), (80, 85, 79, 84)
    touch = (97, 98, 90, 93)
    for name, last, price_paid in (("bracket-gap", gap, 80), ("bracket-touch", touch, 95)):
        panel = quoted(calm, calm, calm, last)
        order = ordered(name, panel.sessions[0], 100, bracket=Bracket(stop_loss=0.05))
        broker = lived(ledger, panel, order, account=name)
        entry, left = broker.fills(None)
        assert (left.price, left.reason, left.is_exit) == (price_paid, "stop loss", True)
        assert left.client_order_id == entry.client_order_id == order.client_order_id
        assert broker.account().cash == CAPITAL - 100 * (100 - price_paid)
        told = broker.get_by_client_id(order.client_order_id)
        assert told is not None
        assert (told.state, told.filled_quantity) == (OrderState.FILLED, 100)


@settings(max_examples=12)
@given(hard_cases(), st.integers(0, 10_000))
def test_r37_cash_and_positions_are_the_equity_after_every_session(
    ledger: Ledger, case: Case, seed: int
) -> None:
    """Without borrowing nothing is owed, whatever is ordered; cents are what rounding makes."""
    panel = case.until(15).panel
    rules = case.rules.model_copy(update={"gross_exposure": 1.0})
    orders = random_orders(np.random.default_rng(seed), replace(case, panel=panel), 30)
    orders = [each for each in orders if (each.quantity or each.weight or 0) > 0]
    broker, name = opened(ledger, panel, costs=case.costs, rules=rules)
    for t, session in enumerate(panel.sessions):
        broker.advance(panel, until=session)
        told, closes = (
            broker.account(),
            dict(zip(panel.symbols, panel.close[: t + 1].T, strict=True)),
        )
        worth = ZERO
        for symbol, shares in held(broker).items():
            seen = closes[symbol][~np.isnan(closes[symbol])]
            worth += notional(shares, Decimal(repr(round(float(seen[-1]), 9))))
        assert abs(told.equity - told.cash - worth) < Decimal("0.0001")
        assert told.cash > Decimal("-0.01")
        assert all(shares > 0 for shares in held(broker).values())
        for sequence, each in enumerate(orders):
            if each.row == t:
                broker.submit(order_of(each, panel, name, sequence))


def test_r37_a_purchase_beyond_the_cash_is_cut_to_what_cash_and_costs_pay_for(
    ledger: Ledger,
) -> None:
    panel = flat(100, 100)
    broker, name = opened(ledger, panel, costs=Costs(commission_bps=100, slippage_bps=0))
    broker.advance(panel, until=panel.sessions[0])
    order = ordered(name, panel.sessions[0], 5000)
    broker.submit(order)
    broker.advance(panel, until=panel.sessions[1])
    assert abs(broker.account().cash) < Decimal("0.0001")
    assert float(held(broker)["A"]) == pytest.approx(1000 / 1.01)
    told = broker.get_by_client_id(order.client_order_id)
    assert told is not None
    assert told.state is OrderState.CANCELLED
    assert "cash" in told.reason


def test_orders_for_all_of_a_crooked_position_leave_no_dust(ledger: Ledger) -> None:
    panel = flat(3.0, 7.0, 7.0, 7.0)
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(name, panel.sessions[0], weight=1 / 3))
    broker.advance(panel, until=panel.sessions[1])
    shares = held(broker)["A"]
    broker.submit(replace(ordered(name, panel.sessions[1], -1), quantity=shares))
    broker.advance(panel, until=panel.sessions[2])
    assert held(broker) == {}
    assert [each.quantity for each in broker.fills(None)] == [shares, -shares]
    assert broker.advance(replace(panel, symbols=("B",)), until=panel.sessions[3])


def test_orders_for_many_shares_fill_to_the_last_unit(ledger: Ledger) -> None:
    panel = flat(0.01, 0.01, 0.01, 0.01)
    broker, name = opened(ledger, panel, capital=1e8)
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(name, panel.sessions[0], weight=1 / 3))
    broker.advance(panel, until=panel.sessions[1])
    order = replace(ordered(name, panel.sessions[1], 1), quantity=quantity("123456789.123456789"))
    broker.submit(order)
    broker.advance(panel, until=panel.sessions[2])
    told = broker.get_by_client_id(order.client_order_id)
    assert told is not None
    assert (told.state, told.filled_quantity) == (OrderState.FILLED, order.quantity)
    assert sum((each.quantity for each in broker.fills(None)), ZERO) == held(broker)["A"]


def test_a_symbol_that_ends_is_closed_at_its_last_close(ledger: Ledger) -> None:
    panel = flat(100, 100, 120, 120, 120)
    gone = {
        n: np.where(np.arange(5)[:, None] > 2, np.nan, getattr(panel, n))
        for n in ("open", "high", "low", "close", "volume")
    }
    panel = replace(panel, **gone)
    order = ordered("delisted", panel.sessions[0], 10)
    broker, _ = opened(ledger, panel, account="delisted")
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(order)
    broker.advance(panel, until=panel.sessions[-1], ended=[("A", panel.sessions[2])])
    fill = broker.fills(None)[-1]
    assert (fill.session, fill.price, fill.reason) == (panel.sessions[2], 120, "delisting")
    assert fill.client_order_id == ""
    assert broker.account().cash == CAPITAL + 200


def test_a_ruined_account_owes_nothing_and_trades_no_more(ledger: Ledger) -> None:
    panel = flat(100, 100, 30, 30)
    broker, name = opened(ledger, panel, rules=TradingRules(gross_exposure=3))
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(name, panel.sessions[0], weight=3.0))
    broker.advance(panel, until=panel.sessions[2])
    told = broker.account()
    assert (told.cash, told.equity, broker.engine_equity) == (0, 0, 0)
    (written_off,) = broker.cash_flows(None)
    assert (written_off.kind, written_off.amount) == ("write_off", money(110_000))
    assert broker.fills(None)[-1].reason == "ruin"
    with pytest.raises(OrderRejectedError, match="ruined"):
        broker.submit(ordered(name, panel.sessions[2], 1))
    broker.advance(panel, until=panel.sessions[3])
    assert broker.account().equity == 0
    assert len(broker.cash_flows(None)) == 1


def test_interest_and_borrow_fees_are_told_by_session(ledger: Ledger) -> None:
    panel = flat(100, 100, 100)
    costs = Costs(commission_bps=0, slippage_bps=0, cash_rate=0.0365, borrow_rate=0.073)
    broker, name = opened(ledger, panel, costs=costs)
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(name, panel.sessions[0], -500))
    broker.advance(panel, until=panel.sessions[2])
    flows = [(each.session, each.kind, each.amount) for each in broker.cash_flows(None)]
    assert flows == [
        (panel.sessions[1], "interest", money(10)),
        (panel.sessions[2], "borrow_fee", money(-10)),
        (panel.sessions[2], "interest", money("10.001")),
    ]
    assert len(broker.cash_flows(panel.sessions[2])) == 2
