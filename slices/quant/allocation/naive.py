"""Allocations that need no optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import InfeasibleError
from slices.quant.allocation.bounds import proportional_within

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def equal_weight(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Give every symbol the same weight, except where a bound prevents it.

    Raises:
        InfeasibleError: Where no weights within the bounds sum to 1.

    >>> equal_weight(np.zeros(4), np.ones(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return proportional_within(np.ones(lower.size), lower, upper)


def inverse_volatility(covariance: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Weigh symbols by one over their volatility, except where a bound prevents it.

    Raises:
        InfeasibleError: Where a symbol has no variance, or the bounds exclude a sum of 1.

    >>> inverse_volatility(np.diag([1.0, 9.0]), np.zeros(2), np.ones(2)).tolist()
    [0.75, 0.25]
    """
    return proportional_within(1.0 / volatilities(covariance), lower, upper)


def volatilities(covariance: FloatArray) -> FloatArray:
    """Return the roots of the variances.

    Raises:
        InfeasibleError: Where a variance is not positive: risk cannot be shared with a symbol
            that has none.
    """
    variances = np.diag(covariance)
    if not np.all(variances > 0):
        count = int(np.sum(~(variances > 0)))
        raise InfeasibleError(
            problem=f"{count} of {variances.size} symbols have no variance in this window, "
            "so risk cannot be shared with them"
        )
    return np.asarray(np.sqrt(variances), dtype=np.float64)
