"""Where a portfolio's volatility comes from, and how diversified it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def risk_contributions(weights: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return what each holding adds to the volatility: weight times marginal volatility.

    Args:
        weights: N weights.
        covariance: N x N.

    Returns:
        N values in units of the volatility, which is their sum (Euler); NaN without volatility.

    References:
        Litterman (1996), Hot spots and hedges.

    >>> risk_contributions(np.array([0.5, 0.5]), np.diag([0.04, 0.04])).round(9).tolist()
    [0.070710678, 0.070710678]
    """
    volatility = portfolio_volatility(weights, covariance)
    divisor = volatility if volatility > 0 else math.nan
    contributions: FloatArray = weights * (covariance @ weights) / divisor
    return contributions


def portfolio_volatility(weights: FloatArray, covariance: FloatArray) -> float:
    """Return the volatility of weights, in the covariance's period."""
    return math.sqrt(max(float(weights @ covariance @ weights), 0.0))


def diversification_ratio(weights: FloatArray, covariance: FloatArray) -> float:
    """Return the weighted mean volatility over the portfolio's; 1 where all move as one.

    NaN without volatility.

    References:
        Choueifaty, Coignard (2008), Toward maximum diversification.

    >>> round(diversification_ratio(np.array([0.5, 0.5]), np.diag([0.04, 0.04])), 9)
    1.414213562
    """
    volatility = portfolio_volatility(weights, covariance)
    alone = float(np.abs(weights) @ np.sqrt(np.diag(covariance)))
    return alone / volatility if volatility > 0 else math.nan


def effective_bets(weights: FloatArray, covariance: FloatArray) -> float:
    """Return the effective number of independent bets of equal size: the squared ratio above.

    N for N uncorrelated symbols that are held at equal risk, 1 where all move as one; between
    these it follows the correlations without a jump. NaN without volatility.

    References:
        Choueifaty, Froidure, Reynier (2013), Properties of the most diversified portfolio, who
        call it the number of independent risk factors the portfolio is exposed to.

    >>> round(effective_bets(np.array([0.5, 0.5]), np.diag([0.04, 0.04])), 9)
    2.0
    """
    return diversification_ratio(weights, covariance) ** 2
