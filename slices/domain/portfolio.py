"""Portfolios: weights, their risk, how allocators compare, and the analysis of all of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from slices.domain.results import FlowResult


class Allocator(StrEnum):
    """The ways of turning past returns into weights, and holding given ones to compare with."""

    EQUAL_WEIGHT = "equal_weight"
    INVERSE_VOLATILITY = "inverse_volatility"
    MIN_VARIANCE = "min_variance"
    MAX_SHARPE = "max_sharpe"
    RISK_PARITY = "risk_parity"
    HIERARCHICAL_RISK_PARITY = "hierarchical_risk_parity"
    MIN_EXPECTED_SHORTFALL = "min_expected_shortfall"
    HELD_WEIGHTS = "held_weights"


class TailMethod(StrEnum):
    """How a tail is estimated."""

    HISTORICAL = "historical"
    NORMAL = "normal"
    CORNISH_FISHER = "cornish_fisher"


@dataclass(frozen=True, kw_only=True)
class TailRisk:
    """Loss in the tail over one session, as positive fractions of the portfolio's value."""

    method: TailMethod
    confidence: float
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True, kw_only=True)
class RiskContribution:
    """What one holding adds to the volatility of the whole.

    `contribution` is annualized and sums to the portfolio's volatility; `share` sums to 1.
    """

    symbol: str
    weight: float
    annualized_volatility: float
    contribution: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Measures of one series of returns; fractions and ratios, annualized where named so.

    A measure that is undefined for the series is NaN, `max_drawdown_sessions` included.
    """

    sessions: int
    total_return: float
    annualized_return: float
    annualized_volatility: float
    sharpe_ratio: float
    sortino_ratio: float
    calmar_ratio: float
    max_drawdown: float
    max_drawdown_sessions: float
    skewness: float
    excess_kurtosis: float
    hit_rate: float
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True, kw_only=True)
class HoldingsRisk:
    """The risk of holding fixed weights over the observed history.

    The weights are applied to every session's returns: this describes today's holdings on past
    data; it is not a backtest.
    """

    symbols: tuple[str, ...]
    weights: tuple[float, ...]
    capital: float
    performance: Performance
    tails: tuple[TailRisk, ...]
    contributions: tuple[RiskContribution, ...]
    diversification_ratio: float
    effective_bets: float
    drawdown_sessions: tuple[dt.date, ...]
    drawdowns: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Diversification:
    """How the holdings move together.

    Attributes:
        correlations: Square matrix in the order of `symbols`.
        order: Symbols in the order of the hierarchical clustering.
        clusters: Groups of symbols as close, on average, as a correlation of 0.5 or more puts
            two; largest first.
        most_alike: The two symbols with the highest correlation, and its value.
    """

    symbols: tuple[str, ...]
    sessions: int
    correlations: tuple[tuple[float, ...], ...]
    average_correlation: float
    order: tuple[str, ...]
    clusters: tuple[tuple[str, ...], ...]
    most_alike: tuple[str, str, float]
    least_alike: tuple[str, str, float]


@dataclass(frozen=True, kw_only=True)
class AllocatorEvaluation:
    """One allocator, judged out of sample and applied to the newest window.

    Attributes:
        weights: What it would hold now, in the order of `symbols`; empty where undefined.
        undefined_reason: Why it has no weights now, where it has none.
        refits: How many times weights were fitted in the walk-forward.
        undefined_refits: How many of these have no answer, so that the held weights were kept.
        failed_refits: How many of these did not converge; here, too, the held weights were kept.
        refit_reasons: Why refits were undefined or failed, each sentence once, oldest first.
        performance: Net of costs, out of sample; every measure is NaN where the allocator never
            had an answer to trade, so that the account stayed in cash.
        annual_turnover: One-way, as fractions of equity per year, without the first purchase; NaN
            where nothing was ever bought.
        annual_costs: Costs per year, the first purchase included, as a fraction of the average
            equity; NaN where nothing was ever bought.
        equity: Account value at `sessions`, starting from the capital.
    """

    allocator: Allocator
    symbols: tuple[str, ...]
    weights: tuple[float, ...]
    undefined_reason: str
    refits: int
    undefined_refits: int
    failed_refits: int
    refit_reasons: tuple[str, ...]
    performance: Performance
    annual_turnover: float
    annual_costs: float
    sessions: tuple[dt.date, ...]
    equity: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class FrontierPoint:
    """A portfolio of least variance for its expected return, both annualized."""

    expected_return: float
    volatility: float
    weights: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class EfficientFrontier:
    """Portfolios from least variance to highest expected return, on the newest window."""

    symbols: tuple[str, ...]
    points: tuple[FrontierPoint, ...]
    asset_returns: tuple[float, ...]
    asset_volatilities: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class PortfolioAnalysis(FlowResult):
    """What is held, and what could be: risk, structure, allocators and the efficient frontier."""

    risk: HoldingsRisk
    structure: Diversification
    evaluations: tuple[AllocatorEvaluation, ...]
    frontier: EfficientFrontier
