"""Weights become shares, prices come onto the grid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.accounts import AccountBook, Position, TradingMode
from slices.domain.errors import SymbolNotFoundError
from slices.domain.exact import QUANTITY_UNIT, ZERO, money, price, quantity
from slices.domain.orders import Bracket, Side
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.live_trade.quantities import in_shares, on_grid
from tests.slices.live_trade.live_accounts import to_weights
from tests.slices.live_trade.live_orders import SESSION

MARK = price("37.21")


def book(held: Decimal = ZERO, cash: float = 10_000.0) -> AccountBook:
    positions = (
        Position(
            symbol="AAPL", quantity=held, basis=money(held * MARK), mark=MARK, marked=SESSION,
            opened=SESSION,
        ),
    )  # fmt: skip
    return AccountBook(
        name="main", mode=TradingMode.LIVE, capital=money(cash), opened=SESSION, session=SESSION,
        cash=money(cash), positions=positions if held else (), day_start_equity=money(cash),
        peak_equity=money(cash),
    )  # fmt: skip


def change(held: Decimal, weight: float) -> Decimal:
    plan = in_shares(to_weights(AAPL=weight), book(held), {"AAPL": MARK})
    return sum((each.side.sign * each.quantity for each in plan.orders), ZERO)


@given(st.decimals(-200, 200, places=9), st.floats(-1, 1))
def test_an_order_leads_to_its_weight_and_never_past_it(held: Decimal, weight: float) -> None:
    account = book(quantity(held))
    wanted = Decimal(repr(weight)) * account.equity / MARK
    made = change(quantity(held), weight)
    after = account.held("AAPL") + made
    if held * wanted < 0:
        assert after == 0
    else:
        assert abs(after - wanted) < 1
        assert min(held, wanted) - QUANTITY_UNIT <= after <= max(held, wanted) + QUANTITY_UNIT
    assert after == 0 or made == int(made)


def test_what_comes_to_nothing_is_left_out_and_said() -> None:
    plan = in_shares(to_weights(AAPL=0.0), book(), {"AAPL": MARK})
    assert plan.orders == ()
    assert [name for name, _ in plan.details] == ["AAPL"]


def test_an_order_to_a_weight_is_in_whole_shares() -> None:
    planned = PlannedOrder(
        symbol="AAPL", side=Side.BUY, quantity=ZERO, target_weight=0.5,
        bracket=Bracket(stop_loss_price=30.0),
    )  # fmt: skip
    plan = OrderPlan(workflow="w", strategy="s", session=dt.date(2024, 3, 4), orders=(planned,))
    (order,) = in_shares(plan, book(), {"AAPL": MARK}).orders
    assert order.quantity == int(Decimal(5000) / MARK)


def test_a_symbol_without_a_price_is_named() -> None:
    with pytest.raises(SymbolNotFoundError, match="AAPL"):
        in_shares(to_weights(AAPL=0.5), book(), {})


@given(st.decimals("0.0001", 10_000, places=9), st.sampled_from(Side))
def test_the_grid_never_makes_a_limit_worse(limit: Decimal, side: Side) -> None:
    found = on_grid(limit, side, is_limit=True)
    assert found is not None
    assert (limit - found) * side.sign >= 0
    assert abs(found - limit) < (Decimal("0.0001") if limit < 1 else Decimal("0.01"))
