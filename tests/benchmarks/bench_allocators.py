"""Allocators against skfolio and empyrical: `python -m tests.benchmarks.bench_allocators [--full]`.

The peer runs with its default solver settings, as its users run it. The difference of a fit is our
objective relative to the peer's, minus 1: negative where ours is better, and at most 1e-6. Of a
walk-forward it is the largest mean difference of an allocator's weights.
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.allocators import ALLOCATORS, allocate
from slices.adaptive_portfolio.evaluation import AllocationRule, walk_forward
from slices.adaptive_portfolio.periods import period_ends
from slices.domain.parameters import DEFAULT_BOUNDS, DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.portfolio import Allocator
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.allocation.quadratic import efficient_frontier
from slices.quant.allocation.utility import max_utility
from slices.quant.covariance import sample_covariance
from slices.quant.metrics import performance
from slices.quant.metrics.tails import expected_shortfall
from slices.quant.simulation.targets import simulate_targets
from tests.benchmarks.harness import Contest, run
from tests.slices.quant.market import factor_returns, panel_of, us_closes, us_returns
from tests.slices.quant.peers import skfolio_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGES = ("numpy", "scipy", "numba", "highspy", "skfolio", "cvxpy", "clarabel")
LOOKBACK = 504
PEER_INACCURACY = 1e-2
OPTIMIZED = (
    Allocator.MIN_VARIANCE,
    Allocator.MAX_SHARPE,
    Allocator.RISK_PARITY,
    Allocator.HIERARCHICAL_RISK_PARITY,
)


def objective(allocator: Allocator, returns: np.ndarray) -> Callable[[np.ndarray], float]:
    """What an allocator makes small; the largest weight where it has no objective."""
    mean, covariance = returns.mean(axis=0), sample_covariance(returns)

    def value(weights: np.ndarray) -> float:
        volatility = math.sqrt(weights @ covariance @ weights)
        match allocator:
            case Allocator.MIN_VARIANCE:
                return volatility**2
            case Allocator.MAX_SHARPE:
                return volatility / float(mean @ weights)
            case Allocator.RISK_PARITY:
                return volatility / math.exp(np.log(weights).mean())
            case Allocator.MIN_EXPECTED_SHORTFALL:
                return expected_shortfall(returns @ weights)
            case _:
                return float(weights.max())

    return value


def fit(
    allocator: Allocator,
    returns: np.ndarray,
    *,
    target: float | None = None,
    repeats: int = 5,
    warm_peer: bool = True,
) -> Contest[np.ndarray]:
    """One fit from returns to weights."""
    value = objective(allocator, returns)
    sessions, symbols = returns.shape
    return Contest(
        work=f"{allocator.value}, {symbols} symbols x {sessions:,}",
        ours=functools.partial(allocate, allocator, returns),
        peer="skfolio",
        needs="skfolio",
        theirs=functools.partial(skfolio_weights, allocator, returns, tight=False),
        difference=lambda mine, theirs: value(mine) / value(theirs) - 1.0,
        tolerance=1e-6,
        allowance=PEER_INACCURACY,
        target=target,
        repeats=repeats,
        warm_peer=warm_peer,
    )


def utility_after_costs(returns: np.ndarray) -> Contest[float]:
    """The most utility after proportional costs, from equal weights; what is compared is it."""
    import cvxpy as cp

    mean, covariance = 5 * returns.mean(axis=0), 5 * sample_covariance(returns)
    size, root = mean.size, np.sqrt(5 / (len(returns) - 1)) * (returns - returns.mean(axis=0))
    equal, costs = np.full(size, 1 / size), np.full(size, 0.001)

    def gained(weights: np.ndarray) -> float:
        risk = 2.5 * weights @ covariance @ weights
        return float(mean @ weights - risk - costs @ np.abs(weights - equal))

    def ours() -> float:
        return gained(
            max_utility(
                mean, covariance, *uniform_bounds(size, largest=0.2),
                risk_aversion=5.0, held=equal, costs=costs,
            )
        )  # fmt: skip

    def theirs() -> float:
        weights = cp.Variable(size)
        risk = 2.5 * cp.sum_squares(root @ weights)
        value = mean @ weights - risk - costs @ cp.abs(weights - equal)
        limits = [cp.sum(weights) == 1, weights >= 0, weights <= 0.2]
        cp.Problem(cp.Maximize(value), limits).solve(solver="CLARABEL")
        return gained(np.asarray(weights.value))

    return Contest(
        work=f"utility after costs, {size} symbols",
        ours=ours,
        peer="cvxpy",
        needs="cvxpy",
        theirs=theirs,
        difference=lambda mine, other: (other - mine) / abs(other),
        tolerance=1e-6,
        allowance=PEER_INACCURACY,
        repeats=5,
    )


def frontier(points: int) -> Contest[np.ndarray]:
    """An efficient frontier; of the two only the least variances lie alike."""
    returns = us_returns(LOOKBACK)
    mean, covariance = returns.mean(axis=0), sample_covariance(returns)

    def theirs() -> np.ndarray:
        from skfolio import RiskMeasure
        from skfolio.optimization import MeanRisk

        model = MeanRisk(risk_measure=RiskMeasure.VARIANCE, efficient_frontier_size=points)
        return np.asarray(model.fit(returns).weights_)

    return Contest(
        work=f"efficient frontier, {points} points, 20 symbols",
        ours=lambda: efficient_frontier(mean, covariance, *uniform_bounds(20), points=points),
        peer="skfolio",
        needs="skfolio",
        theirs=theirs,
        difference=lambda a, b: (a[0] @ covariance @ a[0]) / (b[0] @ covariance @ b[0]) - 1.0,
        tolerance=1e-6,
        allowance=PEER_INACCURACY,
    )


def our_walk_forward(closes: np.ndarray, refits: np.ndarray) -> np.ndarray:
    """Weights of all allocators at all refits; each also traded, with costs."""
    weights, panel = [], panel_of(closes)
    for allocator in ALLOCATORS:
        rule = AllocationRule(
            allocator=allocator,
            lookback_sessions=LOOKBACK,
            bounds=DEFAULT_BOUNDS,
            confidence=0.95,
            risk_free_rate=0.0,
        )
        targets = walk_forward(closes, rule, refits).targets
        simulate_targets(panel, targets, costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=1e5)
        weights.append(targets[refits])
    return np.array(weights)


def their_walk_forward(closes: np.ndarray, refits: np.ndarray) -> np.ndarray:
    """The fits of the same windows through skfolio, nothing traded."""
    windows = [closes[row - LOOKBACK : row + 1] for row in refits]
    return np.array(
        [
            [skfolio_weights(allocator, w[1:] / w[:-1] - 1, tight=False) for w in windows]
            for allocator in ALLOCATORS
        ]
    )


def refit_contest(*, refits: int | None) -> Contest[np.ndarray]:
    """Monthly refits of the seven allocators over 20 names."""
    sessions, _, closes = us_closes()
    ends = period_ends(sessions, "monthly")
    ends = ends[ends >= LOOKBACK]
    chosen = ends if refits is None else ends[-refits:]
    return Contest(
        work=f"walk-forward of 7 allocators, 20 symbols, {chosen.size} refits",
        ours=functools.partial(our_walk_forward, closes, chosen),
        peer="skfolio",
        needs="skfolio",
        theirs=functools.partial(their_walk_forward, closes, chosen),
        difference=lambda a, b: float(np.abs(a - b).mean(axis=(1, 2)).max()),
        tolerance=1e-4,
        target=20,
        repeats=1,
        warm_peer=False,
    )


def measures() -> Contest[float]:
    """The fourteen figures every flow shows against the same through empyrical."""
    returns = us_closes()[2][1:, 0] / us_closes()[2][:-1, 0] - 1.0

    def theirs() -> float:
        import empyrical

        empyrical.cum_returns_final(returns)
        empyrical.annual_return(returns)
        empyrical.annual_volatility(returns)
        empyrical.sortino_ratio(returns)
        empyrical.calmar_ratio(returns)
        empyrical.max_drawdown(returns)
        empyrical.value_at_risk(returns, 0.05)
        empyrical.conditional_value_at_risk(returns, 0.05)
        return float(empyrical.sharpe_ratio(returns))

    return Contest(
        work=f"14 measures (empyrical: 9) of {returns.size:,} returns",
        ours=lambda: performance(returns, periods_per_year=252).sharpe_ratio,
        peer="empyrical",
        needs="empyrical",
        theirs=theirs,
        difference=lambda mine, other: abs(mine - other),
        tolerance=1e-9,
        repeats=20,
    )


def contests(*, full: bool) -> Iterator[Contest]:
    """List the work; `full` adds what takes the peer minutes."""
    small, large = us_returns(LOOKBACK), factor_returns(1000, 500)
    for allocator in (*OPTIMIZED, Allocator.MIN_EXPECTED_SHORTFALL):
        yield fit(allocator, small, repeats=15)
    for allocator in OPTIMIZED:
        is_targeted = allocator is not Allocator.HIERARCHICAL_RISK_PARITY
        yield fit(
            allocator,
            large,
            target=50 if is_targeted else None,
            repeats=5 if full else 1,
        )
    sessions = 2520 if full else 504
    yield fit(
        Allocator.MIN_EXPECTED_SHORTFALL,
        factor_returns(sessions, 500),
        target=20 if full else None,
        repeats=1,
        warm_peer=False,
    )
    yield utility_after_costs(small)
    yield utility_after_costs(large)
    yield frontier(20)
    yield refit_contest(refits=None if full else 24)
    yield measures()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all sizes; takes a few minutes")
    arguments = parser.parse_args()
    return run("Allocators", contests(full=arguments.full), packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
