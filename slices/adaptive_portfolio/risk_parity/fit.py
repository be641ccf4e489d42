"""Equal-risk weights from a window of returns, proven equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.walking import complete_windows
from slices.domain.errors import ConvergenceError, InfeasibleError
from slices.domain.factor_portfolios import CovarianceEstimator
from slices.quant.allocation.risk_parity import NEWTON_STEPS, risk_parity
from slices.quant.contributions import portfolio_volatility, risk_contributions
from slices.quant.covariance import (
    exponential_covariance,
    ledoit_wolf_covariance,
    sample_covariance,
)
from slices.quant.returns import simple_returns
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel

EQUALITY_TOLERANCE = 1e-6
"""The largest deviation of a share of risk from an equal one that still counts as equal."""
FEWEST_SYMBOLS = 2
ESTIMATORS = list(CovarianceEstimator)
"""What is compared, in this order."""


@dataclass(frozen=True, kw_only=True)
class ParityRule:
    """How equal-risk weights are found.

    Attributes:
        halflife_sessions: For the exponential estimator alone.
        target_volatility: Annualized, of the whole; None for none.
    """

    estimator: CovarianceEstimator = CovarianceEstimator.LEDOIT_WOLF
    lookback_sessions: int = 252
    halflife_sessions: float = 63.0
    target_volatility: float | None = None
    gross_exposure: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ParityFit:
    """Weights of K symbols that sum to 1 and share the risk equally.

    Attributes:
        places: K columns of the panel.
        covariance: K x K, per session.
        deviation: The largest difference of a share of risk from 1 / K.
        volatility: Per session.
    """

    places: IntArray
    weights: FloatArray
    covariance: FloatArray
    deviation: float
    volatility: float


def estimated_covariance(returns: FloatArray, rule: ParityRule) -> FloatArray:
    """Estimate the covariance of T x N returns, per session."""
    match rule.estimator:
        case CovarianceEstimator.SAMPLE:
            return sample_covariance(returns)
        case CovarianceEstimator.EXPONENTIAL:
            return exponential_covariance(returns, halflife_sessions=rule.halflife_sessions)
        case CovarianceEstimator.LEDOIT_WOLF:
            return ledoit_wolf_covariance(returns)


def equal_risk_weights(covariance: FloatArray) -> tuple[FloatArray, float]:
    """Return weights that sum to 1 with equal contributions to the risk, and the proof.

    Args:
        covariance: N x N, per session.

    Returns:
        The weights, and the largest deviation of a share of the variance from 1 / N.

    Raises:
        InfeasibleError: Where a symbol, or a portfolio of them, has no variance.
        ConvergenceError: Where a share of risk deviates by 1e-6 or more.

    >>> equal_risk_weights(np.diag([1.0, 9.0]))[0].round(9).tolist()
    [0.75, 0.25]
    """
    count = covariance.shape[0]
    weights = risk_parity(covariance, np.zeros(count), np.ones(count))
    deviation = share_deviation(weights, covariance)
    if not deviation < EQUALITY_TOLERANCE:
        raise ConvergenceError(
            method="equal risk contributions", iterations=NEWTON_STEPS, residual=deviation
        )
    return weights, deviation


def share_deviation(weights: FloatArray, covariance: FloatArray) -> float:
    """Return the largest difference of a share of the variance from an equal one.

    >>> share_deviation(np.array([0.5, 0.5]), np.diag([1.0, 3.0]))
    0.25
    """
    contributions = risk_contributions(weights, covariance)
    shares = contributions / contributions.sum()
    return float(np.abs(shares - 1.0 / weights.size).max())


def candidates(panel: Panel, rule: ParityRule) -> BoolArray:
    """Mark the symbols with a bar of every session of the window that ends at a session."""
    return complete_windows(panel.close, rule.lookback_sessions)


def fitted_at(panel: Panel, rule: ParityRule, row: int, places: IntArray) -> ParityFit:
    """Fit weights to the window that ends at a session.

    Raises:
        InfeasibleError: With fewer than two symbols, or where risk cannot be shared.
        ConvergenceError: Where the shares of risk did not become equal.
    """
    if places.size < FEWEST_SYMBOLS:
        raise InfeasibleError(
            problem=f"{places.size} symbols have a whole window of bars; risk is shared by two"
        )
    closes = panel.close[row - rule.lookback_sessions : row + 1, places]
    covariance = estimated_covariance(simple_returns(closes), rule)
    weights, deviation = equal_risk_weights(covariance)
    return ParityFit(
        places=places,
        weights=weights,
        covariance=covariance,
        deviation=deviation,
        volatility=portfolio_volatility(weights, covariance),
    )
