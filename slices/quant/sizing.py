"""Sizes of positions, as fractions of equity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError
from slices.quant.metrics.registry import deviation

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def volatility_target_weight(annualized_volatility: float, *, target: float) -> float:
    """Return the weight whose volatility is the target; infinite where there is no volatility.

    >>> volatility_target_weight(0.4, target=0.1)
    0.25
    """
    _check_positive("target", target)
    return target / annualized_volatility if annualized_volatility > 0 else math.inf


def risk_weight(stop_distance: float, *, risk: float) -> float:
    """Return the weight that loses `risk` of equity where the stop is hit at its level.

    Args:
        stop_distance: From entry to stop, as a positive fraction of the price.
        risk: Fraction of equity that may be lost.

    Raises:
        ParameterError: Where one of them is not positive.

    >>> risk_weight(0.125, risk=0.01)
    0.08
    """
    _check_positive("risk", risk)
    _check_positive("stop_distance", stop_distance)
    return risk / stop_distance


def shrunk_kelly_weight(returns: FloatArray, *, fraction: float) -> float:
    """Return a fraction of the growth-optimal weight, shrunk by how uncertain its estimate is.

    The growth-optimal weight of returns with mean m and variance v is m / v; with n of them, its
    t-statistic is t = m / sqrt(v / n), and what maximizes expected growth under that uncertainty
    is about t^2 / (1 + t^2) of it. Never negative; NaN with fewer than two returns.

    Args:
        returns: T simple returns.
        fraction: Of the shrunk weight, 0 to 1; half of it is customary.

    References:
        Kelly (1956). Baker, McHale (2013), Optimal betting under parameter uncertainty.

    >>> shrunk_kelly_weight(np.array([0.02, -0.02, 0.01, -0.01]), fraction=0.5)
    0.0
    """
    if not 0 <= fraction <= 1:
        raise ParameterError(parameter="fraction", found=str(fraction), allowed="0 to 1")
    spread = deviation(np.asarray(returns, dtype=np.float64))
    if not spread > 0:
        return math.nan
    mean = max(0.0, float(returns.mean()))
    squared_t = mean**2 / (spread**2 / returns.size)
    return fraction * mean / spread**2 * squared_t / (1.0 + squared_t)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ParameterError(parameter=name, found=str(value), allowed="more than 0")
