"""The strategies a person can name, and the base of their parameters."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from slices.domain.parameters import ParameterGroup


class StrategyName(StrEnum):
    """The strategies of the catalogue."""

    BUY_AND_HOLD = "buy_and_hold"
    SMA_CROSS = "sma_cross"
    EMA_CROSS = "ema_cross"
    MACD = "macd"
    RSI_REVERSAL = "rsi_reversal"
    BOLLINGER_REVERSAL = "bollinger_reversal"
    DONCHIAN_BREAKOUT = "donchian_breakout"
    TIME_SERIES_MOMENTUM = "time_series_momentum"
    CROSS_SECTIONAL_MOMENTUM = "cross_sectional_momentum"
    ZSCORE_REVERSAL = "zscore_reversal"
    VOLATILITY_TARGET = "volatility_target"


StrategyOption = Literal[
    "auto",
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
"""A strategy's name, or `auto` to have one chosen on the first part of the history."""

AccountStrategyOption = Literal[StrategyOption, "selected"]
"""What an account trades: one of the above, or `selected`, the newest choice that was stored."""

StrategySettings = dict[str, float | str]
"""Parameters of a strategy as a person sets them: name and value; the rest keeps its default."""


class StrategyParameters(ParameterGroup):
    """Parameters of one strategy; the bounds of its fields are the optimizer's search space."""
