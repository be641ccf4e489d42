from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.quant.contributions import (
    diversification_ratio,
    effective_bets,
    portfolio_volatility,
    risk_contributions,
)
from tests.slices.quant.market import factor_covariance

seeds = st.integers(0, 10_000)


@given(seeds, st.integers(1, 12))
def test_contributions_sum_to_the_volatility(seed: int, symbols: int) -> None:
    covariance = factor_covariance(symbols, seed=seed)
    weights = np.random.default_rng(seed).dirichlet(np.ones(symbols))
    contributions = risk_contributions(weights, covariance)
    assert contributions.sum() == pytest.approx(
        portfolio_volatility(weights, covariance), rel=1e-12
    )


@given(seeds)
def test_a_contribution_is_the_weight_times_the_slope_of_the_volatility(seed: int) -> None:
    covariance = factor_covariance(5, seed=seed)
    weights, step = np.random.default_rng(seed).dirichlet(np.ones(5)), 1e-6
    up, down = weights.copy(), weights.copy()
    up[2] += step
    down[2] -= step
    slope = (portfolio_volatility(up, covariance) - portfolio_volatility(down, covariance)) / (
        2 * step
    )
    found = risk_contributions(weights, covariance)[2]
    assert found == pytest.approx(weights[2] * slope, rel=1e-5)


@given(seeds, st.integers(1, 12))
def test_diversification_lies_between_one_and_the_number_of_symbols(
    seed: int, symbols: int
) -> None:
    covariance = np.abs(factor_covariance(symbols, seed=seed))
    weights = np.random.default_rng(seed).dirichlet(np.ones(symbols))
    assert diversification_ratio(weights, factor_covariance(symbols, seed=seed)) >= 1 - 1e-9
    assert 1 - 1e-9 <= effective_bets(weights, covariance) <= symbols + 1e-9


def test_symbols_that_move_as_one_are_one_bet() -> None:
    together = np.full((4, 4), 0.04)
    weights = np.full(4, 0.25)
    assert diversification_ratio(weights, together) == pytest.approx(1.0)
    assert effective_bets(weights, together) == pytest.approx(1.0)


def test_independent_symbols_of_equal_risk_are_as_many_bets() -> None:
    weights = np.full(4, 0.25)
    assert effective_bets(weights, np.eye(4)) == pytest.approx(4.0)
    assert diversification_ratio(weights, np.eye(4)) == pytest.approx(2.0)


def test_bets_follow_the_correlation_without_a_jump() -> None:
    weights, correlations = np.full(3, 1 / 3), np.linspace(1.0, 0.0, 201)
    bets = [
        effective_bets(weights, 0.04 * (np.eye(3) * (1 - each) + each)) for each in correlations
    ]
    assert bets == pytest.approx((3 / (1 + 2 * correlations)).tolist())
    assert np.diff(bets).max() < 0.1


def test_without_volatility_everything_is_undefined() -> None:
    weights, still = np.full(2, 0.5), np.zeros((2, 2))
    assert math.isnan(diversification_ratio(weights, still))
    assert math.isnan(effective_bets(weights, still))
    assert np.isnan(risk_contributions(weights, still)).all()
