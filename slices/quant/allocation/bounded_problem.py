"""The quadratic program behind least variance, most return per risk and the frontier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slices.domain.errors import BadDataError, ConvergenceError
from slices.quant.allocation.bounds import check_bounds, without_rounding
from slices.quant.types import FloatArray

RIDGE = 1e-11
KKT_TOLERANCE = 1e-10
KKT_ACCEPTED = 1e-8


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundedProblem:
    """A covariance scaled to a mean variance of 1, and bounds."""

    hessian: FloatArray
    lower: FloatArray
    upper: FloatArray

    def solution(self, linear: FloatArray, start: FloatArray) -> FloatArray:
        """Return the weights with the least w'Hw/2 - q'w, exactly inside the bounds.

        Raises:
            ConvergenceError: Where the conditions of an optimum do not hold at the result.
        """
        from slices.quant.allocation.active_set import box_qp

        scale = max(1.0, float(np.abs(linear).max()))
        weights, iterations, residual = box_qp(
            self.hessian,
            linear,
            self.lower,
            self.upper,
            start,
            KKT_TOLERANCE * scale,
            100 + 50 * start.size,
        )
        if not residual <= KKT_ACCEPTED * scale:
            raise ConvergenceError(
                method="quadratic program", iterations=iterations, residual=residual / scale
            )
        return without_rounding(weights, self.lower, self.upper)

    def variance(self, weights: FloatArray) -> float:
        """Return the variance of weights, in units of the mean variance."""
        return float(weights @ self.hessian @ weights)


def bounded_problem(covariance: FloatArray, lower: FloatArray, upper: FloatArray) -> BoundedProblem:
    """Scale a covariance, add the ridge and check the bounds.

    Raises:
        BadDataError: Where the covariance is not finite or does not fit the bounds.
        InfeasibleError: Where no weights within the bounds sum to 1.
    """
    check_bounds(lower, upper)
    if covariance.shape != (lower.size, lower.size) or not np.isfinite(covariance).all():
        raise BadDataError(
            dataset="covariance",
            problem=f"need {lower.size} x {lower.size} finite values, found {covariance.shape}",
        )
    mean_variance = float(np.diag(covariance).mean())
    hessian = covariance / mean_variance if mean_variance > 0 else np.zeros_like(covariance)
    hessian[np.diag_indices_from(hessian)] += RIDGE
    return BoundedProblem(hessian=hessian, lower=lower, upper=upper)
