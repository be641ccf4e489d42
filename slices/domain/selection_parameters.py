"""Parameters of strategy selection: what is chosen among, when, by what, and what else."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from slices.domain.parameters import ParameterGroup, distinct
from slices.domain.strategies import StrategyName

SelectionStrategies = Annotated[
    list[StrategyName], Field(min_length=2, max_length=len(StrategyName)), AfterValidator(distinct)
]
"""At least two strategies, each once."""

ALL_STRATEGIES = list(StrategyName)

FallbackOption = Literal[
    "leader",
    "none",
    "buy_and_hold",
    "sma_cross",
    "ema_cross",
    "macd",
    "rsi_reversal",
    "bollinger_reversal",
    "donchian_breakout",
    "time_series_momentum",
    "cross_sectional_momentum",
    "zscore_reversal",
    "volatility_target",
]
"""What is chosen where the model has not earned it: a rule, nothing, or a strategy's name."""

TuningTrials = Annotated[int, Field(ge=0, le=2000)]
"""Sets of parameters to try; 0 keeps the defaults."""


class SelectionModel(StrEnum):
    """The classifiers that say which strategy will be the best of the next period."""

    LIGHTGBM = "lightgbm"
    LOGISTIC = "logistic"


class SelectionRule(StrEnum):
    """The ways of choosing that are set side by side."""

    MODEL = "model"
    RIVAL = "rival"
    LEADER = "leader"
    MIX = "mix"
    HINDSIGHT = "hindsight"
    FORESIGHT = "foresight"


class SelectionPeriods(ParameterGroup):
    """When is decided, and on how much the model is trained."""

    decision_sessions: int = Field(
        default=21, ge=5, le=126, description="Sessions from one decision to the next."
    )
    train_periods: int = Field(
        default=60, ge=24, le=600, description="Past periods before the first decision by model."
    )
    refit_periods: int = Field(
        default=6, ge=1, le=60, description="Decisions from one training to the next."
    )


DEFAULT_PERIODS = SelectionPeriods()
