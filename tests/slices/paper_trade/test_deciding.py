"""A paper account orders what a backtest of its rule is given, and nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.accounts import AccountBook, Position, TradingMode
from slices.domain.backtests import StrategyChoice
from slices.domain.errors import BadDataError
from slices.domain.orders import OrderRecord, OrderState, Side
from slices.domain.parameters import TradingRules
from slices.domain.strategies import StrategyName
from slices.domain.trading import OrderPlan
from slices.paper_trade.deciding import (
    Rule,
    decided_weights,
    is_taken,
    planned,
    rule_of,
    taken_targets,
    weights_of,
)
from slices.quant.panel import Panel
from slices.quant.signals.catalogue import STRATEGIES, default_parameters
from slices.quant.signals.volatility import VolatilityTarget, volatility_target
from slices.quant.simulation.orders import REASONS
from tests.slices.quant.market import panel_of, us_closes

AT = dt.datetime(2024, 1, 2, 21, tzinfo=dt.UTC)
CAPITAL = Decimal(100_000)


def book(*positions: Position, cash: Decimal = CAPITAL) -> AccountBook:
    return AccountBook(
        name="main",
        mode=TradingMode.PAPER,
        capital=CAPITAL,
        opened=dt.date(1990, 1, 1),
        session=dt.date(1990, 1, 5),
        cash=cash,
        positions=positions,
        day_start_equity=CAPITAL,
        peak_equity=CAPITAL,
    )


def rule(
    strategy: StrategyName = StrategyName.SMA_CROSS,
    *,
    sizing: str = "equal_shares",
    gross: float = 1.0,
) -> Rule:
    settings = tuple(default_parameters(strategy).model_dump().items())
    return rule_of(
        StrategyChoice(strategy=strategy, parameters=settings),
        sizing=sizing,
        target_volatility=0.1,
        rules=TradingRules(gross_exposure=gross),
    )


def panel(sessions: int = 300, symbols: int = 4) -> Panel:
    return panel_of(np.ascontiguousarray(us_closes()[2][:sessions, :symbols]))


def records(plan: OrderPlan, *states: OrderState) -> tuple[OrderRecord, ...]:
    return tuple(
        OrderRecord(order=order, state=state, decided_at=AT, updated_at=AT)
        for order, state in zip(plan.named("main"), states, strict=True)
    )


@given(st.integers(0, 10_000))
def test_orders_are_the_decisions_of_the_backtest(seed: int) -> None:
    bars, random = panel(30), np.random.default_rng(seed)
    weights = random.choice([0.0, 0.1, 0.2, -0.1], (30, 4))
    expected = decided_weights(weights)
    before: dict[str, float] = {}
    for row in range(30):
        plan = planned(bars, row, weights[row], book=book(), before=before, rule=rule())
        before |= taken_targets(records(plan, *[OrderState.ACCEPTED] * len(plan.orders)))
        ordered = {each.symbol: each.target_weight for each in plan.orders}
        columns = np.flatnonzero(np.isfinite(expected[row]))
        assert ordered == {bars.symbols[i]: expected[row, i] for i in columns}
        assert dict(plan.targets) == dict(zip(bars.symbols, weights[row], strict=True))


def test_an_order_that_was_denied_is_tried_again_until_it_stands() -> None:
    bars, wanted = panel(10), np.array([0.25, 0.25, 0.0, 0.0])
    first = planned(bars, 5, wanted, book=book(), before={}, rule=rule())
    made = records(first, OrderState.DENIED, OrderState.FILLED)
    again = planned(bars, 6, wanted, book=book(), before=taken_targets(made), rule=rule())
    assert [each.symbol for each in again.orders] == ["S0"]
    known = (*made, *records(again, OrderState.ACCEPTED))
    third = planned(bars, 7, wanted, book=book(), before=taken_targets(known), rule=rule())
    assert third.orders == ()


@pytest.mark.parametrize(
    ("state", "reasons", "filled", "stands"),
    [
        (OrderState.DENIED, ("halted: ...",), 0, False),
        (OrderState.REJECTED, ("no such symbol",), 0, False),
        (OrderState.CANCELLED, ("the kill switch was used",), 0, False),
        (OrderState.CANCELLED, ("the kill switch was used",), 3, True),
        *((OrderState.CANCELLED, (why,), 0, True) for why in REASONS[1:]),
        (OrderState.EXPIRED, ("its time was over",), 0, True),
        (OrderState.INTENDED, (), 0, True),
        (OrderState.UNKNOWN, (), 0, True),
        (OrderState.FILLED, (), 3, True),
    ],
)
def test_only_orders_nobody_withdrew_stand(
    state: OrderState, reasons: tuple[str, ...], filled: int, *, stands: bool
) -> None:
    plan = planned(panel(10), 5, np.array([0.25, 0, 0, 0]), book=book(), before={}, rule=rule())
    (record,) = records(plan, state)
    told = replace(record, reasons=reasons, filled_quantity=Decimal(filled))
    assert is_taken(told) == stands


def test_the_same_close_makes_the_same_orders_whatever_comes_after() -> None:
    whole = panel(300)
    for row in (60, 120, 250):
        cut = whole.until(row + 1)
        for sizing in ("equal_shares", "volatility_target"):
            wanted = [weights_of(each, rule(sizing=sizing))[row] for each in (whole, cut)]
            assert np.array_equal(*wanted)
            plans = [
                planned(each, row, wanted[0], book=book(), before={}, rule=rule())
                for each in (whole, cut)
            ]
            assert plans[0] == plans[1]


def test_a_volatility_target_holds_less_of_what_moves_more() -> None:
    bars = panel(300)
    for strategy in (StrategyName.SMA_CROSS, StrategyName.CROSS_SECTIONAL_MOMENTUM):
        plain = weights_of(bars, rule(strategy))
        scaled = weights_of(bars, rule(strategy, sizing="volatility_target"))
        factor = volatility_target(bars, VolatilityTarget(target=0.1))
        assert np.array_equal(scaled, plain * factor)
        assert (np.abs(scaled) <= np.abs(plain)).all()
        assert scaled.sum() < plain.sum()


def test_the_rules_leave_the_rest_in_cash() -> None:
    bars = panel(300)
    half = weights_of(bars, rule(gross=0.5))
    strategy = STRATEGIES[StrategyName.SMA_CROSS]
    whole = strategy.target_weights(bars, default_parameters("sma_cross"))
    assert np.allclose(half, whole / 2)


def test_expected_shares_are_what_the_newest_mark_says() -> None:
    bars = panel(10)
    held = Position(
        symbol="S0",
        quantity=Decimal(100),
        basis=Decimal(1000),
        mark=Decimal(20),
        marked=bars.sessions[5],
        opened=bars.sessions[0],
    )
    mine = book(held, cash=Decimal(98_000))
    wanted = np.array([0.0, 0.5, 0.0, 0.0])
    plan = planned(bars, 5, wanted, book=mine, before={"S0": 0.1}, rule=rule())
    sale, purchase = plan.orders
    assert (sale.side, sale.quantity, sale.target_weight) == (Side.SELL, Decimal(100), 0.0)
    assert purchase.side is Side.BUY
    assert float(purchase.quantity) == pytest.approx(50_000 / bars.close[5, 1], rel=1e-9)


def test_a_weight_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadDataError):
        planned(panel(10), 5, np.array([np.nan, 0, 0, 0]), book=book(), before={}, rule=rule())
