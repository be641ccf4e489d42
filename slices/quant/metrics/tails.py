"""What a bad session costs: losses as positive fractions, at a confidence such as 0.95.

The historical value at risk is the lower quantile of the losses, an observed loss; numpy's default
(and empyrical) interpolates between two. The expected shortfall is the exact mean of the worst
share 1 - confidence, counting a fraction of the observation on the border.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import Unit
from slices.quant.metrics.dispersion import excess_kurtosis, skewness
from slices.quant.metrics.registry import Direction, deviation, metric, ratio

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

_NORMAL = NormalDist()
DEEPEST = -9.0


def _tail_size(size: int, confidence: float) -> float:
    """Return how many observations the tail holds, rid of float noise at whole numbers."""
    exact = (1.0 - confidence) * size
    return float(round(exact)) if abs(exact - round(exact)) < 1e-9 * size else exact


def shortfall(losses: FloatArray, confidence: float) -> float:
    """Return the mean of the largest losses, exactly the share 1 - confidence of them.

    References:
        Rockafellar, Uryasev (2002), Conditional value-at-risk for general loss distributions.

    >>> shortfall(np.array([1.0, 2.0, 3.0, 4.0]), 0.625)
    3.6666666666666665
    """
    tail = _tail_size(losses.size, confidence)
    whole = math.floor(tail)
    last = min(whole, losses.size - 1)
    worst = np.partition(-losses, last)
    return float(-(worst[:whole].sum() + (tail - whole) * worst[last]) / tail)


@metric(
    unit=Unit.FRACTION, direction=Direction.LOWER, reference="lower quantile, McNeil et al. (2015)"
)
def value_at_risk(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Loss that all but the worst share 1 - confidence of the sessions stayed within.

    >>> value_at_risk(np.arange(-10, 90) / 100, confidence=0.95)
    0.05
    """
    position = min(returns.size - 1, math.floor(_tail_size(returns.size, confidence)))
    return -float(np.partition(returns, position)[position])


@metric(unit=Unit.FRACTION, direction=Direction.LOWER, reference="Rockafellar, Uryasev (2002)")
def expected_shortfall(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Mean loss of the worst share 1 - confidence of the sessions.

    >>> round(expected_shortfall(np.arange(-10, 90) / 100, confidence=0.95), 12)
    0.08
    """
    return shortfall(-returns, confidence)


@metric(unit=Unit.FRACTION, direction=Direction.LOWER, reference="normal quantile, ddof 1")
def normal_value_at_risk(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Value at risk if returns were normal with their mean and deviation."""
    return -(float(returns.mean()) + deviation(returns) * _NORMAL.inv_cdf(1.0 - confidence))


@metric(unit=Unit.FRACTION, direction=Direction.LOWER, reference="McNeil, Frey, Embrechts (2015)")
def normal_expected_shortfall(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Expected shortfall if returns were normal with their mean and deviation."""
    tail = 1.0 - confidence
    density = _NORMAL.pdf(_NORMAL.inv_cdf(tail))
    return -float(returns.mean()) + deviation(returns) * density / tail


def cornish_fisher_is_valid(skew: float, kurtosis: float, *, confidence: float) -> bool:
    """Tell whether the Cornish-Fisher quantile rises over the whole tail.

    The quantile is z + (z^2-1) S/6 + (z^3-3z) K/24 - (2z^3-5z) S^2/36; its slope is a quadratic in
    z that must not be negative from the tail's border down to z = -9, where the normal
    probability is under 1e-18. Where it is, a deeper tail would have a smaller loss and the
    expansion means nothing.

    References:
        Maillard (2012), A user's guide to the Cornish Fisher expansion (there for all z).

    >>> cornish_fisher_is_valid(-0.3, 2.0, confidence=0.95)
    True
    >>> cornish_fisher_is_valid(-3.0, 1.0, confidence=0.95)
    False
    """
    border = _NORMAL.inv_cdf(1.0 - confidence)
    square = kurtosis / 8.0 - skew**2 / 6.0
    linear = skew / 3.0
    constant = 1.0 - kurtosis / 8.0 + 5.0 * skew**2 / 36.0
    turn = -linear / (2.0 * square) if square > 0 else border
    inspected = (DEEPEST, border, min(max(turn, DEEPEST), border))
    return all(square * z**2 + linear * z + constant >= 0 for z in inspected)


def _cornish_fisher_shape(returns: FloatArray, confidence: float) -> tuple[float, float]:
    """Return skewness and excess kurtosis, or NaN where the expansion is not valid."""
    skew, kurtosis = skewness(returns), excess_kurtosis(returns)
    valid = cornish_fisher_is_valid(skew, kurtosis, confidence=confidence)
    return (skew, kurtosis) if valid else (math.nan, math.nan)


@metric(
    unit=Unit.FRACTION,
    direction=Direction.LOWER,
    reference="Cornish, Fisher (1938); Maillard (2012)",
)
def cornish_fisher_value_at_risk(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Normal value at risk corrected for skewness and kurtosis.

    NaN where the expansion is not valid, see `cornish_fisher_is_valid`.
    """
    skew, kurtosis = _cornish_fisher_shape(returns, confidence)
    z = _NORMAL.inv_cdf(1.0 - confidence)
    quantile = (
        z
        + (z**2 - 1.0) * skew / 6.0
        + (z**3 - 3.0 * z) * kurtosis / 24.0
        - (2.0 * z**3 - 5.0 * z) * skew**2 / 36.0
    )
    return -(float(returns.mean()) + deviation(returns) * quantile)


@metric(
    unit=Unit.FRACTION,
    direction=Direction.LOWER,
    reference="Boudt, Peterson, Croux (2008); Maillard (2012), mean of the quantile over the tail",
)
def cornish_fisher_expected_shortfall(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Mean of the Cornish-Fisher value at risk over the tail, in closed form.

    From E[Z], E[Z^2] and E[Z^3] of a standard normal below z, with density f and tail 1 - c:
    the mean is -(f / (1-c)) (1 + z S/6 + (z^2-1) K/24 - (2z^2-1) S^2/36). NaN where the expansion
    is not valid, see `cornish_fisher_is_valid`.
    """
    skew, kurtosis = _cornish_fisher_shape(returns, confidence)
    tail = 1.0 - confidence
    z = _NORMAL.inv_cdf(tail)
    bracket = (
        1.0 + z * skew / 6.0 + (z**2 - 1.0) * kurtosis / 24.0 - (2.0 * z**2 - 1.0) * skew**2 / 36.0
    )
    return -float(returns.mean()) + deviation(returns) * _NORMAL.pdf(z) / tail * bracket


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="empyrical's tail_ratio")
def tail_ratio(returns: FloatArray) -> float:
    """Size of the 95th percentile of returns over that of the 5th, both interpolated."""
    low, high = np.percentile(returns, (5, 95))
    return ratio(abs(float(high)), abs(float(low)))
