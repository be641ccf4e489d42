"""Strategies run side by side, and the ways of sharing capital among them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from slices.domain.backtests import Backtest, TargetWeights
from slices.domain.parameters import distinct
from slices.domain.portfolio import Performance
from slices.domain.results import FlowResult
from slices.domain.strategies import StrategyName

EnsembleStrategies = Annotated[
    list[StrategyName], Field(min_length=2, max_length=len(StrategyName)), AfterValidator(distinct)
]
"""At least two strategies, each once."""

DEFAULT_ENSEMBLE = [
    StrategyName.SMA_CROSS,
    StrategyName.DONCHIAN_BREAKOUT,
    StrategyName.TIME_SERIES_MOMENTUM,
    StrategyName.CROSS_SECTIONAL_MOMENTUM,
    StrategyName.RSI_REVERSAL,
    StrategyName.BOLLINGER_REVERSAL,
    StrategyName.ZSCORE_REVERSAL,
]
"""Trend followers and contrarians."""


class Combination(StrEnum):
    """How capital is shared among strategies."""

    EQUAL = "equal"
    INVERSE_VOLATILITY = "inverse_volatility"
    RISK_PARITY = "risk_parity"
    ONLINE = "online"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sleeve:
    """One strategy traded alone with the whole capital.

    Attributes:
        parameters: Name and value, as text.
        weights: T x N target weights at each close.
        returns: T simple returns of its account, net of costs; the first is 0.
    """

    strategy: StrategyName
    title: str
    parameters: tuple[tuple[str, str], ...]
    sessions: tuple[dt.date, ...]
    weights: npt.NDArray[np.float64]
    returns: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class CombinationPlan:
    """How one combination shared the capital through history.

    Attributes:
        refits: Sessions at whose close shares were fitted anew.
        shares: R x S fractions of capital per strategy, each row with sum 1.
        idle_refits: At how many refits some strategy had not moved and therefore got nothing.
        targets: The decisions that follow from it, netted into one account.
    """

    combination: Combination
    strategies: tuple[StrategyName, ...]
    refits: tuple[dt.date, ...]
    shares: npt.NDArray[np.float64]
    idle_refits: int
    targets: TargetWeights


@dataclass(frozen=True, kw_only=True)
class MemberResult:
    """One strategy over the sessions of the ensemble's account.

    Attributes:
        performance: Traded alone, net of its own costs.
        average_share: Of the capital of the chosen combination.
        pnl: Money its positions made inside the chosen combination, before costs.
    """

    strategy: StrategyName
    title: str
    performance: Performance
    equity: tuple[float, ...]
    average_share: float
    pnl: float


@dataclass(frozen=True, kw_only=True)
class ProfitAttribution:
    """Where the ensemble's profit came from, in money; the parts sum to `total`.

    Attributes:
        members: What each strategy's positions made, before costs.
        costs: What trading and holding cost, net of interest and dividends; negative.
        drift: What is left: fills at another price than the close, and weights that drifted
            between decisions.
    """

    members: tuple[float, ...]
    costs: float
    drift: float
    total: float


@dataclass(frozen=True, kw_only=True, repr=False)
class MultiStrategyPortfolio(FlowResult):
    """Whether strategies diversify one another, and what sharing capital among them brought.

    Attributes:
        correlations: Of the strategies' returns, in the order of `members`.
        backtests: One per combination, in the order of `Combination`.
        chosen: The combination that was asked for.
    """

    members: tuple[MemberResult, ...]
    correlations: tuple[tuple[float, ...], ...]
    chosen: Combination
    backtests: tuple[Backtest, ...]
    attribution: ProfitAttribution
