"""Utility after costs: against cvxpy, against plain mean-variance, and what costs do to trading."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import BadDataError, InfeasibleError, ParameterError
from slices.quant.allocation.quadratic import min_variance
from slices.quant.allocation.utility import (
    blended_returns,
    equilibrium_returns,
    max_utility,
)
from slices.quant.covariance import sample_covariance
from tests.slices.quant.market import us_returns


class Problem:
    """A random problem; every fifth holds a symbol that stands for cash."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.size = size = int(random.integers(2, 26))
        factors = random.normal(size=(size, int(random.integers(2, 3 * size)))) * 0.02
        if seed % 5 == 0:
            factors[-1] = 0.0
        self.root = factors / np.sqrt(factors.shape[1])
        self.covariance = self.root @ self.root.T
        self.mean = random.normal(size=size) * 10 ** random.uniform(-5, -2)
        self.lower = np.full(size, 0.3 / size if seed % 4 == 0 else 0.0)
        self.upper = np.full(size, max(1.5 / size, random.uniform(0, 1)))
        self.held = (
            random.dirichlet(np.ones(size)),
            np.zeros(size),
            np.full(size, random.choice([0.5, 1.0]) / size),
        )[seed % 3]
        self.costs = random.uniform(0.5, 1.5, size) * 10 ** random.uniform(-5, -2)
        self.aversion = float(10 ** random.uniform(-1, 1.5))

    def weights(self, factor: float = 1.0) -> np.ndarray:
        return max_utility(
            self.mean,
            self.covariance,
            self.lower,
            self.upper,
            risk_aversion=self.aversion,
            held=self.held,
            costs=factor * self.costs,
        )

    def utility(self, weights: np.ndarray, factor: float = 1.0) -> float:
        risk = self.aversion / 2 * weights @ self.covariance @ weights
        return float(self.mean @ weights - risk - factor * self.costs @ np.abs(weights - self.held))

    def turnover(self, factor: float) -> float:
        """What is traded beyond the sales or purchases that no weights can avoid, one way."""
        change = self.weights(factor) - self.held
        return float(np.abs(change).sum() / 2 - abs(change.sum()) / 2)

    def by_cvxpy(self) -> float:
        weights = cp.Variable(self.size)
        risk = self.aversion / 2 * cp.sum_squares(self.root.T @ weights)
        gained = self.mean @ weights - risk - self.costs @ cp.abs(weights - self.held)
        limits = [cp.sum(weights) == 1, weights >= self.lower, weights <= self.upper]
        program = cp.Problem(cp.Maximize(1e4 * gained), limits)
        program.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
        return float(program.value) / 1e4


@pytest.mark.parametrize("seed", range(20))
def test_utility_is_cvxpys(seed: int) -> None:
    problem = Problem(seed)
    mine, best = problem.utility(problem.weights()), problem.by_cvxpy()
    assert mine == pytest.approx(best, abs=1e-8, rel=1e-6)
    assert mine >= best - 1e-9


@given(seed=st.integers(0, 10_000))
def test_weights_sum_to_one_within_bounds_and_no_neighbour_is_better(seed: int) -> None:
    problem = Problem(seed)
    weights, random = problem.weights(), np.random.default_rng(seed)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(weights >= problem.lower)
    assert np.all(weights <= problem.upper)
    best = problem.utility(weights)
    for _ in range(20):
        giver, taker = random.integers(0, problem.size, 2)
        moved = weights.copy()
        moved[giver] -= 1e-4
        moved[taker] += 1e-4
        if np.all(moved >= problem.lower) and np.all(moved <= problem.upper):
            assert problem.utility(moved) <= best + 1e-12


@given(seed=st.integers(0, 10_000), factors=st.tuples(*[st.floats(0, 20)] * 2))
def test_higher_costs_never_trade_more(seed: int, factors: tuple[float, float]) -> None:
    problem = Problem(seed)
    problem.costs = np.full(problem.size, problem.costs[0])
    low, high = sorted(factors)
    assert problem.turnover(high) <= problem.turnover(low) + 1e-7


@given(seed=st.integers(0, 10_000))
def test_without_costs_it_does_not_matter_what_is_held(seed: int) -> None:
    problem = Problem(seed)
    best = problem.utility(problem.weights(0.0), 0.0)
    problem.held = np.roll(problem.held, 1) / 2
    assert problem.utility(problem.weights(0.0), 0.0) == pytest.approx(best, abs=1e-10)


@given(seed=st.integers(0, 10_000))
def test_with_costs_beyond_all_gains_everything_stays(seed: int) -> None:
    problem = Problem(seed)
    random = np.random.default_rng(seed)
    mixed = problem.lower + random.dirichlet(np.ones(problem.size)) * (1 - problem.lower.sum())
    problem.held = np.minimum(mixed, problem.upper)
    problem.held = problem.held / problem.held.sum()
    if np.any(problem.held > problem.upper) or np.any(problem.held < problem.lower):
        return
    problem.costs = np.full(problem.size, 1.0)
    assert problem.weights(1e3) == pytest.approx(problem.held, abs=1e-12)


def test_only_what_gains_more_than_it_costs_is_traded() -> None:
    covariance, held = 0.04 * np.eye(4), np.full(4, 0.25)
    mean, costs = np.array([0.02, 0.001, -0.001, -0.02]), np.full(4, 0.002)
    weights = max_utility(
        mean, covariance, np.zeros(4), np.ones(4), risk_aversion=4.0, held=held, costs=costs
    )
    assert weights[1:3].tolist() == [0.25, 0.25]
    assert weights[0] == pytest.approx(0.25 + (0.02 - 0.002) / 0.16, abs=1e-9)
    assert weights[3] == pytest.approx(0.25 - (0.02 - 0.002) / 0.16, abs=1e-9)


def test_without_returns_and_costs_it_is_the_least_variance() -> None:
    covariance = sample_covariance(us_returns(252))
    size, zeros = len(covariance), np.zeros(len(covariance))
    weights = max_utility(
        zeros, covariance, zeros, np.full(size, 0.2), risk_aversion=3.0, held=zeros, costs=zeros
    )
    assert weights == pytest.approx(min_variance(covariance, zeros, np.full(size, 0.2)), abs=1e-7)


def test_cash_is_kept_where_nothing_pays() -> None:
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = [[0.04, 0.01], [0.01, 0.09]]
    held, costs = np.array([0.0, 0.0, 1.0]), np.array([0.001, 0.001, 0.0])
    given = (covariance, np.zeros(3), np.ones(3))
    mean = np.array([0.0008, 0.0, 0.0])
    kept = max_utility(mean, *given, risk_aversion=2.0, held=held, costs=costs)
    assert kept.tolist() == [0.0, 0.0, 1.0]
    mean[0] = 0.021
    bought = max_utility(mean, *given, risk_aversion=2.0, held=held, costs=costs)
    assert bought == pytest.approx([0.25, 0.0, 0.75], abs=1e-9)


def test_ties_and_bounds_that_leave_no_choice() -> None:
    size = 6
    equal = np.full(size, 1 / size)
    arguments = (np.zeros(size), 0.01 * np.eye(size))
    for upper in (equal, np.ones(size)):
        for held in (equal, np.zeros(size), np.eye(size)[2]):
            weights = max_utility(
                *arguments, np.zeros(size), upper,
                risk_aversion=1.0, held=held, costs=np.zeros(size),
            )  # fmt: skip
            assert weights == pytest.approx(equal, abs=1e-9)


def test_the_equilibrium_makes_its_own_weights_best() -> None:
    covariance = sample_covariance(us_returns(252))
    size = len(covariance)
    weights = np.random.default_rng(1).dirichlet(np.ones(size))
    mean = equilibrium_returns(weights, covariance, risk_aversion=3.0)
    best = max_utility(
        mean, covariance, np.zeros(size), np.ones(size),
        risk_aversion=3.0, held=np.zeros(size), costs=np.zeros(size),
    )  # fmt: skip
    assert best == pytest.approx(weights, abs=1e-8)


@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.9, 1.0])
def test_blended_returns_are_skfolios(confidence: float) -> None:
    from skfolio.moments import EquilibriumMu
    from skfolio.prior import BlackLitterman, EmpiricalPrior

    returns = us_returns(252)[:, :5]
    views = np.array([0.004, np.nan, -0.002, np.nan, 0.001])
    names = [f"S{i}" for i in range(5)]
    empirical = EmpiricalPrior(mu_estimator=EquilibriumMu()).fit(returns).return_distribution_
    said = [
        f"{names[i]} == {empirical.mu[i] + views[i]!r}" for i in range(5) if np.isfinite(views[i])
    ]
    model = BlackLitterman(
        views=[each.replace("np.float64(", "").replace(")", "") for each in said],
        groups=[names],
        prior_estimator=EmpiricalPrior(mu_estimator=EquilibriumMu()),
        view_confidences=[confidence] * 3,
    )
    theirs = model.fit(returns).return_distribution_.mu
    mine = blended_returns(empirical.mu, empirical.covariance, views=views, confidence=confidence)
    assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_a_view_that_is_not_believed_changes_nothing_and_one_that_is_holds() -> None:
    covariance = sample_covariance(us_returns(252))
    mean = np.linspace(0.001, 0.002, len(covariance))
    views = np.random.default_rng(2).normal(size=mean.size) * 0.01
    unmoved = blended_returns(mean, covariance, views=views, confidence=0.0)
    assert unmoved.tolist() == mean.tolist()
    no_view = np.full(mean.size, np.nan)
    assert blended_returns(mean, covariance, views=no_view, confidence=0.9).tolist() == (
        mean.tolist()
    )
    moved = blended_returns(mean, covariance, views=views, confidence=1.0)
    assert moved == pytest.approx(mean + views, abs=1e-12)


def test_bad_input_is_refused() -> None:
    good = {
        "expected_returns": np.zeros(2),
        "covariance": np.eye(2),
        "lower": np.zeros(2),
        "upper": np.ones(2),
        "risk_aversion": 1.0,
        "held": np.zeros(2),
        "costs": np.zeros(2),
    }
    for changed, error in (
        ({"expected_returns": np.array([np.nan, 0.0])}, BadDataError),
        ({"held": np.zeros(3)}, BadDataError),
        ({"costs": np.array([-0.1, 0.0])}, ParameterError),
        ({"risk_aversion": 0.0}, ParameterError),
        ({"covariance": np.full((2, 2), np.nan)}, BadDataError),
        ({"upper": np.full(2, 0.4)}, InfeasibleError),
    ):
        with pytest.raises(error):
            max_utility(**{**good, **changed})
    with pytest.raises(ParameterError):
        blended_returns(np.zeros(2), np.eye(2), views=np.zeros(2), confidence=1.5)
