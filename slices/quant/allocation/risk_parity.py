"""Equal risk contributions.

Without binding bounds the weights are the only ones whose contributions to the variance are all
equal. Where these weights break a bound, equality is impossible and the definition is that of
Richard and Roncalli (and of skfolio's RiskBudgeting): of all weights within the bounds, those with
the least volatility relative to their geometric mean. Free weights then follow the budget as well
as the bound ones allow.

References:
    Maillard, Roncalli, Teiletche (2010), The properties of equally weighted risk contribution
    portfolios. Richard, Roncalli (2019), Constrained risk budgeting portfolios.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ConvergenceError, InfeasibleError
from slices.quant.allocation.bounded_problem import BoundedProblem
from slices.quant.allocation.bounds import check_bounds, proportional_within, without_rounding
from slices.quant.allocation.naive import volatilities
from slices.quant.covariance import correlation

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

SHARE_TOLERANCE = 1e-12
SWEEPS = 300
NEWTON_STEPS = 100
STEP_TOLERANCE = 1e-9
NO_VARIANCE = 1e-12


def risk_parity(
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    start: FloatArray | None = None,
) -> FloatArray:
    """Return weights whose contributions to the variance are equal, as far as bounds allow.

    Args:
        covariance: N x N with positive variances.
        lower: N smallest weights.
        upper: N largest weights.
        start: Positive weights to start from, such as the last answer.

    Raises:
        InfeasibleError: Where a symbol or, with a perfect hedge, a portfolio has no variance, or
            the bounds exclude a sum of 1.
        ConvergenceError: Where the optimum is not reached.

    >>> risk_parity(np.diag([1.0, 9.0]), np.zeros(2), np.ones(2)).round(9).tolist()
    [0.75, 0.25]
    """
    check_bounds(lower, upper)
    volatility = volatilities(covariance)
    weights = _equal_contributions(covariance, volatility, start)
    if np.all(weights >= lower) and np.all(weights <= upper):
        return weights
    return _bounded(covariance, lower, upper, proportional_within(weights, lower, upper))


def _equal_contributions(
    covariance: FloatArray, volatility: FloatArray, start: FloatArray | None
) -> FloatArray:
    """Go coordinate by coordinate; where that crawls, by Newton's method."""
    from slices.quant.allocation.risk_kernels import equal_risk

    relations = correlation(covariance)
    usable = start is not None and bool(np.all(start > 0))
    first = start * volatility if usable and start is not None else np.ones(volatility.size)
    first = first / np.sqrt(max(float(first @ relations @ first), NO_VARIANCE))
    exposures, _, deviation = equal_risk(relations, first, SHARE_TOLERANCE, SWEEPS)
    if deviation <= SHARE_TOLERANCE:
        return np.asarray(exposures / volatility / (exposures / volatility).sum(), np.float64)
    lower, upper = np.zeros(volatility.size), np.ones(volatility.size)
    return _bounded(covariance, lower, upper, 1.0 / volatility / (1.0 / volatility).sum())


def _bounded(
    covariance: FloatArray, lower: FloatArray, upper: FloatArray, weights: FloatArray
) -> FloatArray:
    """Minimize log(w'Sw)/2 - mean(log w) within the bounds by sequential quadratic programs.

    The function is the logarithm of volatility over geometric mean, a convex over a concave
    function, so its only stationary point is the optimum. With g = Sw/(w'Sw) and h = 1/(N w) the
    gradient is g - h. The matrix S/(w'Sw) - gg' + diag(N h^2) - hh' is positive semidefinite and
    equals the Hessian along the directions that are free at the optimum, so steps end
    quadratically; adding a multiple of the ones matrix changes nothing as the sum stays 1.
    """
    if not np.all(weights > 0):
        raise InfeasibleError(problem="a largest weight of 0 leaves no risk to share")
    merit = _log_ratio(covariance, weights)
    for _ in range(NEWTON_STEPS):
        step, slope = _newton_step(covariance, lower, upper, weights)
        if float(np.abs(step).max()) <= STEP_TOLERANCE:
            return without_rounding(weights + step, lower, upper)
        length = 1.0
        while (
            renewed := _log_ratio(covariance, weights + length * step)
        ) > merit + 1e-4 * length * slope + 1e-15 and length > 1e-9:
            length /= 2.0
        weights, merit = weights + length * step, renewed
    raise ConvergenceError(
        method="bounded risk parity",
        iterations=NEWTON_STEPS,
        residual=float(np.abs(step).max()),
    )


def _log_ratio(covariance: FloatArray, weights: FloatArray) -> float:
    variance = max(float(weights @ covariance @ weights), 1e-300)
    return 0.5 * math.log(variance) - float(np.log(weights).mean())


def _newton_step(
    covariance: FloatArray, lower: FloatArray, upper: FloatArray, weights: FloatArray
) -> tuple[FloatArray, float]:
    """Return the step to the optimum of the quadratic model, and the merit's slope along it.

    No weight shrinks to less than a tenth in one step, which keeps logarithms defined.
    """
    marginal = covariance @ weights
    variance = float(weights @ marginal)
    if variance <= NO_VARIANCE * float(weights**2 @ np.diag(covariance)):
        raise InfeasibleError(
            problem="a portfolio of these symbols has no variance in this window, "
            "so risk cannot be shared"
        )
    risk, budget = marginal / variance, 1.0 / (weights.size * weights)
    hessian = covariance / variance - np.outer(risk, risk) - np.outer(budget, budget)
    hessian[np.diag_indices_from(hessian)] += weights.size * budget**2
    scale = float(np.diag(hessian).mean())
    problem = BoundedProblem(
        hessian=hessian / scale + 1.0, lower=np.maximum(lower, 0.1 * weights), upper=upper
    )
    gradient = (risk - budget) / scale
    answer = problem.solution(problem.hessian @ weights - gradient, weights)
    step = answer - weights
    return step, float((risk - budget) @ step)
