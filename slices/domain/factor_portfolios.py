"""Portfolios built by a rule: equal risk, winners, and stretched prices, with their evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from slices.domain.backtests import Backtest, TargetWeights
from slices.domain.portfolio import RiskContribution
from slices.domain.results import FlowResult


class CovarianceEstimator(StrEnum):
    """Ways of estimating how returns vary together."""

    SAMPLE = "sample"
    EXPONENTIAL = "exponential"
    LEDOIT_WOLF = "ledoit_wolf"


@dataclass(frozen=True, kw_only=True)
class EqualRisk:
    """Equal-risk weights on the newest window, with the proof that they are.

    Attributes:
        session: At whose close they were decided.
        contributions: Weight, volatility and share of risk of every symbol, before leverage.
        largest_deviation: The largest difference of a share of risk from an equal one.
        annualized_volatility: Of the weights that sum to 1, as estimated.
        leverage: What they are multiplied by; 1 without a target volatility.
        left_out: Symbols without a bar of every session of the window.
    """

    estimator: CovarianceEstimator
    session: dt.date
    window_sessions: int
    contributions: tuple[RiskContribution, ...]
    largest_deviation: float
    annualized_volatility: float
    leverage: float
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EstimatorEvaluation:
    """How equal the risk was that followed from one covariance estimator.

    Attributes:
        weights: On the newest window, in the order of `symbols`; NaN for a symbol left out, and
            empty where the estimator has no answer there.
        undefined_reason: Why it has none, where it has none.
        refits: How many times weights were fitted in the walk-forward.
        undefined_refits: How many of these have no answer, so that positions were kept.
        refit_reasons: Why, each sentence once.
        largest_deviation: Of a share of risk from an equal one at any refit, as estimated there.
        realised_shares: Of the variance that followed out of sample, by symbol; they sum to 1.
        equal_shares: What they would be if risk had been equal; they differ where symbols were
            left out for a part of the time.
        realised_deviation: The largest difference of the two.
        yearly_deviation: The mean absolute difference in single calendar years.
        volatility_ratio: Volatility out of sample over what was estimated before, both of weights
            that sum to 1; above 1 where risk was underestimated.
    """

    estimator: CovarianceEstimator
    symbols: tuple[str, ...]
    weights: tuple[float, ...]
    undefined_reason: str
    refits: int
    undefined_refits: int
    refit_reasons: tuple[str, ...]
    largest_deviation: float
    realised_shares: tuple[float, ...]
    equal_shares: tuple[float, ...]
    realised_deviation: float
    yearly_deviation: float
    volatility_ratio: float


@dataclass(frozen=True, kw_only=True, repr=False)
class RiskParityPortfolio(FlowResult):
    """Weights that give every symbol the same risk, and what came of them."""

    equal_risk: EqualRisk
    estimators: tuple[EstimatorEvaluation, ...]
    backtest: Backtest


@dataclass(frozen=True, kw_only=True)
class MomentumScore:
    """How one symbol stands now; `score` is NaN where it is no candidate.

    Attributes:
        score: Return over the formation window, divided by its annualized volatility where asked.
        formation_return: Over the same window, not divided.
        annualized_volatility: Of the returns of the formation window.
        weight: What the rule would hold after the newest session; 0 where not chosen.
    """

    symbol: str
    score: float
    formation_return: float
    annualized_volatility: float
    weight: float


@dataclass(frozen=True, kw_only=True)
class MomentumSelection:
    """What the rule would hold now, and how it came to its choices before.

    Attributes:
        session: At whose close the newest choice was made.
        scores: Of every symbol, best first; those that are no candidates last.
        decisions: How many times symbols were chosen in the walk-forward.
        average_candidates: Symbols with a score at a choice, on average.
        average_chosen: Symbols chosen, on average.
        average_replaced: Share of the chosen that had not been chosen the time before.
        in_cash: Choices at which nothing passed the filter, so that all was cash.
        undefined: Choices at which the allocator had no answer, so that positions were kept.
        reasons: Why, each sentence once.
    """

    session: dt.date
    scores: tuple[MomentumScore, ...]
    decisions: int
    average_candidates: float
    average_chosen: float
    average_replaced: float
    in_cash: int
    undefined: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HorizonCoefficient:
    """What the score told about the returns of one horizon.

    Attributes:
        information_coefficient: Mean over sessions of the rank correlation of score and return.
        standard_error: Newey-West, for overlapping returns and lasting scores.
        t_statistic: The one over the other.
        share_positive: Sessions whose correlation is above 0.
        sessions: Sessions with at least three symbols to rank and a known return.
        average_symbols: Symbols ranked in a session.
    """

    horizon_sessions: int
    information_coefficient: float
    standard_error: float
    t_statistic: float
    share_positive: float
    sessions: int
    average_symbols: float


@dataclass(frozen=True, kw_only=True)
class MomentumWalk:
    """What a momentum rule decided: its targets, and the choices behind them."""

    targets: TargetWeights
    selection: MomentumSelection


@dataclass(frozen=True, kw_only=True, repr=False)
class MomentumPortfolio(FlowResult):
    """Past winners held, and what came of it."""

    selection: MomentumSelection
    decay: tuple[HorizonCoefficient, ...]
    backtest: Backtest


class EpisodeEnd(StrEnum):
    """Why a stretched price was let go."""

    EXIT = "exit"
    STOP = "stop"
    TIME = "time"


@dataclass(frozen=True, kw_only=True)
class ReversionEpisode:
    """From the decision to take a stretched price to the decision to let it go.

    Attributes:
        decided_out: None while it lasts.
        end: None while it lasts.
        exit_z: At the decision to let go; NaN where it is not defined, or while it lasts.
        sessions_held: From fill to fill; so far, while it lasts.
    """

    symbol: str
    is_long: bool
    decided_in: dt.date
    decided_out: dt.date | None
    end: EpisodeEnd | None
    entry_z: float
    exit_z: float
    sessions_held: int


@dataclass(frozen=True, kw_only=True)
class ReversionEvidence:
    """Whether one symbol's spread comes back, estimated on the newest window.

    Attributes:
        z_score: Of the newest spread in its own shorter window.
        half_life_sessions: Of a deviation from the mean; NaN where the estimate does not revert.
        half_life_error: Its standard error, by the delta method.
        adf_statistic: Augmented Dickey-Fuller t-statistic with a constant.
        adf_p_value: MacKinnon's approximation; small speaks for stationarity.
        variance_ratio: Of ten-session to one-session changes; below 1 where changes revert.
        variance_ratio_z: Lo and MacKinlay's statistic, robust to changing variance.
        hurst: Growth of the spread of changes with their horizon; 0.5 for a random walk.
        candidate_share: Share of the past selections at which it passed the filter.
        passes: Whether it passes now.
        reason: Why it does not.
    """

    symbol: str
    z_score: float
    half_life_sessions: float
    half_life_error: float
    adf_statistic: float
    adf_p_value: float
    variance_ratio: float
    variance_ratio_z: float
    hurst: float
    candidate_share: float
    passes: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReversionWalk:
    """What a reversion rule decided: its targets, and the episodes behind them.

    Attributes:
        selections: How many times candidates were filtered.
        average_candidates: Symbols that passed, on average.
        undefined: Decisions at which the allocator had no answer.
        reasons: Why, each sentence once.
    """

    targets: TargetWeights
    episodes: tuple[ReversionEpisode, ...]
    selections: int
    average_candidates: float
    undefined: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EndSummary:
    """What became of the trades that ended in one way; NaN where there is none.

    Attributes:
        end: None for those still open.
        average_return: Net of costs, over the notional of the entries.
    """

    end: EpisodeEnd | None
    trades: int
    average_sessions: float
    average_return: float
    hit_rate: float
    pnl: float


@dataclass(frozen=True, kw_only=True, repr=False)
class MeanReversionPortfolio(FlowResult):
    """Stretched prices bought, and what came of it."""

    evidence: tuple[ReversionEvidence, ...]
    episodes: tuple[ReversionEpisode, ...]
    ends: tuple[EndSummary, ...]
    backtest: Backtest
