from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.adaptive_portfolio.rebalancing.charging import affordable, expected_costs
from slices.adaptive_portfolio.rebalancing.planning import (
    Changes,
    Holdings,
    Terms,
    planned_changes,
)
from slices.adaptive_portfolio.rebalancing.weighing import tracking_error, turnover
from slices.domain.parameters import Costs
from slices.domain.rebalancing import RebalanceRules

FREE = Costs(commission_bps=0, slippage_bps=0)


def holdings(shares: np.ndarray, prices: np.ndarray, cash: float) -> Holdings:
    return Holdings(
        symbols=tuple(f"S{i:02d}" for i in range(shares.size)),
        shares=shares,
        prices=prices,
        tradable=np.ones(shares.size, dtype=bool),
        cash=cash,
    )


def filled(before: Holdings, changes: Changes) -> Holdings:
    cash = before.cash - float(changes.shares @ before.prices) - float(changes.costs.sum())
    return holdings(before.shares + changes.shares, before.prices, cash)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Holdings, np.ndarray, Terms]:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 7))
    prices = np.round(random.uniform(2, 400, count), 2)
    worth = random.dirichlet(np.ones(count + 1)) * 100_000
    worth[:count] *= random.random(count) < 0.8
    whole = draw(st.booleans())
    shares = worth[:count] / prices
    shares = np.floor(shares) if whole else np.round(shares, 9)
    weights = random.dirichlet(np.ones(count)) * draw(st.sampled_from([0.5, 0.9, 1.0]))
    weights *= random.random(count) < 0.8
    rules = RebalanceRules(
        absolute_band=draw(st.sampled_from([0.0, 0.005, 0.02, 0.1])),
        relative_band=draw(st.sampled_from([0.0, 0.25, 100.0])),
        trade_to=draw(st.sampled_from(["target", "edge"])),
        smallest_trade=draw(st.sampled_from([0.01, 1.0, 500.0])),
        cash_buffer=draw(st.sampled_from([0.0, 0.01, 0.1])),
    )
    costs = Costs(
        commission_bps=draw(st.sampled_from([0.0, 5.0, 50.0])),
        slippage_bps=draw(st.sampled_from([0.0, 5.0])),
        commission_per_share=draw(st.sampled_from([0.0, 0.005])),
        commission_minimum=draw(st.sampled_from([0.0, 1.0])),
    )
    cash = float(worth[count]) + (0.0 if draw(st.booleans()) else 1.0)
    return (
        holdings(shares, prices, cash),
        weights,
        Terms(rules=rules, costs=costs, whole_shares=whole),
    )


@given(cases())
def test_weights_end_inside_their_bands_or_a_share_away(
    case: tuple[Holdings, np.ndarray, Terms],
) -> None:
    before, weights, terms = case
    changes = planned_changes(before, weights, terms)
    after = filled(before, changes)
    reached = after.shares * after.prices / after.equity
    grain = after.prices / after.equity if terms.whole_shares else 1e-9
    allowed = changes.bands + grain + terms.rules.smallest_trade / after.equity + 1e-9
    is_funded = changes.shares >= changes.wanted
    assert np.all((np.abs(reached - changes.targets) <= allowed)[is_funded])
    assert np.all((reached <= changes.targets + allowed)[~is_funded])


@given(cases())
def test_cash_stays_above_its_buffer_and_no_purchase_takes_it_below(
    case: tuple[Holdings, np.ndarray, Terms],
) -> None:
    before, weights, terms = case
    changes = planned_changes(before, weights, terms)
    after = filled(before, changes)
    least = terms.rules.cash_buffer * after.equity
    assert after.cash >= min(least, before.cash) - 1e-6
    if np.any(changes.shares > 0):
        assert after.cash >= least - 1e-6


@given(cases())
def test_nothing_inside_its_band_is_traded(case: tuple[Holdings, np.ndarray, Terms]) -> None:
    before, weights, terms = case
    changes = planned_changes(before, weights, terms)
    drifts = [
        np.abs(before.shares * before.prices / equity - changes.targets)
        for equity in (before.equity, changes.equity)
    ]
    assert np.all(changes.shares[np.maximum(*drifts) <= changes.bands] == 0)
    traded = changes.shares != 0
    assert np.all(
        np.abs(changes.shares * before.prices)[traded] >= terms.rules.smallest_trade - 1e-9
    )


@given(cases())
def test_a_second_plan_has_no_trades(case: tuple[Holdings, np.ndarray, Terms]) -> None:
    before, weights, terms = case
    after = filled(before, planned_changes(before, weights, terms))
    again = planned_changes(after, weights, terms)
    assert np.abs(again.shares * after.prices).max() < 0.02


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_symbols_does_not_matter(
    case: tuple[Holdings, np.ndarray, Terms], random: object
) -> None:
    before, weights, terms = case
    places = list(range(weights.size))
    random.shuffle(places)
    other = Holdings(
        symbols=tuple(before.symbols[i] for i in places),
        shares=before.shares[places],
        prices=before.prices[places],
        tradable=before.tradable[places],
        cash=before.cash,
    )
    found = planned_changes(before, weights, terms).shares[places]
    assert np.allclose(planned_changes(other, weights[places], terms).shares, found, atol=1e-6)


@given(cases())
def test_turnover_is_half_of_what_is_traded_over_equity(
    case: tuple[Holdings, np.ndarray, Terms],
) -> None:
    before, weights, terms = case
    shares = planned_changes(before, weights, terms).shares
    traded = sum(abs(n) * p for n, p in zip(shares, before.prices, strict=True))
    assert turnover(before, shares) == pytest.approx(traded / 2 / before.equity, rel=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_whole_shares_are_the_most_that_do_not_go_beyond_the_targets(seed: int) -> None:
    """Every combination of whole shares on three symbols, tried one by one."""
    random = np.random.default_rng(seed)
    prices = np.round(random.uniform(20, 90, 3), 2)
    before = holdings(np.floor(random.uniform(0, 6, 3)), prices, float(random.uniform(50, 300)))
    weights = random.dirichlet(np.ones(3))
    rules = RebalanceRules(absolute_band=0, relative_band=0, smallest_trade=0.01, cash_buffer=0.0)
    changes = planned_changes(before, weights, Terms(rules=rules, costs=FREE, whole_shares=True))
    most = weights * before.equity
    allowed = [
        counts
        for counts in product(*(range(int(m // p) + 1) for m, p in zip(most, prices, strict=True)))
        if np.dot(counts, prices) <= before.equity
    ]
    best = min(allowed, key=lambda counts: np.abs(np.array(counts) * prices - most).sum())
    assert (before.shares + changes.shares).tolist() == list(best)


def test_proportional_costs_are_solved_as_a_linear_program_solves_them() -> None:
    from scipy.optimize import linprog

    prices = np.array([50.0, 20.0, 8.0])
    before = holdings(np.array([1000.0, 500.0, 0.0]), prices, 5_000.0)
    weights, costs = np.array([0.3, 0.3, 0.4]), Costs(commission_bps=20, slippage_bps=10)
    rules = RebalanceRules(absolute_band=0, relative_band=0, cash_buffer=0.0)
    changes = planned_changes(before, weights, Terms(rules=rules, costs=costs, whole_shares=False))
    # Variables: purchases and sales in money, and the equity left, which is to be largest.
    value, rate = before.shares * prices, costs.rate
    reach = np.hstack([np.eye(3), -np.eye(3), -weights[:, None]])
    spent = np.array([[1 + rate] * 3 + [-(1 - rate)] * 3 + [0.0]])
    found = linprog(
        [0, 0, 0, 0, 0, 0, -1],
        A_eq=np.vstack([reach, [[rate] * 6 + [1.0]]]),
        b_eq=[*(-value), before.equity],
        A_ub=spent,
        b_ub=[before.cash],
    )
    assert changes.equity == pytest.approx(found.x[6], rel=1e-10)
    assert (changes.shares * prices).tolist() == pytest.approx(
        (found.x[:3] - found.x[3:6]).tolist(), abs=1e-5
    )


def test_a_short_position_without_a_target_is_bought_back() -> None:
    before = holdings(np.array([-10.0, 5.0]), np.array([10.0, 10.0]), 200.0)
    terms = Terms(rules=RebalanceRules(cash_buffer=0.0), costs=FREE, whole_shares=True)
    changes = planned_changes(before, np.array([0.0, 1.0]), terms)
    assert changes.shares.tolist() == [10.0, 10.0]


def test_a_symbol_without_a_close_is_left_alone() -> None:
    before = Holdings(
        symbols=("A", "B"),
        shares=np.array([10.0, 0.0]),
        prices=np.array([10.0, 10.0]),
        tradable=np.array([False, True]),
        cash=100.0,
    )
    terms = Terms(rules=RebalanceRules(cash_buffer=0.0), costs=FREE, whole_shares=False)
    assert planned_changes(before, np.array([0.0, 1.0]), terms).shares.tolist() == [0.0, 10.0]


@given(st.floats(0, 1e5), st.floats(0.5, 500), st.floats(0, 50), st.floats(0, 5))
def test_what_is_affordable_is_paid_for_and_one_more_is_not(
    money: float, price: float, bps: float, minimum: float
) -> None:
    costs = Costs(commission_bps=bps, slippage_bps=bps / 2, commission_minimum=minimum)
    unit = 1.0 if bps > 25 else 1e-6
    shares = affordable(money, price, costs, unit=unit)

    def paid(count: float) -> float:
        one = np.array([count])
        return count * price + float(expected_costs(one, np.array([price]), costs)[0])

    assert paid(shares) <= money + 1e-9
    assert paid(shares + 1.01 * unit) > money - 1e-6


def test_the_tracking_error_is_the_deviation_of_the_returns_of_the_drift() -> None:
    random = np.random.default_rng(3)
    returns = random.normal(0, 0.01, (400, 4)) @ random.normal(0, 1, (4, 4))
    drift = np.array([0.1, -0.05, -0.05, 0.02])
    expected = (returns @ drift).std(ddof=1) * np.sqrt(252)
    covariance = np.cov(returns, rowvar=False) * 252
    assert tracking_error(drift, covariance) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(tracking_error(drift, None))
