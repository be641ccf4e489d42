"""Allocators at the edges: too few sessions, twins, still symbols, one symbol, no answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import BadDataError, ComputationError, ConvergenceError, InfeasibleError
from slices.quant.allocation import (
    bounded_problem,
    frontier_search,
    risk_parity,
    shortfall,
)
from slices.quant.allocation.bounds import filled_in_order, uniform_bounds
from slices.quant.allocation.quadratic import efficient_frontier, max_sharpe, min_variance
from slices.quant.allocation.shortfall import min_expected_shortfall
from slices.quant.contributions import risk_contributions
from slices.quant.covariance import sample_covariance
from slices.quant.metrics.tails import expected_shortfall
from tests.slices.quant.market import factor_covariance, factor_returns, us_returns


def test_least_variance_with_more_symbols_than_sessions_is_optimal() -> None:
    covariance = sample_covariance(factor_returns(30, 100))
    lower, upper = uniform_bounds(100)
    weights = min_variance(covariance, lower, upper)
    gradient = covariance @ weights
    scale = np.diag(covariance).mean()
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert gradient[weights > 1e-9].max() - gradient.min() < 1e-8 * scale


@given(st.integers(0, 10_000), st.integers(1, 25), st.floats(0.0, 0.9), st.floats(1.1, 5.0))
def test_the_conditions_of_an_optimum_hold(
    seed: int, symbols: int, least: float, most: float
) -> None:
    covariance = factor_covariance(symbols, seed=seed)
    lower, upper = uniform_bounds(
        symbols, smallest=least / symbols, largest=min(1.0, most / symbols) if symbols > 1 else 1.0
    )
    weights = min_variance(covariance, lower, upper)
    gradient = covariance @ weights / np.diag(covariance).mean()
    can_fall, can_rise = weights > lower + 1e-9, weights < upper - 1e-9
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    if can_fall.any() and can_rise.any():
        assert gradient[can_fall].max() <= gradient[can_rise].min() + 1e-8


@given(st.integers(0, 10_000))
def test_the_start_does_not_change_the_answer(seed: int) -> None:
    covariance = factor_covariance(15, seed=seed)
    lower, upper = uniform_bounds(15, smallest=0.01, largest=0.2)
    start = filled_in_order(np.random.default_rng(seed).permutation(15), lower, upper)
    cold = min_variance(covariance, lower, upper)
    warm = min_variance(covariance, lower, upper, start=start)
    assert warm == pytest.approx(cold, abs=1e-9)


def test_bounds_that_leave_one_choice_give_it() -> None:
    lower = np.array([0.2, 0.3, 0.5])
    assert min_variance(factor_covariance(3), lower, lower).tolist() == lower.tolist()


def test_symbols_that_never_move_hold_everything() -> None:
    covariance = np.diag([0.0, 0.0, 1.0])
    weights = min_variance(covariance, *uniform_bounds(3))
    assert weights[:2].sum() == pytest.approx(1.0, abs=1e-9)


def test_a_market_that_never_moves_has_any_weights() -> None:
    weights = min_variance(np.zeros((3, 3)), *uniform_bounds(3))
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_no_positive_excess_return_is_said() -> None:
    with pytest.raises(InfeasibleError, match="no portfolio within the bounds has a positive"):
        max_sharpe(np.array([-0.1, 0.0]), np.eye(2), *uniform_bounds(2))


def test_a_risk_free_rate_above_all_returns_is_said() -> None:
    with pytest.raises(InfeasibleError, match="no portfolio within the bounds has a positive"):
        max_sharpe(np.array([0.1, 0.2]), np.eye(2), *uniform_bounds(2), risk_free_rate=0.2)


def test_a_return_without_risk_has_no_sharpe_ratio() -> None:
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]])
    with pytest.raises(InfeasibleError, match="has no variance in this window"):
        max_sharpe(np.array([0.1, 0.2]), covariance, *uniform_bounds(2))


def test_the_only_good_symbol_takes_all_it_may() -> None:
    mean = np.array([-1.0, 1.0, -1.0])
    weights = max_sharpe(mean, np.eye(3), *uniform_bounds(3))
    assert weights == pytest.approx([0.0, 1.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("seed", [5454, *range(40)])
def test_an_answer_at_the_end_of_the_search_is_taken(seed: int) -> None:
    random = np.random.default_rng(seed)
    symbols = int(random.integers(1, 8))
    loadings = random.normal(size=(symbols, symbols + 2))
    mean, covariance = random.normal(0.2, 1, symbols) * 1e-3, loadings @ loadings.T * 1e-4
    smallest = random.uniform(0, 1 / symbols) * (random.random() < 0.5)
    largest = min(1, random.uniform(1 / symbols, 1)) if random.random() < 0.5 else 1.0
    lower, upper = uniform_bounds(symbols, smallest=smallest, largest=largest)
    if mean.max() > 0 and mean @ filled_in_order(np.argsort(-mean), lower, upper) > 0:
        assert max_sharpe(mean, covariance, lower, upper).sum() == pytest.approx(1.0, abs=1e-9)


def test_the_risk_free_rate_tilts_towards_the_higher_return() -> None:
    mean, covariance = np.array([0.1, 0.2]), np.eye(2)
    plain = max_sharpe(mean, covariance, *uniform_bounds(2))
    tilted = max_sharpe(mean, covariance, *uniform_bounds(2), risk_free_rate=0.05)
    assert plain == pytest.approx([1 / 3, 2 / 3], abs=1e-9)
    assert tilted == pytest.approx([0.25, 0.75], abs=1e-9)


@given(st.integers(0, 10_000))
def test_no_other_portfolio_has_a_higher_sharpe_ratio(seed: int) -> None:
    random = np.random.default_rng(seed)
    mean, covariance = random.normal(0.5, 1.0, 8) * 1e-3, factor_covariance(8, seed=seed)
    if mean.max() <= 0:
        return
    best = max_sharpe(mean, covariance, *uniform_bounds(8))
    others = random.dirichlet(np.ones(8), 200)
    ratios = others @ mean / np.sqrt(np.einsum("ij,jk,ik->i", others, covariance, others))
    assert best @ mean / np.sqrt(best @ covariance @ best) >= ratios.max()


def test_a_frontier_of_equal_returns_is_one_point() -> None:
    portfolios = efficient_frontier(np.ones(3), np.eye(3), *uniform_bounds(3), points=5)
    assert portfolios == pytest.approx(np.full((1, 3), 1 / 3), abs=1e-9)


def test_a_frontier_without_any_return_is_one_point() -> None:
    assert efficient_frontier(np.zeros(3), np.eye(3), *uniform_bounds(3), points=5).shape == (1, 3)


def test_a_frontier_whose_richest_symbols_tie_ends_at_their_least_variance() -> None:
    mean, covariance = np.array([1.0, 2.0, 2.0]), np.diag([1.0, 1.0, 3.0])
    portfolios = efficient_frontier(mean, covariance, *uniform_bounds(3), points=3)
    assert portfolios[-1] == pytest.approx([0.0, 0.75, 0.25], abs=1e-9)


def test_a_frontier_of_two_points_has_its_ends_only() -> None:
    portfolios = efficient_frontier(
        np.array([1.0, 2.0]), np.eye(2), *uniform_bounds(2, largest=0.8), points=2
    )
    assert portfolios == pytest.approx(np.array([[0.5, 0.5], [0.2, 0.8]]), abs=1e-9)


def test_a_covariance_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadDataError, match="need 2 x 2 finite values"):
        min_variance(np.full((2, 2), np.nan), *uniform_bounds(2))
    with pytest.raises(BadDataError, match="need 2 x 2 finite values"):
        min_variance(np.eye(3), *uniform_bounds(2))


def test_an_unverified_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_problem, "KKT_ACCEPTED", -1.0)
    with pytest.raises(ConvergenceError, match="quadratic program: residual"):
        min_variance(np.eye(2), *uniform_bounds(2))


def test_a_search_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontier_search, "SECANT_STEPS", 1)
    with pytest.raises(ConvergenceError, match="frontier search"):
        max_sharpe(np.array([0.1, 0.2, 0.15]), factor_covariance(3), *uniform_bounds(3))


def test_a_search_that_never_reaches_its_condition_is_an_error() -> None:
    problem = bounded_problem.bounded_problem(np.eye(2), *uniform_bounds(2))
    search = frontier_search.FrontierSearch(problem, np.ones(2), np.full(2, 0.5))
    with pytest.raises(ConvergenceError, match="frontier search: residual 1 after 0 iterations"):
        search.solve(lambda _: -1.0, first=1.0, accepted=1e-9)


def test_a_perfect_hedge_has_no_equal_contributions() -> None:
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]])
    with pytest.raises(InfeasibleError, match="a portfolio of these symbols has no variance"):
        risk_parity.risk_parity(covariance, *uniform_bounds(2))


@pytest.mark.parametrize("seed", [3, 20, 26, 1356])
def test_contributions_are_equal_where_coordinates_crawl(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(seed)
    symbols = int(random.integers(2, 8))
    loadings = random.normal(size=(symbols, symbols + 1))
    scales = np.exp(random.normal(0, 2, symbols))
    covariance = loadings @ loadings.T * np.outer(scales, scales)
    monkeypatch.setattr(risk_parity, "SWEEPS", 1)
    weights = risk_parity.risk_parity(covariance, *uniform_bounds(symbols))
    shares = risk_contributions(weights, covariance)
    assert np.abs(shares / shares.sum() - 1 / symbols).max() < 1e-8


def test_a_step_that_goes_too_far_is_shortened() -> None:
    random = np.random.default_rng(20)
    symbols = int(random.integers(2, 6))
    loadings = random.normal(size=(symbols, symbols + 1))
    scales = np.exp(random.normal(0, random.uniform(0, 3), symbols))
    covariance = loadings @ loadings.T * np.outer(scales, scales)
    start = np.append(np.full(symbols - 1, 1e-6), 1 - 1e-6 * (symbols - 1))
    weights = risk_parity._bounded(covariance, *uniform_bounds(symbols), start)
    shares = risk_contributions(weights, covariance)
    assert np.abs(shares / shares.sum() - 1 / symbols).max() < 1e-7


def test_equal_contributions_do_not_depend_on_the_start() -> None:
    covariance = factor_covariance(12)
    cold = risk_parity.risk_parity(covariance, *uniform_bounds(12))
    start = np.random.default_rng(1).dirichlet(np.ones(12))
    warm = risk_parity.risk_parity(covariance, *uniform_bounds(12), start=start)
    assert warm == pytest.approx(cold, abs=1e-10)
    ignored = risk_parity.risk_parity(covariance, *uniform_bounds(12), start=np.eye(12)[0])
    assert ignored == pytest.approx(cold, abs=1e-12)


@given(st.integers(0, 10_000))
def test_bounded_risk_parity_is_the_least_ratio_of_volatility_and_geometric_mean(
    seed: int,
) -> None:
    covariance = factor_covariance(6, seed=seed)
    lower, upper = uniform_bounds(6, smallest=0.12, largest=0.19)
    weights = risk_parity.risk_parity(covariance, lower, upper)
    assert np.all((weights >= lower) & (weights <= upper))
    random = np.random.default_rng(seed)
    others = np.clip(weights + random.normal(0, 0.01, (200, 6)), lower, upper)
    others = others[np.abs(others.sum(axis=1) - 1) < 0.01]
    others = others / others.sum(axis=1, keepdims=True)
    inside = np.all((others >= lower) & (others <= upper), axis=1)
    best = risk_parity._log_ratio(covariance, weights)
    for other in others[inside]:
        assert best <= risk_parity._log_ratio(covariance, other) + 1e-12


def test_a_largest_weight_of_zero_leaves_no_risk_to_share() -> None:
    with pytest.raises(InfeasibleError, match="a largest weight of 0 leaves no risk to share"):
        risk_parity.risk_parity(np.eye(3), np.zeros(3), np.array([0.0, 1.0, 1.0]))


def test_bounded_risk_parity_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risk_parity, "NEWTON_STEPS", 1)
    with pytest.raises(ConvergenceError, match="bounded risk parity"):
        risk_parity.risk_parity(np.diag([1.0, 9.0, 25.0]), *uniform_bounds(3, largest=0.5))


def test_the_least_shortfall_is_that_of_the_whole_program() -> None:
    returns = factor_returns(400, 10)
    lower, upper = uniform_bounds(10)
    best = min_expected_shortfall(returns, lower, upper)
    for start in np.random.default_rng(3).dirichlet(np.ones(10), 5):
        again = min_expected_shortfall(returns, lower, upper, start=start)
        assert expected_shortfall(returns @ again) == pytest.approx(
            expected_shortfall(returns @ best), rel=1e-9
        )


@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.95, 0.999]))
def test_no_other_portfolio_has_a_smaller_shortfall(seed: int, confidence: float) -> None:
    returns = factor_returns(60, 5, seed=seed)
    best = min_expected_shortfall(returns, *uniform_bounds(5), confidence=confidence)
    others = np.random.default_rng(seed).dirichlet(np.ones(5), 100)
    least = min(expected_shortfall(returns @ each, confidence=confidence) for each in others)
    assert expected_shortfall(returns @ best, confidence=confidence) <= least + 1e-12


def test_one_symbol_has_everything() -> None:
    assert min_expected_shortfall(us_returns(50)[:, :1], *uniform_bounds(1)).tolist() == [1.0]


def test_returns_of_zero_have_any_weights() -> None:
    weights = min_expected_shortfall(np.zeros((30, 3)), *uniform_bounds(3))
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_shortfall_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortfall, "ROUNDS", 1)
    returns = factor_returns(400, 10)
    with pytest.raises(ConvergenceError, match="least expected shortfall"):
        min_expected_shortfall(returns, *uniform_bounds(10), start=np.eye(10)[0])


def test_a_solver_that_stops_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = shortfall._quiet_model

    def impatient() -> object:
        model = quiet()
        model.setOptionValue("simplex_iteration_limit", 1)
        return model

    monkeypatch.setattr(shortfall, "_quiet_model", impatient)
    with pytest.raises(ConvergenceError, match="linear program"):
        min_expected_shortfall(factor_returns(100, 10), *uniform_bounds(10))


def test_searches_end_on_any_input() -> None:
    rng = np.random.default_rng(0)
    ends: list[str] = []
    for case in range(300):
        symbols, sessions = int(rng.integers(2, 12)), int(rng.integers(5, 80))
        spread = 10.0 ** rng.uniform(-4, 0, size=symbols)
        returns = rng.normal(size=(sessions, symbols)) * spread + rng.normal(size=symbols) * 1e-3
        if case % 5 == 0:
            returns[:, 1] = returns[:, 0]
        covariance, mean = np.cov(returns.T), returns.mean(axis=0)
        lower, upper = np.zeros(symbols), np.full(symbols, max(1 / symbols, 0.6))
        assert min_variance(covariance, lower, upper).sum() == pytest.approx(1)
        frontier = efficient_frontier(mean, covariance, lower, upper, points=6)
        assert (np.diff(frontier @ mean) >= -1e-12).all()
        try:
            assert max_sharpe(mean, covariance, lower, upper).sum() == pytest.approx(1)
            ends.append("answer")
        except ComputationError as undefined:
            ends.append(type(undefined).__name__)
    assert ends.count("answer") > 200
    assert ends.count("ConvergenceError") <= 6
