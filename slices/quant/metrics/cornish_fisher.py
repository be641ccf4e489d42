"""The distribution behind the Cornish-Fisher expansion, fitted to a skewness and a kurtosis.

The expansion turns a standard normal Z into a polynomial of Z with two parameters. They are often
taken for the skewness and excess kurtosis of the result, which they are only for small values: a
sample's own moments put into the expansion give a distribution with other moments, and with a
variance that is not 1. Here the parameters are solved for, so that the moments are the sample's.

References:
    Cornish, Fisher (1938), Moments and cumulants in the specification of distributions. Maillard
    (2012), A user's guide to the Cornish Fisher expansion, for parameters against moments, the
    rescaling of the variance and the domain of validity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

DEEPEST = 9.0
"""Normal deviations up to which quantiles must rise; beyond lies a probability under 1e-18."""

NEWTON_STEPS = 60
TOLERANCE = 1e-10
WIDEST_STEP = np.array([0.5, 2.0])

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(8)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_SECOND, _THIRD = _NODES**2 - 1.0, _NODES**3 - 3.0 * _NODES
"""Gauss-Hermite nodes, exact for polynomials up to degree 15, with Hermite polynomials there."""


@dataclass(frozen=True, kw_only=True)
class CornishFisher:
    """Z + (Z^2-1) s/6 + (Z^3-3Z) k/24 - (2Z^3-5Z) s^2/36 with its two parameters s and k.

    Its mean is 0; its variance, skewness and kurtosis are not 1, s and k, see `moments`.
    """

    skew: float
    kurtosis: float

    @property
    def coefficients(self) -> tuple[float, float, float]:
        """Return the factors of the Hermite polynomials Z, Z^2 - 1 and Z^3 - 3Z."""
        square = self.skew**2
        return 1.0 - square / 36.0, self.skew / 6.0, self.kurtosis / 24.0 - square / 18.0

    def moments(self) -> tuple[float, float, float]:
        """Return variance, skewness and excess kurtosis.

        >>> [round(each, 3) for each in CornishFisher(skew=-0.3, kurtosis=2.0).moments()]
        [1.037, -0.448, 3.901]
        """
        skewness, kurtosis = _shape(np.array([self.skew, self.kurtosis]))[0]
        return self._variance(), float(skewness), float(kurtosis)

    def rises(self) -> bool:
        """Tell whether the quantile rises with z; where not, the expansion means nothing.

        Its slope is a quadratic in z, which is inspected at its turn and at 9 deviations on
        either side.

        >>> CornishFisher(skew=-0.3, kurtosis=2.0).rises()
        True
        >>> CornishFisher(skew=-3.0, kurtosis=1.0).rises()
        False
        """
        first, second, third = self.coefficients
        turn = -second / (3.0 * third) if third > 0 else DEEPEST
        inspected = (-DEEPEST, DEEPEST, min(max(turn, -DEEPEST), DEEPEST))
        return all(first + 2.0 * second * z + 3.0 * third * (z**2 - 1.0) >= 0 for z in inspected)

    def quantile(self, z: float) -> float:
        """Return the value, in standard deviations, at a standard normal quantile."""
        first, second, third = self.coefficients
        value = first * z + second * (z**2 - 1.0) + third * (z**3 - 3.0 * z)
        return value / math.sqrt(self._variance())

    def mean_below(self, z: float) -> float:
        """Return the mean below a standard normal quantile, in standard deviations.

        The integral of a Hermite polynomial times the density up to z is the polynomial of the
        next lower degree times the density at z, with the sign changed.
        """
        first, second, third = self.coefficients
        density = math.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi)
        below = 0.5 * math.erfc(-z / math.sqrt(2.0))
        value = -density / below * (first + second * z + third * (z**2 - 1.0))
        return value / math.sqrt(self._variance())

    def _variance(self) -> float:
        first, second, third = self.coefficients
        return first**2 + 2.0 * second**2 + 6.0 * third**2


def fitted_cornish_fisher(skewness: float, excess_kurtosis: float) -> CornishFisher | None:
    """Find the expansion that has this skewness and excess kurtosis.

    Newton's method from the normal distribution, in steps that stay near the domain of validity.

    Returns:
        The expansion, or None where no valid one has these moments: they are too large, or the
        skewness is too large for the kurtosis.

    >>> fitted_cornish_fisher(0.0, 0.0)
    CornishFisher(skew=0.0, kurtosis=0.0)
    >>> fitted_cornish_fisher(-3.0, 1.0) is None
    True
    """
    wanted = np.array([skewness, excess_kurtosis])
    parameters = np.zeros(2)
    for _ in range(NEWTON_STEPS if np.isfinite(wanted).all() else 0):
        found, slopes = _shape(parameters)
        if np.abs(found - wanted).max() <= TOLERANCE:
            expansion = CornishFisher(skew=float(parameters[0]), kurtosis=float(parameters[1]))
            return expansion if expansion.rises() else None
        step = np.asarray(np.linalg.lstsq(slopes, wanted - found, rcond=None)[0], np.float64)
        parameters = _moved(parameters, step, wanted, missing=found - wanted)
    return None


def _moved(
    parameters: FloatArray, step: FloatArray, wanted: FloatArray, *, missing: FloatArray
) -> FloatArray:
    """Go as much of the step as brings the moments nearer."""
    length = 1.0 / max(1.0, float((np.abs(step) / WIDEST_STEP).max()))
    while length > 1e-4:
        moved: FloatArray = parameters + length * step
        left = _shape(moved)[0] - wanted
        if left @ left < missing @ missing:
            break
        length /= 2.0
    return moved


def _shape(parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return skewness and excess kurtosis, and their slopes along the two parameters."""
    skew, kurtosis = parameters
    first, second, third = CornishFisher(skew=skew, kurtosis=kurtosis).coefficients
    value = first * _NODES + second * _SECOND + third * _THIRD
    along = (-skew / 18.0 * _NODES + _SECOND / 6.0 - skew / 9.0 * _THIRD, _THIRD / 24.0)
    variance = float(_WEIGHTS @ value**2)
    skewness = float(_WEIGHTS @ value**3) / variance**1.5
    tails = float(_WEIGHTS @ value**4) / variance**2
    slopes = [_slopes(value, each, variance, skewness, tails) for each in along]
    return np.array([skewness, tails - 3.0]), np.array(slopes).T


def _slopes(
    value: FloatArray, along: FloatArray, variance: float, skewness: float, tails: float
) -> tuple[float, float]:
    second, third, fourth = (
        power * float(_WEIGHTS @ (value ** (power - 1) * along)) for power in (2, 3, 4)
    )
    return (
        third / variance**1.5 - 1.5 * skewness * second / variance,
        fourth / variance**2 - 2.0 * tails * second / variance,
    )
