from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from slices.domain.errors import ParameterError
from slices.domain.sizing import PositionRules
from slices.position_sizing.kelly import kelly_estimate
from slices.quant.metrics.tails import expected_shortfall
from slices.quant.sizing import (
    edge_shrinkage,
    growth_optimal_weights,
    largest_weight_within,
    shrunk_kelly_weight,
)

RULES = PositionRules()


def trades(count: int, *, seed: int, mean: float = 0.03, deviation: float = 0.1) -> np.ndarray:
    return np.maximum(np.random.default_rng(seed).normal(mean, deviation, count), -0.9)


@given(seed=st.integers(0, 10_000), count=st.integers(5, 60))
def test_no_other_weight_makes_wealth_grow_faster(seed: int, count: int) -> None:
    returns = trades(count, seed=seed)
    (found,) = growth_optimal_weights(returns[None, :])
    if not 0 < found < math.inf:
        assert returns.mean() <= 0 if found == 0 else returns.min() >= 0
        return
    ruin = 1 / -returns.min()
    best = minimize_scalar(
        lambda weight: -np.log1p(weight * returns).mean(),
        bounds=(0, ruin * (1 - 1e-9)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert found == pytest.approx(best.x, rel=1e-4, abs=1e-6)


def test_a_bet_has_the_weight_of_the_textbook() -> None:
    for share, odds in ((0.55, 1.0), (0.4, 2.0), (0.7, 0.6)):
        wins = round(share * 100)
        returns = np.array([odds] * wins + [-1.0] * (100 - wins))
        (found,) = growth_optimal_weights(returns[None, :])
        assert found == pytest.approx(share - (1 - share) / odds, abs=1e-12)


def test_wealth_of_many_trades_is_largest_at_the_unshrunk_weight() -> None:
    returns = trades(200, seed=3, mean=0.01)
    full = kelly_estimate(returns, rules=RULES).full
    wealth = [np.log1p(factor * full * returns).sum() for factor in (0.25, 0.5, 0.9, 1, 1.1, 1.5)]
    assert int(np.argmax(wealth)) == 3


def test_out_of_sample_the_shrunk_weight_grows_faster_on_average() -> None:
    chance = 0.55
    samples = np.where(np.random.default_rng(0).random((2000, 30)) < chance, 1.0, -1.0)

    def growth(weights: np.ndarray) -> float:
        grown = chance * np.log1p(weights) + (1 - chance) * np.log1p(-weights)
        return float(grown.mean())

    full = growth_optimal_weights(samples)
    shrunk = full * np.array([edge_shrinkage(each) for each in samples])
    assert full.max() < 1
    assert growth(shrunk) > growth(full)
    assert growth(np.full(1, 2 * chance - 1)) > growth(shrunk)


def test_shrinkage_is_that_of_the_other_kelly_rule() -> None:
    returns = trades(40, seed=5, mean=0.05)
    plain = returns.mean() / returns.var(ddof=1)
    expected = plain * edge_shrinkage(returns)
    assert shrunk_kelly_weight(returns, fraction=1.0) == pytest.approx(expected)
    assert edge_shrinkage(returns) < edge_shrinkage(np.tile(returns, 4)) < 1


@given(seed=st.integers(0, 1000), count=st.integers(10, 80))
def test_the_interval_holds_the_estimate_and_the_weight_stays_below_it(
    seed: int, count: int
) -> None:
    found = kelly_estimate(trades(count, seed=seed), rules=RULES, seed=1)
    assert 0 <= found.weight <= 0.5 * found.full or found.full == 0
    assert found.low <= found.high
    assert (found.weight == 0) == bool(found.full == 0)
    assert found == kelly_estimate(trades(count, seed=seed), rules=RULES, seed=1)


def test_the_interval_narrows_with_more_trades() -> None:
    few, many = (kelly_estimate(trades(count, seed=8), rules=RULES) for count in (40, 1000))
    assert many.high - many.low < few.high - few.low
    assert many.low < 0.03 / 0.01 * 1.1 < few.high


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        (np.zeros(0), "closed no trade"),
        (np.full(4, 0.1), "4 closed trades"),
        (np.array([0.05, -0.1] * 10), "did not gain"),
    ],
)
def test_what_shows_no_edge_gets_nothing_and_says_why(returns: np.ndarray, says: str) -> None:
    found = kelly_estimate(returns, rules=RULES)
    assert found.weight == 0
    assert says in found.reason
    assert found.trades == returns.size


def test_trades_without_a_loss_set_no_bound_and_say_so() -> None:
    found = kelly_estimate(np.array([0.01, 0.02] * 10), rules=RULES)
    assert math.isinf(found.weight)
    assert found.reason
    assert kelly_estimate(np.array([0.01] * 20), rules=PositionRules(kelly=0)).weight == 0


@given(seed=st.integers(0, 10_000), limit=st.floats(0.001, 0.05), correlated=st.floats(-1, 1))
def test_the_largest_weight_is_within_the_budget_and_a_larger_one_is_not(
    seed: int, limit: float, correlated: float
) -> None:
    random = np.random.default_rng(seed)
    held = random.normal(0, 0.008, 250)
    added = correlated * held * 2 + random.normal(0, 0.02, 250)
    found = largest_weight_within(held, added, limit=limit, confidence=0.95, most=1.0)
    allowed = max(limit, expected_shortfall(held, confidence=0.95))
    assert 0 <= found <= 1
    assert expected_shortfall(held + found * added, confidence=0.95) <= allowed + 1e-12
    if found < 1:
        beyond = min(1.0, found + 1e-6)
        assert expected_shortfall(held + beyond * added, confidence=0.95) > allowed - 1e-9


def test_more_budget_never_allows_less() -> None:
    random = np.random.default_rng(1)
    held, added = random.normal(0, 0.01, 300), random.standard_t(4, 300) * 0.02
    limits = np.linspace(0.005, 0.08, 12)
    found = [
        largest_weight_within(held, added, limit=limit, confidence=0.95, most=2.0)
        for limit in limits
    ]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_a_hedge_passes_where_the_budget_is_spent() -> None:
    held = np.random.default_rng(2).normal(0, 0.02, 300)
    worse = largest_weight_within(held, held, limit=0.001, confidence=0.95, most=1.0)
    hedged = largest_weight_within(held, -held, limit=0.001, confidence=0.95, most=1.0)
    assert worse == pytest.approx(0, abs=1e-12)
    assert hedged == 1.0


def test_an_unknown_return_is_refused() -> None:
    with pytest.raises(ParameterError, match="finite"):
        largest_weight_within(
            np.array([0.1, math.nan]), np.zeros(2), limit=0.1, confidence=0.9, most=1.0
        )


def test_one_return_shows_nothing_and_equal_ones_everything() -> None:
    assert math.isnan(edge_shrinkage(np.array([0.1])))
    assert edge_shrinkage(np.array([0.1, 0.1])) == 1.0
    assert edge_shrinkage(np.array([-0.1, -0.2])) == 0.0
    with pytest.raises(ParameterError, match="fraction"):
        shrunk_kelly_weight(np.array([0.1, 0.2]), fraction=2.0)
