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
from slices.quant.metrics.cornish_fisher import CornishFisher, fitted_cornish_fisher
from slices.quant.metrics.dispersion import excess_kurtosis, skewness
from slices.quant.metrics.registry import Direction, deviation, metric, ratio

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

_NORMAL = NormalDist()


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


def _fitted(returns: FloatArray) -> CornishFisher | None:
    return fitted_cornish_fisher(skewness(returns), excess_kurtosis(returns))


@metric(
    unit=Unit.FRACTION,
    direction=Direction.LOWER,
    reference="Cornish, Fisher (1938); Maillard (2012)",
)
def cornish_fisher_value_at_risk(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Value at risk of the Cornish-Fisher distribution with the sample's first four moments.

    The parameters are solved for, not taken to be the sample's skewness and kurtosis, and the
    variance is rescaled (Maillard 2012). NaN where no valid expansion has these moments.
    """
    expansion = _fitted(returns)
    if expansion is None:
        return math.nan
    quantile = expansion.quantile(_NORMAL.inv_cdf(1.0 - confidence))
    return -(float(returns.mean()) + deviation(returns) * quantile)


@metric(
    unit=Unit.FRACTION,
    direction=Direction.LOWER,
    reference="Boudt, Peterson, Croux (2008); Maillard (2012), mean of the quantile over the tail",
)
def cornish_fisher_expected_shortfall(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Mean of the Cornish-Fisher value at risk over the tail, in closed form.

    The distribution is that of `cornish_fisher_value_at_risk`, and NaN in the same cases.
    """
    expansion = _fitted(returns)
    if expansion is None:
        return math.nan
    below = expansion.mean_below(_NORMAL.inv_cdf(1.0 - confidence))
    return -(float(returns.mean()) + deviation(returns) * below)


@metric(unit=Unit.RATIO, direction=Direction.HIGHER, reference="empyrical's tail_ratio")
def tail_ratio(returns: FloatArray) -> float:
    """Size of the 95th percentile of returns over that of the 5th, both interpolated."""
    low, high = np.percentile(returns, (5, 95))
    return ratio(abs(float(high)), abs(float(low)))
