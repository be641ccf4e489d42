"""Portfolios from forecasts: what is believed of a model, what that is worth, and what to hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from slices.domain.accounts import AccountBook
from slices.domain.backtests import Backtest
from slices.domain.backtests import TargetWeights as PastTargets
from slices.domain.errors import ParameterError
from slices.domain.factor_parameters import (  # noqa: TC001 - pydantic needs them at run time
    EstimatorName,
    SharingAllocator,
)
from slices.domain.factor_portfolios import CovarianceEstimator
from slices.domain.forecasts import Forecasts
from slices.domain.models import ModelVersion
from slices.domain.paired import PairedDifference
from slices.domain.parameters import WEIGHT_SUM_TOLERANCE, ParameterGroup
from slices.domain.portfolio import Allocator
from slices.domain.rebalancing import RebalancePlan, RebalanceRules, TargetWeights
from slices.domain.results import FlowResult
from slices.domain.trading import Placement

SUSPECT_COEFFICIENT = 0.06
"""A larger information coefficient is not believed."""


class ViewRules(ParameterGroup):
    """How forecasts become weights."""

    prior: SharingAllocator = Field(
        default=Allocator.EQUAL_WEIGHT, description="What is held where forecasts say nothing."
    )
    risk_aversion: float = Field(
        default=5.0, gt=0, le=100,
        description="Half of it is the return that a variance costs; more stays nearer the prior.",
    )  # fmt: skip
    largest_weight: float = Field(
        default=0.2, gt=0, le=1, description="Largest weight of one symbol."
    )
    estimator: EstimatorName = Field(
        default=CovarianceEstimator.LEDOIT_WOLF, description="How the covariance is estimated."
    )
    halflife_sessions: float = Field(
        default=63.0, ge=5, le=1260,
        description="After how many sessions a return counts half, for `exponential` alone.",
    )  # fmt: skip
    lookback_sessions: int = Field(
        default=252, ge=20, le=2520, description="Returns the covariance is estimated from."
    )
    fewest_sessions: int = Field(
        default=250, ge=60, le=2520,
        description="Sessions of known outcomes before a model is believed at all.",
    )  # fmt: skip


DEFAULT_VIEWS = ViewRules()
DEFAULT_VIEW_REBALANCE = RebalanceRules(absolute_band=0.0025, cash_buffer=0.01)
"""Narrow bands: costs are weighed where targets are found, so bands only spare crumbs."""


def check_views_fit(parameters: dict[str, Any]) -> None:
    """Check that weights up to the largest can sum to 1 for this number of `symbols`.

    Raises:
        ParameterError: Saying what they add up to.
    """
    count, largest = len(parameters["symbols"]), parameters["views"].largest_weight
    if count * largest < 1 - WEIGHT_SUM_TOLERANCE:
        raise ParameterError(
            parameter="views.largest_weight",
            found=f"{largest:g} for each of {count} symbols",
            allowed=f"at least {1 / count:.3g}, so that weights can sum to 1",
        )


@dataclass(frozen=True, kw_only=True)
class Belief:
    """How far a model's scores were believed at the close of a session.

    Attributes:
        sessions: With known outcomes, that it stands on.
        information_coefficient: Their mean rank correlation of score and later return.
        standard_error: Of that mean, for overlapping returns.
        t_statistic: The one over the other.
        reliability: Share of a view that is believed, 1 - 1 / t^2; 0 where that is negative.
        believed: What is left of the coefficient: never below 0, never above what is suspect.
    """

    session: dt.date
    sessions: int
    information_coefficient: float
    standard_error: float
    t_statistic: float
    reliability: float
    believed: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskEstimate:
    """How the symbols vary together, from the newest window of returns.

    Attributes:
        symbols: K names with a bar of every session of the window.
        covariance: K x K, per session.
        annualized_volatilities: K values.
        average_correlation: Of all pairs.
        left_out: Symbols without a whole window.
    """

    session: dt.date
    symbols: tuple[str, ...]
    estimator: CovarianceEstimator
    window_sessions: int
    covariance: npt.NDArray[np.float64]
    annualized_volatilities: tuple[float, ...]
    average_correlation: float
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ViewLine:
    """What is thought of one symbol, and what follows; NaN where there is no view.

    Attributes:
        score: The model's number.
        standard_score: The same as a normal score within the session: mean 0, deviation 1.
        view: Return until the next decision beyond what the prior implies, were the coefficient
            true: coefficient x volatility x standard score.
        alpha: What is left of it once it is blended with the prior.
        error: Deviation of the view, from the standard error of the coefficient.
        lower: End of the interval the model gives for the return; likewise `upper`.
        prior_weight: What would be held without forecasts and costs.
        held_weight: What is held, over what is to be invested.
        weight: What is to be held.
        risk_share: Of the variance of the weights that are to be held.
    """

    symbol: str
    score: float
    standard_score: float
    view: float
    alpha: float
    error: float
    lower: float
    upper: float
    prior_weight: float
    held_weight: float
    weight: float
    risk_share: float


@dataclass(frozen=True, kw_only=True)
class OptimisedViews:
    """Weights of the most utility after costs, and what they rest on.

    Attributes:
        holding_sessions: Until the next decision: what returns, risk and costs are weighed over.
        belief: In the model, now.
        lines: One for each symbol.
        risk: How the symbols vary together.
        targets: What is to be held.
        expected_gain: Alpha of these weights less that of what is held, over the holding time.
        expected_costs: Of getting there, fraction of equity.
        volatility_held: Annualized, of what is held, scaled to be fully invested; NaN where
            nothing is.
        volatility: Of what is to be held; likewise `volatility_prior`.
        refusals: Why nothing is changed; empty where forecasts were used.
    """

    session: dt.date
    holding_sessions: int
    belief: Belief
    lines: tuple[ViewLine, ...]
    risk: RiskEstimate
    targets: TargetWeights
    expected_gain: float
    expected_costs: float
    volatility_held: float
    volatility: float
    volatility_prior: float
    refusals: tuple[str, ...] = ()

    @property
    def unmoved(self) -> int:
        """Symbols that are held and not worth trading."""
        return sum(
            each.held_weight > 0 and abs(each.weight - each.held_weight) < 1e-9
            for each in self.lines
        )


@dataclass(frozen=True, kw_only=True)
class ViewWalk:
    """The same decisions through history, by out-of-sample scores, beside others.

    Attributes:
        targets: With forecasts first, then without, equal weights and least variance; empty
            where there is nothing to walk.
        beliefs: At every decision, in order.
        undefined: Decisions that had no answer, so that positions were kept.
        reasons: Why, each sentence once; or why there is nothing to walk.
    """

    targets: tuple[PastTargets, ...]
    beliefs: tuple[Belief, ...]
    undefined: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RivalTest:
    """The forecasts' account against another over the same sessions, net of costs."""

    rival: str
    difference: PairedDifference


@dataclass(frozen=True, kw_only=True, repr=False)
class MlPortfolioOptimization(FlowResult):
    """What forecasts say should be held, what that costs, and whether it ever paid.

    Attributes:
        model: Whose forecasts; None where there was none to ask.
        looked: What the risk gate says of the orders.
        placed: What became of them; what the gate says where nothing was sent.
        beliefs: At every past decision.
        backtests: With forecasts first; empty where there was nothing to walk.
        tests: Against each of the others.
    """

    book: AccountBook
    model: ModelVersion | None
    forecasts: Forecasts
    views: OptimisedViews
    plan: RebalancePlan
    looked: Placement
    placed: Placement
    beliefs: tuple[Belief, ...]
    backtests: tuple[Backtest, ...]
    tests: tuple[RivalTest, ...]
