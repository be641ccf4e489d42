"""Orders have names that repeat, and accounts add up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from slices.domain.accounts import AccountBook, Position, TradingMode, TradingState
from slices.domain.limits import RiskLimits
from slices.domain.orders import Fill, OrderKind, Side, client_order_id
from slices.domain.trading import OrderPlan, PlannedOrder

SESSION = dt.date(2012, 5, 1)
NAMED = {
    "account": "main",
    "workflow": "paper_trading",
    "strategy": "sma_cross",
    "session": SESSION,
    "symbol": "AAPL",
    "side": Side.BUY,
    "sequence": 0,
}
OTHERS = {
    "account": "other",
    "workflow": "portfolio_rebalance",
    "strategy": "macd",
    "session": dt.date(2012, 5, 2),
    "symbol": "MSFT",
    "side": Side.SELL,
    "sequence": 1,
}


def test_the_same_order_has_the_same_name_and_any_difference_another() -> None:
    name = client_order_id(**NAMED)  # type: ignore[arg-type]
    assert client_order_id(**NAMED) == name  # type: ignore[arg-type]
    changed = {client_order_id(**(NAMED | {key: value})) for key, value in OTHERS.items()}  # type: ignore[arg-type]
    assert len(changed | {name}) == len(OTHERS) + 1
    assert len(name) <= 48


def test_a_plan_names_its_orders_the_same_way_whenever_it_is_made() -> None:
    planned = PlannedOrder(symbol="AAPL", side=Side.BUY, quantity=Decimal(3), kind=OrderKind.MARKET)
    plan = OrderPlan(
        workflow="paper_trading", strategy="sma_cross", session=SESSION, orders=(planned,)
    )
    (order,) = plan.named("main")
    assert order.client_order_id == client_order_id(**NAMED)  # type: ignore[arg-type]
    assert (order.account, order.quantity, order.signed_quantity) == ("main", 3, 3)


def test_a_fill_moves_cash_by_its_value_and_its_costs() -> None:
    bought = Fill(
        fill_id="f",
        account="main",
        client_order_id="o",
        symbol="AAPL",
        quantity=Decimal(10),
        price=Decimal("5.25"),
        commission=Decimal("0.5"),
        spread=Decimal("0.25"),
        session=SESSION,
        at=dt.datetime(2012, 5, 1, 20, tzinfo=dt.UTC),
    )
    assert bought.cash == Decimal("-53.25")


def book(*positions: Position, cash: str, peak: str, before: str) -> AccountBook:
    return AccountBook(
        name="main",
        mode=TradingMode.PAPER,
        capital=Decimal(1000),
        opened=SESSION,
        session=SESSION,
        cash=Decimal(cash),
        positions=positions,
        day_start_equity=Decimal(before),
        peak_equity=Decimal(peak),
    )


def position(shares: str, basis: str, mark: str | None) -> Position:
    return Position(
        symbol="AAPL",
        quantity=Decimal(shares),
        basis=Decimal(basis),
        mark=None if mark is None else Decimal(mark),
        marked=None if mark is None else SESSION,
        opened=SESSION,
    )


def test_equity_is_cash_and_positions_and_losses_are_fractions_of_what_was() -> None:
    account = book(position("10", "500", "40"), cash="500", peak="1200", before="1000")
    assert account.equity == 900
    assert account.drawdown == pytest.approx(0.25)
    assert account.daily_loss == pytest.approx(0.1)
    assert account.positions[0].unrealized_pnl == -100
    assert account.held("MSFT") == 0


def test_a_short_position_gains_where_the_price_falls() -> None:
    short = position("-10", "-500", "40")
    assert short.average_price == 50
    assert short.unrealized_pnl == 100


def test_a_position_without_a_mark_is_worth_what_was_paid() -> None:
    assert position("10", "500", None).value == 500


def test_an_account_that_lost_everything_has_lost_all_of_it() -> None:
    assert book(cash="0", peak="0", before="0").drawdown == 1.0


def test_states_grow_in_severity() -> None:
    assert [each.severity for each in TradingState] == [0, 1, 2]


def test_limits_can_be_written_in_one_word_each() -> None:
    limits = RiskLimits.model_validate(
        {"sectors": "aapl=tech, xom=energy", "restricted": "ibm, ko"}
    )
    assert limits.sectors == {"AAPL": "tech", "XOM": "energy"}
    assert limits.restricted == ["IBM", "KO"]
