"""The simulation of target weights: its contract, and references equal to 1e-12."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.errors import BadDataError, ParameterError
from slices.domain.parameters import Costs, TradingRules
from slices.quant.simulation import targets as targets_module
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.market import panel_of, us_closes
from tests.slices.quant.simulated import (
    CAPITAL,
    FREE,
    RULES,
    Case,
    check_fills,
    check_ledger,
    hard_cases,
    in_plain_python,
    plain_cases,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FIVE_BPS = Costs(commission_bps=5, slippage_bps=0)


def general(case: Case) -> Simulation:
    """Run the loop that covers every case, also where the fast one would do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets_module, "is_plain", lambda *_: False)
        return case.simulated()


def same(one: Simulation, other: Simulation, *, rel: float = 1e-12) -> None:
    """Check that two accounts had the same life."""
    scale = np.abs(one.equity).max() + np.abs(one.values).max(initial=0)
    assert other.equity == pytest.approx(one.equity, rel=rel, abs=rel * scale)
    assert other.fills.rows.tolist() == one.fills.rows.tolist()
    assert other.fills.columns.tolist() == one.fills.columns.tolist()
    traded = np.abs(one.fills.quantities).max(initial=0)
    assert other.fills.quantities == pytest.approx(one.fills.quantities, rel=1e-9, abs=rel * traded)
    assert other.fills.costs == pytest.approx(one.fills.costs, rel=1e-9, abs=rel * scale)
    assert np.array_equal(other.scaled_rows, one.scaled_rows)


def left_after(values: list[float], weights: list[float], equity: float, rate: float) -> float:
    """Bisect for the equity left when decided positions are moved to their weights of it."""

    def spent(left: float) -> float:
        return left + rate * sum(
            abs(left * w - v) for w, v in zip(weights, values, strict=True) if not isnan(w)
        )

    low, high = 0.0, equity
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) < equity else (low, middle)
    return (low + high) / 2


def reference(case: Case) -> list[float]:
    """Equity by bisection, one position after the other, in plain Python."""
    rate, cash, shares, equity = case.costs.rate, case.capital, [0.0] * len(case.panel.symbols), []
    for t, close in enumerate(case.panel.close.tolist()):
        weights = case.targets[t - 1].tolist() if t else [float("nan")] * len(shares)
        if not all(isnan(w) for w in weights):
            prices = case.panel.open[t].tolist()
            values = [held * price for held, price in zip(shares, prices, strict=True)]
            left = left_after(values, weights, cash + sum(values), rate)
            wanted = [
                0.0 if isnan(w) else left * w - v for w, v in zip(weights, values, strict=True)
            ]
            sold, bought = (
                [each for each in wanted if (each > 0) is is_bought] for is_bought in (False, True)
            )
            cash -= (1 - rate) * sum(sold)
            needed = (1 + rate) * sum(bought)
            available = cash + (case.rules.gross_exposure - 1) * left
            share = 1.0 if needed <= available + 1e-9 * left else max(0.0, available / needed)
            cash -= needed * share
            for i, each in enumerate(wanted):
                shares[i] += (each if each < 0 else each * share) / prices[i]
                if weights[i] == 0:
                    shares[i] = 0.0
        equity.append(cash + sum(held * price for held, price in zip(shares, close, strict=True)))
    return equity


def is_solvent(equity: list[float] | np.ndarray) -> bool:
    return bool(min(equity) > 0)


@given(plain_cases())
def test_both_loops_equal_a_plain_reference(case: Case) -> None:
    expected = reference(case)
    if not is_solvent(expected):
        return
    scale = max(expected) * case.rules.gross_exposure
    for account in (case.simulated(), general(case)):
        assert account.equity == pytest.approx(expected, rel=1e-12, abs=1e-11 * scale)


@given(plain_cases())
def test_the_fast_loop_equals_the_general_one(case: Case) -> None:
    fast, slow = case.simulated(), general(case)
    same(fast, slow)
    assert np.array_equal(fast.pending, slow.pending, equal_nan=True)
    assert fast.fills.decided.tolist() == slow.fills.decided.tolist()
    assert fast.shortfalls == pytest.approx(slow.shortfalls, rel=1e-9, abs=1e-6)


@given(plain_cases())
@settings(max_examples=20)
def test_the_fast_loop_equals_its_own_text_in_python(case: Case) -> None:
    compiled = case.simulated()
    with pytest.MonkeyPatch.context() as patch:
        in_plain_python(patch)
        same(compiled, case.simulated())


@given(hard_cases())
@settings(max_examples=12)
def test_the_general_loop_equals_its_own_text_in_python(case: Case) -> None:
    short = case.until(15)
    compiled = short.simulated()
    with pytest.MonkeyPatch.context() as patch:
        in_plain_python(patch)
        same(compiled, short.simulated())


@given(st.one_of(plain_cases(), hard_cases()))
def test_the_ledger_adds_up_at_every_bar(case: Case) -> None:
    account = case.simulated()
    check_ledger(case, account)
    check_fills(case, account)


@given(plain_cases(), st.data())
def test_a_prefix_gives_the_same_past(case: Case, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, len(case.panel.sessions)))
    whole, part = case.simulated(), case.until(length).simulated()
    count = part.fills.rows.size
    assert np.array_equal(part.equity, whole.equity[:length])
    assert np.array_equal(part.shares, whole.shares[:length])
    assert np.array_equal(part.fills.quantities, whole.fills.quantities[:count])
    assert (whole.fills.rows[count:] >= length).all()


@given(hard_cases(), st.data())
def test_a_prefix_gives_the_same_past_whatever_happens(case: Case, data: st.DataObject) -> None:
    length = data.draw(st.integers(2, len(case.panel.sessions)))
    kept = ~np.isnan(case.panel.close[-1]) & ~np.isnan(case.panel.close[length - 1])
    if not kept.any():
        return
    alive = case.columns(np.flatnonzero(kept).tolist())
    whole, part = alive.simulated(), alive.until(length).simulated()
    assert np.array_equal(part.equity, whole.equity[:length])
    assert np.array_equal(part.shares, whole.shares[:length])


@given(st.one_of(plain_cases(), hard_cases()), st.data())
def test_what_happens_on_a_day_changes_nothing_before(case: Case, data: st.DataObject) -> None:
    day = data.draw(st.integers(0, len(case.panel.sessions) - 1))
    factor = np.where(np.arange(len(case.panel.sessions)) == day, 1.7, 1.0)[:, None]
    names = ("open", "high", "low", "close", "volume")
    panel = replace(case.panel, **{n: getattr(case.panel, n) * factor for n in names})
    targets = case.targets.copy()
    targets[day] = 0.0
    before, after = case.simulated(), replace(case, panel=panel, targets=targets).simulated()
    assert np.array_equal(before.equity[:day], after.equity[:day])
    assert np.array_equal(before.shares[:day], after.shares[:day])


@given(plain_cases(), st.floats(0.01, 100))
def test_the_scale_of_prices_does_not_matter(case: Case, scale: float) -> None:
    names = ("open", "high", "low", "close")
    panel = replace(case.panel, **{n: getattr(case.panel, n) * scale for n in names})
    account, scaled = case.simulated(), replace(case, panel=panel).simulated()
    assert scaled.equity == pytest.approx(account.equity, rel=1e-8, abs=1e-8 * CAPITAL)


@given(plain_cases(), st.floats(1.0, 1e9))
def test_the_capital_scales_everything(case: Case, capital: float) -> None:
    other = replace(case, capital=capital).simulated().equity / capital
    assert other == pytest.approx(case.simulated().equity / CAPITAL, rel=1e-8, abs=1e-8)


@given(st.one_of(plain_cases(), hard_cases()))
def test_the_order_of_symbols_does_not_matter(case: Case) -> None:
    turned = case.columns(list(range(len(case.panel.symbols)))[::-1])
    account, other = case.simulated(), turned.simulated()
    whole = 1e-6 if not case.rules.whole_shares else 2e-3
    assert other.equity == pytest.approx(account.equity, rel=whole, abs=whole * CAPITAL)


@given(plain_cases())
def test_costs_never_help_a_long_account(case: Case) -> None:
    targets = np.abs(case.targets)
    decided = np.where(np.isnan(targets).any(axis=1, keepdims=True), np.nan, targets)
    finals = [
        replace(case, targets=decided, costs=Costs(commission_bps=bps, slippage_bps=0))
        .simulated()
        .equity[-1]
        for bps in (0, 10, 100, 1000)
    ]
    assert all(a >= b - 1e-9 * a for a, b in itertools.pairwise(finals))


def test_without_costs_constant_weights_earn_the_product_of_returns() -> None:
    closes = us_closes()[2][:500]
    weights = np.full(20, 0.05)
    account = simulate_targets(
        panel_of(closes), np.tile(weights, (500, 1)), costs=FREE, rules=RULES, capital=1000.0
    )
    returns = closes[2:] / closes[1:-1] - 1.0
    expected = 1000.0 * np.prod(1.0 + returns @ weights)
    assert account.equity[-1] == pytest.approx(expected, rel=1e-12)


def one_symbol(*prices: float, targets: list[float], costs: Costs, capital: float) -> Simulation:
    panel = panel_of(np.array(prices, dtype=float)[:, None])
    weights = np.array(targets)[:, None]
    return simulate_targets(panel, weights, costs=costs, rules=RULES, capital=capital)


NAN = float("nan")


def test_one_purchase_reserves_its_fee() -> None:
    costs = Costs(commission_bps=60, slippage_bps=40)
    account = one_symbol(100, 100, targets=[1.0, NAN], costs=costs, capital=1010.0)
    assert account.shares[1, 0] == pytest.approx(10.0, rel=1e-15)
    assert account.cash[1] == pytest.approx(0.0, abs=1e-9)
    assert account.fills.commissions == pytest.approx([6.0])
    assert account.fills.spreads == pytest.approx([4.0])


def test_a_short_sale_pays_its_fee_out_of_equity() -> None:
    account = one_symbol(100, 100, 90, targets=[-0.5, NAN, NAN], costs=FIVE_BPS, capital=1e4)
    left = 1e4 / (1 + 0.0005 * 0.5)
    assert account.shares[1, 0] == pytest.approx(-0.5 * left / 100, rel=1e-14)
    assert account.equity[2] == pytest.approx(left + 0.5 * left * 0.1, rel=1e-14)


def test_leaving_a_position_leaves_exactly_no_shares() -> None:
    closes = us_closes()[2][:4, :3]
    targets = np.array([[0.3, -0.3, 0.4], [0.0, 0.5, 0.5], [0.0, 0.0, 0.0], [np.nan] * 3])
    account = simulate_targets(
        panel_of(closes), targets, costs=Costs(), rules=RULES, capital=777.77
    )
    assert account.shares[2, 0] == 0.0
    assert account.shares[3].tolist() == [0.0, 0.0, 0.0]


def test_a_position_at_its_target_is_not_traded() -> None:
    account = simulate_targets(
        panel_of(np.full((4, 2), 10.0)),
        np.tile([0.5, 0.5], (4, 1)),
        costs=FREE,
        rules=RULES,
        capital=100.0,
    )
    assert account.fills.rows.tolist() == [1, 1]


def test_a_position_without_a_decision_drifts() -> None:
    closes = np.array([[10.0, 10.0], [10.0, 10.0], [20.0, 10.0], [20.0, 10.0]])
    targets = np.array([[0.5, 0.0], [np.nan, np.nan], [np.nan, 0.2], [np.nan, np.nan]])
    account = simulate_targets(panel_of(closes), targets, costs=FREE, rules=RULES, capital=100.0)
    assert account.shares.tolist() == [[0, 0], [5, 0], [5, 0], [5, 3]]


def test_purchases_that_cash_does_not_pay_for_are_scaled_and_reported() -> None:
    closes = np.array([[10.0, 10.0, 10.0], [10.0, 10.0, 10.0], [40.0, 10.0, 10.0]])
    targets = np.array([[0.5, 0.0, 0.0], [np.nan, 0.4, 0.2], [np.nan, np.nan, np.nan]])
    account = simulate_targets(panel_of(closes), targets, costs=FREE, rules=RULES, capital=100.0)
    assert account.scaled_rows.tolist() == [2]
    assert account.cash[2] == pytest.approx(0.0, abs=1e-9)
    bought = account.fills.quantities[1:] * 10
    assert bought == pytest.approx([50 * 0.4 / 0.6, 50 * 0.2 / 0.6])
    assert account.shortfalls == pytest.approx([0.0, 0.0, 250 * 0.6 - 50])


def test_leverage_may_owe_what_the_rules_allow() -> None:
    rules = TradingRules(gross_exposure=2.0)
    account = simulate_targets(
        panel_of(np.array([[10.0], [10.0], [11.0]])),
        np.array([[2.0], [np.nan], [np.nan]]),
        costs=FREE,
        rules=rules,
        capital=100.0,
    )
    assert account.cash.tolist() == [100.0, -100.0, -100.0]
    assert account.equity[-1] == pytest.approx(120.0)
    assert account.scaled_rows.size == 0


@pytest.mark.parametrize("simulated", [Case.simulated, general])
def test_an_account_that_owes_too_much_and_buys_nothing_is_left_alone(
    simulated: Callable[[Case], Simulation],
) -> None:
    closes = np.array([[10.0, 10.0], [10.0, 10.0], [7.0, 10.0], [7.0, 10.0]])
    targets = np.array([[2.0, np.nan], [np.nan, np.nan], [np.nan, 0.0], [np.nan, np.nan]])
    rules = TradingRules(gross_exposure=2.0)
    panel = panel_of(closes)
    account = simulated(Case(panel=panel, targets=targets, costs=FREE, rules=rules, capital=100.0))
    assert account.equity == pytest.approx([100.0, 100.0, 40.0, 40.0])
    assert account.cash == pytest.approx([100.0, -100.0, -100.0, -100.0])
    assert account.fills.rows.tolist() == [1]
    assert account.scaled_rows.size == 0


def test_an_account_that_lost_everything_is_closed() -> None:
    account = one_symbol(10, 10, 25, 25, 25, targets=[-1.0] * 5, costs=FIVE_BPS, capital=100.0)
    assert account.equity[2:].tolist() == [0.0] * 3
    assert account.shares[2:, 0].tolist() == [0.0] * 3


def test_a_decision_at_the_last_session_stays_pending() -> None:
    account = one_symbol(10, 10, 10, targets=[NAN, NAN, 1.0], costs=FREE, capital=100.0)
    assert account.pending.tolist() == [1.0]
    assert account.fills.rows.size == 0
    assert account.equity.tolist() == [100.0] * 3


def test_without_a_decision_nothing_happens() -> None:
    account = one_symbol(10, 10, 10, targets=[NAN] * 3, costs=Costs(), capital=100.0)
    assert np.isnan(account.pending).all()
    assert account.equity.tolist() == [100.0] * 3


def test_fills_happen_at_the_next_sessions_open() -> None:
    panel = panel_of(np.array([[10.0], [20.0]]), np.array([[1.0], [16.0]]))
    account = simulate_targets(
        panel, np.array([[1.0], [np.nan]]), costs=FREE, rules=RULES, capital=160.0
    )
    assert account.fills.prices.tolist() == [16.0]
    assert account.equity.tolist() == [160.0, 200.0]


PRICES = np.full((3, 2), 10.0)


@pytest.mark.parametrize(
    ("closes", "opens"), [(PRICES, PRICES[:2]), (PRICES, PRICES * 0.0), (PRICES * -1.0, PRICES)]
)
def test_prices_that_are_not_positive_are_refused(closes: np.ndarray, opens: np.ndarray) -> None:
    with pytest.raises(BadDataError):
        simulate_targets(
            panel_of(closes, opens), np.zeros((3, 2)), costs=FREE, rules=RULES, capital=1.0
        )


def test_a_bar_without_an_open_is_refused_by_name_and_session() -> None:
    opens = np.where(np.eye(3, 2) > 0, np.nan, PRICES)
    with pytest.raises(BadDataError, match=r"S0: found open nan on 1990-01-01"):
        simulate_targets(
            panel_of(PRICES, opens), np.zeros((3, 2)), costs=FREE, rules=RULES, capital=1.0
        )


@pytest.mark.parametrize("row", [[0.8, 0.3], [-0.8, 0.3], [np.inf, 0.0]])
def test_weights_beyond_gross_exposure_are_refused(row: list[float]) -> None:
    targets = np.full((3, 2), np.nan)
    targets[1] = row
    with pytest.raises(BadDataError, match="allowed: at most 1"):
        simulate_targets(panel_of(PRICES), targets, costs=FREE, rules=RULES, capital=1.0)


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(BadDataError, match=r"found shape \(2, 2\)"):
        simulate_targets(panel_of(PRICES), np.zeros((2, 2)), costs=FREE, rules=RULES, capital=1.0)


@pytest.mark.parametrize("capital", [0.0, -1.0, np.inf, np.nan])
def test_capital_that_is_not_allowed_is_refused(capital: float) -> None:
    with pytest.raises(ParameterError):
        simulate_targets(
            panel_of(PRICES), np.zeros((3, 2)), costs=FREE, rules=RULES, capital=capital
        )
