"""Sizes of positions, as fractions of equity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError
from slices.quant.metrics.registry import deviation
from slices.quant.metrics.tails import shortfall

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

BISECTIONS = 60
"""Halvings until an interval is as short as float numbers tell apart."""


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
    return fraction * mean / spread**2 * edge_shrinkage(returns)


def edge_shrinkage(returns: FloatArray) -> float:
    """Return the factor for the uncertainty of a mean: t^2 / (1 + t^2), 0 where it is not positive.

    Args:
        returns: T simple returns; t is their mean over its standard error.

    Returns:
        0 to 1; 1 where all are equal, NaN with fewer than two.

    References:
        Baker, McHale (2013), Optimal betting under parameter uncertainty.

    >>> edge_shrinkage(np.array([0.03, 0.01]))
    0.8
    """
    spread = deviation(np.asarray(returns, dtype=np.float64))
    if math.isnan(spread):
        return math.nan
    squared_mean = max(0.0, float(np.mean(returns))) ** 2
    if squared_mean == 0.0:
        return 0.0
    return squared_mean / (squared_mean + spread**2 / returns.size)


def growth_optimal_weights(samples: FloatArray) -> FloatArray:
    """Return the weight at which the logarithm of wealth grows fastest, for each sample.

    It is the root of mean(r / (1 + w r)) = 0, found by bisection between 0 and the weight at which
    the worst return would ruin.

    Args:
        samples: B x T simple returns, each above -infinity.

    Returns:
        B weights: 0 where the mean is not positive, infinite where no return is negative.

    References:
        Kelly (1956), A new interpretation of information rate.

    >>> growth_optimal_weights(np.array([[1.0, -0.5], [0.1, -0.2], [0.1, 0.2]])).round(9).tolist()
    [0.5, 0.0, inf]
    """
    worst = samples.min(axis=1)
    has_edge = samples.mean(axis=1) > 0
    bounded = has_edge & (worst < 0)
    weights = np.where(has_edge, np.inf, 0.0)
    chosen = samples[bounded]
    low, high = np.zeros(chosen.shape[0]), 1.0 / np.abs(worst[bounded])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        slope = (chosen / (1.0 + middle[:, None] * chosen)).mean(axis=1)
        low, high = np.where(slope > 0, middle, low), np.where(slope > 0, high, middle)
    weights[bounded] = low
    return weights


def largest_weight_within(
    held: FloatArray, added: FloatArray, *, limit: float, confidence: float, most: float
) -> float:
    """Return the largest weight of a return that keeps a portfolio's expected shortfall in limits.

    The expected shortfall is convex in the weight, so that the weights within a limit that 0 keeps
    are an interval; its end is found by bisection, from below. Where the portfolio alone exceeds
    the limit, the weight may not make it worse.

    Args:
        held: T returns of the portfolio as it is, as fractions of equity.
        added: T returns of what is added, per unit of weight.
        limit: Largest expected shortfall, as a positive fraction of equity.
        confidence: Of the expected shortfall.
        most: Weights above it are not looked at.

    Raises:
        ParameterError: Where something is not a number.

    >>> nothing, bad = np.zeros(4), np.array([-0.10, 0.0, 0.0, 0.0])
    >>> round(largest_weight_within(nothing, bad, limit=0.02, confidence=0.75, most=1.0), 9)
    0.2
    """
    if not (np.isfinite(held).all() and np.isfinite(added).all() and 0 <= most < math.inf):
        raise ParameterError(parameter="returns", found="NaN", allowed="finite numbers")
    kept = max(limit, shortfall(-held, confidence))

    def fits(weight: float) -> bool:
        return shortfall(-(held + weight * added), confidence) <= kept

    if fits(most):
        return most
    low, high = 0.0, most
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ParameterError(parameter=name, found=str(value), allowed="more than 0")
