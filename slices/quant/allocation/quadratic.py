"""Least variance, most return per risk, and the efficient frontier: one quadratic program.

All of them minimize w'Sw/2 - t m'w over weights w within bounds, with covariance S, expected
returns m and a tolerance t for risk: t = 0 gives the least variance; the weights of the highest
Sharpe ratio and of any expected return belong to some t > 0. Along t the free weights move in
straight pieces, so a secant finds the right t in a few steps.

The covariance may be singular (more symbols than sessions): 1e-11 of the mean variance is added to
its diagonal and changes the variance by less than that. How the weight of exact twins is divided
between them is left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InfeasibleError
from slices.quant.allocation.bounded_problem import BoundedProblem, bounded_problem
from slices.quant.allocation.bounds import filled_in_order
from slices.quant.allocation.frontier_search import FrontierSearch

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

NO_VARIANCE = 1e-10


def min_variance(
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    start: FloatArray | None = None,
) -> FloatArray:
    """Return the weights with the least variance.

    Args:
        covariance: N x N, positive semidefinite.
        lower: N smallest weights.
        upper: N largest weights.
        start: Weights within the bounds with sum 1 to start from, such as the last answer.

    Returns:
        N weights whose optimality conditions have been verified.

    Raises:
        InfeasibleError: Where no weights within the bounds sum to 1.
        ConvergenceError: Where the optimality conditions do not hold.

    >>> min_variance(np.diag([1.0, 4.0]), np.zeros(2), np.ones(2)).round(9).tolist()
    [0.8, 0.2]
    """
    problem = bounded_problem(covariance, lower, upper)
    if start is None:
        start = filled_in_order(np.argsort(np.diag(covariance), kind="stable"), lower, upper)
    return problem.solution(np.zeros(lower.size), start)


def max_sharpe(
    expected_returns: FloatArray,
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    risk_free_rate: float = 0.0,
) -> FloatArray:
    """Return the weights with the highest expected excess return per volatility.

    Args:
        expected_returns: N expected returns per session.
        covariance: N x N, per session.
        lower: N smallest weights.
        upper: N largest weights.
        risk_free_rate: Per session.

    Raises:
        InfeasibleError: Where no feasible portfolio has a positive expected excess return, where
            one has a return without risk, or where the bounds exclude a sum of 1.
        ConvergenceError: Where the optimality conditions do not hold.

    References:
        Dinkelbach (1967), On nonlinear fractional programming; the secant makes it finite.

    >>> mean, covariance = np.array([0.1, 0.2]), np.diag([1.0, 4.0])
    >>> max_sharpe(mean, covariance, np.zeros(2), np.ones(2)).round(9).tolist()
    [0.666666667, 0.333333333]
    """
    problem = bounded_problem(covariance, lower, upper)
    excess = expected_returns - risk_free_rate
    weights = filled_in_order(np.argsort(-excess, kind="stable"), lower, upper)
    if not float(excess @ weights) > 0:
        raise InfeasibleError(
            problem="no portfolio within the bounds has a positive expected excess return, "
            "so the highest Sharpe ratio is undefined"
        )
    search = FrontierSearch(problem, excess / np.abs(excess).max(), weights)

    def gap(tolerance: float) -> float:
        weights = search.weights_at(tolerance)
        variance = max(problem.variance(weights), NO_VARIANCE)
        return tolerance * float(search.returns @ weights) / variance - 1.0

    first = problem.variance(weights) / float(search.returns @ weights)
    search.solve(gap, first=max(first, NO_VARIANCE), accepted=1e-10)
    if problem.variance(search.weights) <= NO_VARIANCE:
        raise InfeasibleError(
            problem="a portfolio within the bounds has no variance in this window, so the highest "
            "Sharpe ratio is undefined; use a longer window or fewer symbols"
        )
    return search.weights


def efficient_frontier(
    expected_returns: FloatArray,
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    points: int,
) -> FloatArray:
    """Return the weights of least variance for evenly spaced expected returns.

    The first portfolio has the least variance of all, the last the highest expected return.

    Args:
        expected_returns: N expected returns.
        covariance: N x N.
        lower: N smallest weights.
        upper: N largest weights.
        points: How many portfolios, at least 2.

    Returns:
        `points` x N weights; a single row where least variance and highest return coincide.

    Raises:
        InfeasibleError: Where no weights within the bounds sum to 1.
        ConvergenceError: Where the optimality conditions do not hold.

    >>> mean, covariance = np.array([1.0, 2.0]), np.diag([1.0, 1.0])
    >>> efficient_frontier(mean, covariance, np.zeros(2), np.ones(2), points=3).round(9).tolist()
    [[0.5, 0.5], [0.25, 0.75], [0.0, 1.0]]
    """
    problem = bounded_problem(covariance, lower, upper)
    safest = min_variance(covariance, lower, upper)
    richest = _highest_return(problem, expected_returns)
    targets = np.linspace(expected_returns @ safest, expected_returns @ richest, points)
    scale = float(np.abs(expected_returns).max())
    if not targets[-1] - targets[0] > 1e-12 * scale:
        return safest[None, :]
    search = FrontierSearch(problem, expected_returns / scale, safest)
    rows = [safest]
    for target in targets[1:-1] / scale:

        def gap(tolerance: float, target: float = target) -> float:
            return float(search.returns @ search.weights_at(tolerance)) - target

        search.solve(gap, first=search.tolerance or 1.0, accepted=1e-13)
        rows.append(search.weights)
    return np.array([*rows, richest])


def _highest_return(problem: BoundedProblem, expected_returns: FloatArray) -> FloatArray:
    """Return the weights with the highest expected return, of these the least variance."""
    weights = filled_in_order(
        np.argsort(-expected_returns, kind="stable"), problem.lower, problem.upper
    )
    spread = weights - problem.lower > 0
    border = expected_returns[spread].min() if spread.any() else np.inf
    tied = np.abs(expected_returns - border) <= 1e-14 * np.abs(expected_returns).max()
    tie = BoundedProblem(
        hessian=problem.hessian,
        lower=np.where(tied, problem.lower, weights),
        upper=np.where(tied, problem.upper, weights),
    )
    return tie.solution(np.zeros(weights.size), weights)
