"""One decision: from scores, what they have proven to be worth, and a covariance, to weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.risk_parity.fit import ParityRule, estimated_covariance
from slices.domain.parameters import Costs, RebalanceFrequency, WeightBounds
from slices.domain.view_portfolio import SUSPECT_COEFFICIENT, Belief, ViewRules
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.allocation.utility import blended_returns, equilibrium_returns, max_utility
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings

PERIODS: dict[RebalanceFrequency, int] = {"weekly": 52, "monthly": 12, "quarterly": 4, "yearly": 1}


@dataclass(frozen=True, kw_only=True, eq=False)
class Market:
    """What is known of K symbols without any forecast.

    Attributes:
        covariance: K x K, per session.
        prior: K weights that are held where forecasts say nothing.
        costs: K fractions of what is traded.
    """

    covariance: FloatArray
    prior: FloatArray
    costs: FloatArray


@dataclass(frozen=True, kw_only=True)
class Terms:
    """By what rules and over which time a decision is made.

    Attributes:
        horizon_sessions: Over which a view is earned.
        holding_sessions: Until the next decision.
    """

    rules: ViewRules
    horizon_sessions: int
    holding_sessions: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Decision:
    """Weights and what led to them.

    Attributes:
        standard_scores: K numbers, NaN where there is no score; likewise `views`.
        views: Returns until the next decision beyond those the prior implies.
        alphas: K returns that are left of them.
        weights: K weights that sum to 1.
    """

    standard_scores: FloatArray
    views: FloatArray
    alphas: FloatArray
    weights: FloatArray


def terms_of(
    rules: ViewRules,
    label: LabelSettings,
    rebalance: RebalanceFrequency,
    *,
    periods_per_year: int,
) -> Terms:
    """Gather the terms of decisions; a period is as long as there are sessions in it."""
    return Terms(
        rules=rules,
        horizon_sessions=label.horizon_sessions,
        holding_sessions=max(1, round(periods_per_year / PERIODS[rebalance])),
    )


def market_of(
    returns: FloatArray,
    closes: FloatArray,
    rules: ViewRules,
    costs: Costs,
    *,
    covariance: FloatArray | None = None,
) -> Market:
    """Estimate a covariance and the prior's weights from a window of returns.

    Args:
        returns: T x K simple returns without NaN.
        closes: K newest closes.
        rules: Estimator, prior and largest weight.
        costs: Commission and half spread are what a decision weighs; least commissions and market
            impact depend on the size of the account and are left to the simulation.
        covariance: K x K, where these returns' has been estimated before.

    Raises:
        InfeasibleError: Where the prior has no answer, or so few symbols cannot sum to 1.
        ConvergenceError: Where its answer could not be verified.
    """
    how = ParityRule(estimator=rules.estimator, halflife_sessions=rules.halflife_sessions)
    spread = estimated_covariance(returns, how) if covariance is None else covariance
    bounds = WeightBounds(largest=rules.largest_weight)
    return Market(
        covariance=spread,
        prior=allocate(rules.prior, returns, bounds=bounds, covariance=spread),
        costs=costs.rate + costs.commission_per_share / closes,
    )


def decided(
    market: Market, terms: Terms, *, scores: FloatArray, belief: Belief, held: FloatArray
) -> Decision:
    """Find the weights of the most utility after costs until the next decision.

    A view is coefficient x volatility x standard score over the horizon, and as much of it as
    falls into the holding time: a forecast of five sessions that is held for a month earns five
    sessions' worth. It is blended with the returns under which the prior is best, and believed as
    far as the coefficient is reliable, so that a coefficient of 0 leaves the prior as it is.

    Args:
        market: Covariance, prior and costs of K symbols.
        terms: Rules and times.
        scores: K numbers, NaN for none.
        belief: What they have proven to be worth.
        held: K weights.

    Raises:
        InfeasibleError: Where so few symbols cannot sum to 1.
        ConvergenceError: Where the answer could not be verified.

    References:
        Grinold (1994), Alpha is Volatility Times IC Times Score. Black, Litterman (1992), Global
        Portfolio Optimization.
    """
    aversion, covariance = terms.rules.risk_aversion, market.covariance * terms.holding_sessions
    standard = standard_scores(scores)
    views = view_size(market, terms) * coefficient_of(belief) * standard
    calm = equilibrium_returns(market.prior, covariance, risk_aversion=aversion)
    blended = blended_returns(calm, covariance, views=views, confidence=belief.reliability)
    lower, upper = uniform_bounds(held.size, largest=terms.rules.largest_weight)
    weights = max_utility(
        blended, covariance, lower, upper,
        risk_aversion=aversion, held=held, costs=market.costs,
    )  # fmt: skip
    return Decision(standard_scores=standard, views=views, alphas=blended - calm, weights=weights)


def view_size(market: Market, terms: Terms) -> FloatArray:
    """Return K returns that one standard score would be worth with a coefficient of 1."""
    earned = min(1.0, terms.holding_sessions / terms.horizon_sessions)
    deviations = np.sqrt(np.diag(market.covariance) * terms.horizon_sessions)
    return np.asarray(earned * deviations, dtype=np.float64)


def coefficient_of(belief: Belief) -> float:
    """Return the coefficient of a view before it is blended; 0 where nothing is believed."""
    if not belief.reliability > 0:
        return 0.0
    return min(belief.information_coefficient, SUSPECT_COEFFICIENT)


def standard_scores(scores: FloatArray) -> FloatArray:
    """Turn scores into normal scores of their ranks, with mean 0 and deviation 1.

    The coefficient is a correlation of ranks, so how far apart scores are does not matter. Equal
    scores get equal numbers; where all are equal, every one is 0.

    Args:
        scores: K numbers, NaN for none.

    Returns:
        K numbers, NaN where there is no score.

    >>> standard_scores(np.array([5.0, np.nan, 1.0, 2.0])).round(4).tolist()
    [1.2247, nan, -1.2247, 0.0]
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    found = np.full(scores.shape, np.nan)
    known = np.isfinite(scores)
    if known.any():
        places = ndtri((rankdata(scores[known]) - 0.5) / known.sum())
        centred = places - places.mean()
        deviation = float(centred.std())
        found[known] = centred / deviation if deviation > 1e-12 else 0.0
    return found
