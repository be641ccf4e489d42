"""A report of a rebalancing draws every distinct result once and names what was traded."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from slices.adaptive_portfolio.rebalancing.findings import headline, nothing_to_place
from slices.adaptive_portfolio.rebalancing.sections import trade_off_chart, trade_off_table
from slices.domain.rebalancing import BandPoint, RebalanceLine, RebalancePlan, TargetWeights
from slices.domain.trading import OrderPlan

SESSION = dt.date(2012, 8, 20)
EQUITY = 100_000.0


def point(band: float, costs: float, tracking_error: float) -> BandPoint:
    return BandPoint(
        band=band, trades=1, turnover=0.1, costs=costs / EQUITY, tracking_error=tracking_error
    )


CHEAP = tuple(point(band, 20.0, 0.03) for band in (0.03, 0.05, 0.1))
DEAR = tuple(point(band, 50.0, 0.001) for band in (0.0, 0.0025, 0.02))
LINE = RebalanceLine(
    symbol="IBM",
    price=100.0,
    held=10.0,
    quantity=5.0,
    held_weight=0.01,
    target_weight=0.015,
    weight_after=0.015,
    band=0.0,
    costs=35.0,
    reason="beyond its band",
)
PLAN = RebalancePlan(
    session=SESSION,
    targets=TargetWeights(symbols=("IBM",), weights=(0.015,), basis="Given."),
    lines=(LINE,),
    equity=EQUITY,
    cash=99_000.0,
    cash_after=98_500.0,
    turnover=0.0025,
    costs=35.0,
    tracking_before=0.05,
    tracking_after=0.002,
    unfunded=(),
    unpriced=(),
    waiting=0,
    curve=(*DEAR, *CHEAP),
    orders=OrderPlan(
        workflow="portfolio_rebalance", strategy="rebalance", session=SESSION, orders=(), details=()
    ),
)


def test_bands_of_one_result_are_one_point_with_costs_in_money() -> None:
    bands, own = trade_off_chart(PLAN).points
    assert np.allclose(np.array(bands.x, dtype=float), [20.0, 50.0])
    assert bands.y == (0.03, 0.001)
    assert bands.labels == ("3% to 10%", "0% to 2%")
    assert own.x == (35.0,)
    assert np.allclose([float(str(row[3])) for row in trade_off_table(PLAN).rows[:3]], 50.0)


def test_a_plan_that_is_as_some_bands_are_is_drawn_once() -> None:
    bands, own = trade_off_chart(replace(PLAN, costs=50.0, tracking_after=0.001)).points
    assert bands.labels == ("3% to 10%",)
    assert own.labels == ("this plan, 0% to 2%",)
    alone = replace(PLAN, costs=50.0, tracking_after=0.001, curve=DEAR)
    assert [each.name for each in trade_off_chart(alone).points] == ["This plan"]


def test_unknown_tracking_errors_are_one_result_too() -> None:
    curve = tuple(replace(each, tracking_error=float("nan")) for each in DEAR)
    bands, _ = trade_off_chart(replace(PLAN, curve=curve)).points
    assert bands.labels == ("0% to 2%",)


def test_an_account_without_positions_is_not_brought_back() -> None:
    empty = replace(PLAN, lines=(replace(LINE, held=0.0, held_weight=0.0),))
    said = {
        name: headline(plan, nothing_to_place("some", plan), execution="plan")
        for name, plan in (("held", PLAN), ("empty", empty))
    }
    assert "back to target" in said["held"]
    assert "to target" in said["empty"]
    assert "back" not in said["empty"]
