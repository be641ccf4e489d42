"""Allocators against skfolio, PyPortfolioOpt and cvxpy, solved to tight tolerances."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from slices.domain.portfolio import Allocator
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.allocation.hierarchical import hierarchical_risk_parity
from slices.quant.allocation.quadratic import efficient_frontier, max_sharpe, min_variance
from slices.quant.allocation.risk_parity import risk_parity
from slices.quant.allocation.shortfall import min_expected_shortfall
from slices.quant.contributions import risk_contributions
from slices.quant.covariance import sample_covariance
from slices.quant.metrics.tails import expected_shortfall
from tests.slices.quant.market import factor_returns, us_closes, us_returns
from tests.slices.quant.peers import TIGHT, skfolio_weights

BOUNDS = [(0.0, 1.0), (0.0, 0.1), (0.02, 0.2), (0.04, 0.06)]
WINDOWS = {
    "calm": us_returns(504),
    "crisis": np.diff(us_closes()[2][4600:4853], axis=0) / us_closes()[2][4600:4852],
    "factors": factor_returns(300, 40),
}
pytestmark = pytest.mark.slow
bounds = pytest.mark.parametrize(("smallest", "largest"), BOUNDS)
windows = pytest.mark.parametrize("returns", WINDOWS.values(), ids=WINDOWS.keys())


def limits(returns: np.ndarray, smallest: float, largest: float) -> tuple[float, float]:
    """The bounds, where 40 symbols allow them, else half of them."""
    return (smallest, largest) if returns.shape[1] == 20 else (smallest / 2, max(largest / 2, 0.03))


@bounds
@windows
def test_least_variance_is_skfolios(returns: np.ndarray, smallest: float, largest: float) -> None:
    smallest, largest = limits(returns, smallest, largest)
    covariance = sample_covariance(returns)
    mine = min_variance(
        covariance, *uniform_bounds(len(covariance), smallest=smallest, largest=largest)
    )
    theirs = skfolio_weights(Allocator.MIN_VARIANCE, returns, smallest=smallest, largest=largest)
    assert mine @ covariance @ mine == pytest.approx(theirs @ covariance @ theirs, rel=1e-6)
    assert mine @ covariance @ mine <= theirs @ covariance @ theirs * (1 + 1e-9)
    assert mine == pytest.approx(theirs, abs=1e-4)


@bounds
@windows
def test_the_highest_sharpe_ratio_is_skfolios(
    returns: np.ndarray, smallest: float, largest: float
) -> None:
    smallest, largest = limits(returns, smallest, largest)
    mean, covariance = np.abs(returns.mean(axis=0)), sample_covariance(returns)
    shifted = returns - returns.mean(axis=0) + mean
    mine = max_sharpe(
        mean, covariance, *uniform_bounds(mean.size, smallest=smallest, largest=largest)
    )
    theirs = skfolio_weights(Allocator.MAX_SHARPE, shifted, smallest=smallest, largest=largest)
    ratios = [mean @ each / np.sqrt(each @ covariance @ each) for each in (mine, theirs)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-6)
    assert ratios[0] >= ratios[1] * (1 - 1e-9)
    assert mine == pytest.approx(theirs, abs=1e-4)


@bounds
@windows
def test_risk_parity_is_skfolios(returns: np.ndarray, smallest: float, largest: float) -> None:
    smallest, largest = limits(returns, smallest, largest)
    covariance = sample_covariance(returns)
    mine = risk_parity(
        covariance, *uniform_bounds(len(covariance), smallest=smallest, largest=largest)
    )
    theirs = skfolio_weights(Allocator.RISK_PARITY, returns, smallest=smallest, largest=largest)

    def objective(weights: np.ndarray) -> float:
        return np.sqrt(weights @ covariance @ weights) / np.exp(np.log(weights).mean())

    assert objective(mine) == pytest.approx(objective(theirs), rel=1e-6)
    assert objective(mine) <= objective(theirs) * (1 + 1e-8)
    assert mine == pytest.approx(theirs, abs=1e-4)


@windows
def test_risk_contributions_are_equal(returns: np.ndarray) -> None:
    covariance = sample_covariance(returns)
    contributions = risk_contributions(
        risk_parity(covariance, *uniform_bounds(len(covariance))), covariance
    )
    shares = contributions / contributions.sum()
    assert np.abs(shares - 1 / shares.size).max() < 1e-10


@bounds
@windows
def test_hierarchical_risk_parity_is_skfolios(
    returns: np.ndarray, smallest: float, largest: float
) -> None:
    smallest, largest = limits(returns, smallest, largest)
    covariance = sample_covariance(returns)
    mine = hierarchical_risk_parity(
        covariance, *uniform_bounds(len(covariance), smallest=smallest, largest=largest)
    )
    theirs = skfolio_weights(
        Allocator.HIERARCHICAL_RISK_PARITY, returns, smallest=smallest, largest=largest
    )
    assert mine == pytest.approx(theirs, abs=1e-9)


@bounds
@windows
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_least_expected_shortfall_is_skfolios(
    returns: np.ndarray, smallest: float, largest: float, confidence: float
) -> None:
    smallest, largest = limits(returns, smallest, largest)
    lower, upper = uniform_bounds(returns.shape[1], smallest=smallest, largest=largest)
    mine = min_expected_shortfall(returns, lower, upper, confidence=confidence)
    theirs = skfolio_weights(
        Allocator.MIN_EXPECTED_SHORTFALL,
        returns,
        smallest=smallest,
        largest=largest,
        confidence=confidence,
    )
    found = [expected_shortfall(returns @ each, confidence=confidence) for each in (mine, theirs)]
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    assert found[0] <= found[1] * (1 + 1e-9)


@bounds
def test_every_point_of_the_frontier_is_cvxpys(smallest: float, largest: float) -> None:
    returns = WINDOWS["calm"]
    mean, covariance = returns.mean(axis=0) * 252, sample_covariance(returns) * 252
    lower, upper = uniform_bounds(20, smallest=smallest, largest=largest)
    portfolios = efficient_frontier(mean, covariance, lower, upper, points=8)
    assert portfolios.shape == (8, 20)
    weights, target = cp.Variable(20), cp.Parameter()
    problem = cp.Problem(
        cp.Minimize(cp.quad_form(weights, cp.psd_wrap(covariance))),
        [cp.sum(weights) == 1, weights >= lower, weights <= upper, mean @ weights == target],
    )
    targets = mean @ portfolios.T
    assert np.diff(targets) == pytest.approx(np.full(7, (targets[-1] - targets[0]) / 7), rel=1e-9)
    for portfolio in portfolios:
        target.value = mean @ portfolio
        problem.solve(solver=cp.CLARABEL, **TIGHT)
        assert portfolio @ covariance @ portfolio == pytest.approx(problem.value, rel=1e-6)


def test_the_frontier_starts_at_least_variance_and_ends_at_the_highest_return() -> None:
    returns = WINDOWS["calm"]
    mean, covariance = returns.mean(axis=0), sample_covariance(returns)
    lower, upper = uniform_bounds(20)
    portfolios = efficient_frontier(mean, covariance, lower, upper, points=5)
    assert portfolios[0] == pytest.approx(min_variance(covariance, lower, upper), abs=1e-9)
    assert portfolios[-1].argmax() == mean.argmax()
    assert portfolios[-1].max() == 1.0
    volatility = np.sqrt(np.einsum("ij,jk,ik->i", portfolios, covariance, portfolios))
    assert np.all(np.diff(volatility) > 0)


def test_least_variance_of_500_symbols_is_pyportfolioopts_and_the_conditions_hold() -> None:
    from pypfopt import EfficientFrontier

    covariance = sample_covariance(factor_returns(1000, 500))
    mine = min_variance(covariance, *uniform_bounds(500))
    peer = EfficientFrontier(None, covariance, solver="CLARABEL", solver_options=TIGHT)
    theirs = np.array(list(peer.min_volatility().values()))
    assert mine @ covariance @ mine == pytest.approx(theirs @ covariance @ theirs, rel=1e-6)
    gradient = covariance @ mine
    assert gradient[mine > 1e-9] == pytest.approx(gradient.min(), rel=1e-7)
