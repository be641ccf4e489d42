"""The most expected utility after the costs of getting there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, ConvergenceError, ParameterError
from slices.quant.allocation.bounded_problem import KKT_ACCEPTED, KKT_TOLERANCE, bounded_problem
from slices.quant.allocation.bounds import without_rounding

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def max_utility(
    expected_returns: FloatArray,
    covariance: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    risk_aversion: float,
    held: FloatArray,
    costs: FloatArray,
) -> FloatArray:
    """Return the weights with the most m'w - g/2 w'Sw - c'|w - h|.

    The costs make a region around what is held in which nothing is worth trading. A symbol
    without variance and without expected return stands for cash.

    Args:
        expected_returns: m, N returns over the time until the next decision.
        covariance: S, N x N over the same time, positive semidefinite.
        lower: N smallest weights.
        upper: N largest weights.
        risk_aversion: g, above 0.
        held: h, N weights; they need not sum to 1, nor lie within the bounds.
        costs: c, N fractions of what is traded, at least 0.

    Returns:
        N weights with sum 1 whose optimality conditions have been verified.

    Raises:
        BadDataError: Where a number is missing, or shapes differ.
        ParameterError: Where the risk aversion is not positive, or a cost is negative.
        InfeasibleError: Where no weights within the bounds sum to 1.
        ConvergenceError: Where the optimality conditions do not hold.

    >>> given = (np.array([0.02, 0.0]), np.diag([0.04, 0.04]), np.zeros(2), np.ones(2))
    >>> halves = np.array([0.5, 0.5])
    >>> max_utility(*given, risk_aversion=1.0, held=halves, costs=np.zeros(2)).round(9).tolist()
    [0.75, 0.25]
    >>> max_utility(*given, risk_aversion=1.0, held=halves, costs=np.full(2, 0.02)).tolist()
    [0.5, 0.5]
    """
    _check(expected_returns, held, costs, size=lower.size, risk_aversion=risk_aversion)
    problem = bounded_problem(covariance, lower, upper)
    mean_variance = float(np.diag(covariance).mean())
    scale = risk_aversion * (mean_variance if mean_variance > 0 else 1.0)
    from slices.quant.allocation.utility_kernels import utility_qp

    linear, charged = expected_returns / scale, costs / scale
    size = max(1.0, float(np.abs(linear).max()), float(charged.max()))
    weights, iterations, residual = utility_qp(
        _regular(problem.hessian),
        linear,
        charged,
        np.clip(held, lower, upper),
        (lower, upper),
        _nearest(held, lower, upper),
        KKT_TOLERANCE * size,
        100 + 50 * lower.size,
    )
    if not residual <= KKT_ACCEPTED * size:
        raise ConvergenceError(
            method="utility after costs", iterations=iterations, residual=residual / size
        )
    return without_rounding(weights, lower, upper)


def equilibrium_returns(
    weights: FloatArray, covariance: FloatArray, *, risk_aversion: float
) -> FloatArray:
    """Return the expected returns under which weights have the most utility: g S w.

    Args:
        weights: N weights.
        covariance: N x N.
        risk_aversion: g.

    References:
        Black, Litterman (1992), Global Portfolio Optimization.

    >>> equilibrium_returns(np.array([0.5, 0.5]), np.diag([2.0, 4.0]), risk_aversion=2.0).tolist()
    [2.0, 4.0]
    """
    return np.asarray(risk_aversion * covariance @ weights, dtype=np.float64)


def blended_returns(
    expected_returns: FloatArray,
    covariance: FloatArray,
    *,
    views: FloatArray,
    confidence: float,
) -> FloatArray:
    """Blend expected returns with views on single symbols, after Black and Litterman.

    A view is as uncertain as the mean of its own symbol, times (1 - confidence) / confidence, so
    that the confidence is the share of a view that is believed where returns do not vary
    together; where they do, a view on one symbol says something about the others. How uncertain
    the expected returns themselves are then cancels out.

    Args:
        expected_returns: N returns before the views.
        covariance: N x N.
        views: By how much the return of each symbol is thought to differ from that; NaN for none.
        confidence: Between 0, where nothing changes, and 1.

    Returns:
        N expected returns.

    References:
        Black, Litterman (1992), Global Portfolio Optimization; Idzorek (2007), A step-by-step
        guide to the Black-Litterman model, for the confidence, in the closed form of Walters.

    >>> mean, covariance = np.array([0.01, 0.01]), np.diag([0.04, 0.01])
    >>> view = np.array([0.02, np.nan])
    >>> blended_returns(mean, covariance, views=view, confidence=0.5).round(9).tolist()
    [0.02, 0.01]
    """
    if not 0 <= confidence <= 1:
        raise ParameterError(
            parameter="confidence", found=f"{confidence:g}", allowed="a number from 0 to 1"
        )
    has_view = np.isfinite(views)
    if confidence == 0 or not has_view.any():
        return expected_returns.copy()
    among = covariance[np.ix_(has_view, has_view)]
    doubt = np.diag(np.diag(among)) * (1.0 - confidence) / confidence
    pulled = np.linalg.solve(among + doubt, views[has_view])
    return np.asarray(expected_returns + covariance[:, has_view] @ pulled, dtype=np.float64)


def _check(*values: FloatArray, size: int, risk_aversion: float) -> None:
    for name, each in zip(("expected returns", "held weights", "costs"), values, strict=True):
        if each.shape != (size,) or not np.isfinite(each).all():
            raise BadDataError(
                dataset=name, problem=f"need {size} finite values, found {each.shape}"
            )
    if values[-1].min() < 0:
        raise ParameterError(parameter="costs", found=f"{values[-1].min():g}", allowed="at least 0")
    if not risk_aversion > 0:
        raise ParameterError(
            parameter="risk_aversion", found=f"{risk_aversion:g}", allowed="more than 0"
        )


def _regular(hessian: FloatArray) -> FloatArray:
    """Add the same to all entries: nothing changes as the sum stays 1, and cash has a pivot."""
    return hessian + 1.0


def _nearest(held: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return what is held, brought within the bounds and to a sum of 1."""
    inside = np.clip(held, lower, upper)
    missing = 1.0 - float(inside.sum())
    room = upper - inside if missing > 0 else inside - lower
    if abs(missing) > 1e-15 and room.sum() > 0:
        inside = inside + missing * room / room.sum()
    return without_rounding(inside, lower, upper)
