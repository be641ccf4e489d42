"""Fills gathered into trades, and what an account was exposed to, traded and paid."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.parameters import Costs, TradingRules
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.exposure import (
    annual_turnover,
    cost_attribution,
    gross_exposure,
    net_exposure,
    session_turnover,
)
from slices.quant.simulation.orders import Bracket, OrderIntent
from slices.quant.simulation.round_trips import round_trips, trades_of
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.market import panel_of
from tests.slices.quant.simulated import (
    FREE,
    RULES,
    Case,
    bars,
    hard_cases,
    in_plain_python,
    plain_cases,
    random_orders,
)


def check_pnl(case: Case, account: Simulation) -> None:
    closed, still_open = trades_of(account, case.panel)
    earned = account.interest.sum() + account.dividends.sum() - account.borrow_fees.sum()
    gained = sum(each.pnl for each in closed + still_open) + earned + account.written_off
    scale = case.capital + np.abs(account.values).max() + np.abs(account.fills.costs).sum()
    assert gained == pytest.approx(account.equity[-1] - case.capital, rel=1e-9, abs=1e-9 * scale)
    costs = sum(each.costs for each in closed + still_open)
    assert costs == pytest.approx(account.fills.costs.sum(), rel=1e-9)
    exits = [each.exit_session for each in closed]
    assert exits == sorted(exits)
    held = {case.panel.symbols[i] for i in np.flatnonzero(account.shares[-1])}
    assert sorted(each.symbol for each in still_open) == sorted(held)


@given(st.one_of(plain_cases(), hard_cases()))
def test_trades_add_up_to_the_change_in_equity(case: Case) -> None:
    check_pnl(case, case.simulated())


@given(st.one_of(plain_cases(), hard_cases()), st.integers(0, 10_000))
def test_trades_of_orders_add_up_too(case: Case, seed: int) -> None:
    check_pnl(case, case.ordered(random_orders(np.random.default_rng(seed), case, 25)))


@given(hard_cases())
@settings(max_examples=8)
def test_trades_in_compiled_code_equal_their_text_in_python(case: Case) -> None:
    account = case.simulated()
    compiled, _ = round_trips(account)
    with pytest.MonkeyPatch.context() as patch:
        in_plain_python(patch)
        plain, _ = round_trips(account)
    assert plain.pnl == pytest.approx(compiled.pnl, rel=1e-12)
    assert plain.entry_prices == pytest.approx(compiled.entry_prices, rel=1e-12)
    assert plain.exit_rows.tolist() == compiled.exit_rows.tolist()


CLOSES = np.array([[10.0], [10.0], [20.0], [30.0], [30.0], [15.0], [15.0]])


def simulated(*targets: float, costs: Costs = FREE) -> tuple[Case, Simulation]:
    case = Case(
        panel=panel_of(CLOSES), targets=np.array(targets)[:, None], costs=costs, capital=1000.0
    )
    return case, case.simulated()


NAN = float("nan")


def test_a_trade_built_up_and_taken_down_has_average_prices() -> None:
    costs = Costs(commission_bps=0, slippage_bps=0, commission_minimum=1.0)
    case, account = simulated(0.5, 0.75, 0.5, 0.0, NAN, NAN, NAN, costs=costs)
    (trade,), still_open = trades_of(account, case.panel)
    first, second, third, last = account.fills.quantities
    assert still_open == ()
    assert trade.entry_session == dt.date(1990, 1, 2)
    assert trade.exit_session == dt.date(1990, 1, 5)
    assert trade.sessions_held == 3
    assert trade.quantity == pytest.approx(first + second)
    assert trade.entry_price == pytest.approx((first * 10 + second * 20) / (first + second))
    assert trade.exit_price == pytest.approx((third * 30 + last * 30) / (third + last))
    assert trade.costs == pytest.approx(4.0)
    assert trade.pnl == pytest.approx(account.equity[-1] - 1000.0)
    assert trade.return_on_entry == pytest.approx(trade.pnl / (first * 10 + second * 20))
    assert (trade.is_long, trade.exit_reason) == (True, "target weight")


def test_a_change_of_sides_is_two_trades() -> None:
    case, account = simulated(1.0, NAN, -0.5, NAN, NAN, NAN, NAN)
    (long,), (short,) = trades_of(account, case.panel)
    assert (long.is_long, long.exit_price, long.pnl) == (True, 30, pytest.approx(2000))
    assert (short.is_long, short.entry_price, short.exit_price) == (False, 30, 15)
    assert short.pnl == pytest.approx(1500 * 0.5)
    assert (short.exit_session, short.exit_reason, short.sessions_held) == (None, "", 3)


def test_a_split_restates_a_trade_in_new_shares() -> None:
    flat, after = (100, 100, 100, 100), (50, 60, 50, 60)
    splits = np.array([[1.0], [1.0], [2.0], [1.0]])
    panel = bars(flat, flat, after, (60, 60, 60, 60))
    case = Case(panel=panel, targets=splits, costs=FREE, splits=splits)
    bracket = Bracket(take_profit=0.2)
    account = case.ordered([OrderIntent(row=0, column=0, quantity=10, bracket=bracket)])
    (trade,), _ = trades_of(account, case.panel)
    assert (trade.quantity, trade.entry_price, trade.exit_price) == (20, 50, 60)
    assert trade.pnl == pytest.approx(200)
    assert trade.exit_reason == "take profit"


def test_exposures_are_of_equity_and_signed_where_net() -> None:
    closes = np.full((3, 2), 10.0)
    targets = np.array([[0.5, -0.25], [np.nan, np.nan], [np.nan, np.nan]])
    account = simulate_targets(panel_of(closes), targets, costs=FREE, rules=RULES, capital=100.0)
    assert gross_exposure(account).tolist() == [0, 0.75, 0.75]
    assert net_exposure(account).tolist() == [0, 0.25, 0.25]


def test_turnover_is_one_way_and_per_year() -> None:
    targets = np.array([[1.0], [0.0], [np.nan]])
    panel = panel_of(np.full((3, 1), 10.0))
    account = simulate_targets(panel, targets, costs=FREE, rules=RULES, capital=100.0)
    assert session_turnover(account, panel).tolist() == [0, 0.5, 0.5]
    assert annual_turnover(account, panel) == pytest.approx(1.0 / (2 / 252))
    single = simulate_targets(panel.until(1), targets[:1], costs=FREE, rules=RULES, capital=100.0)
    assert np.isnan(annual_turnover(single, panel.until(1)))


def test_turnover_is_of_the_equity_before_costs() -> None:
    costs = Costs(commission_bps=1000, slippage_bps=0)
    panel = panel_of(np.full((2, 1), 10.0))
    account = simulate_targets(
        panel, np.array([[1.0], [np.nan]]), costs=costs, rules=RULES, capital=110.0
    )
    assert session_turnover(account, panel)[1] == pytest.approx(100 / 110 / 2)


@given(st.one_of(plain_cases(), hard_cases()))
def test_costs_are_attributed_in_full(case: Case) -> None:
    account = case.simulated()
    parts = cost_attribution(account)
    paid = account.fills.costs.sum() + account.borrow_fees.sum()
    assert parts.total == pytest.approx(paid, rel=1e-12)
    assert (parts.interest, parts.dividends) == (
        account.interest.sum(),
        account.dividends.sum(),
    )


def test_leverage_shows_in_gross_exposure() -> None:
    account = simulate_targets(
        panel_of(np.full((2, 1), 10.0)),
        np.array([[2.0], [np.nan]]),
        costs=FREE,
        rules=TradingRules(gross_exposure=2.0),
        capital=100.0,
    )
    assert gross_exposure(account)[-1] == pytest.approx(2.0)
