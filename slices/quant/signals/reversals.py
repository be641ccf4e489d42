"""Reversals: buy what has fallen unusually far, sell it when it is back to what is usual."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import SHORT, Strategy
from slices.quant.signals.symbols import each_symbol
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from pydantic.config import JsonDict

    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

UNLIMITED = sys.maxsize
"""More sessions than any position is held."""

WITH_SHORT_ALONE: JsonDict = {"searched": False}
"""Marks a parameter that means nothing unless shares are sold short; it is not searched."""


class RelativeStrength(StrategyParameters):
    """Window and levels of the relative strength index, which runs from 0 to 100."""

    window: int = Field(default=14, ge=2, le=100, description="Wilder's average, in sessions.")
    lower: float = Field(default=30.0, ge=5, le=45, description="Buy below this index.")
    exit: float = Field(default=50.0, ge=46, le=69, description="Leave beyond this index.")
    upper: float = Field(
        default=70.0, ge=70, le=95, json_schema_extra=WITH_SHORT_ALONE,
        description="Sell short above this index, where selling short is allowed.",
    )  # fmt: skip
    short: bool = SHORT


class BollingerBands(StrategyParameters):
    """Window and width of the bands."""

    window: int = Field(default=20, ge=5, le=200, description="Average, in sessions.")
    deviations: float = Field(
        default=2.0, ge=0.5, le=4, description="Width of a band, in standard deviations of closes."
    )
    short: bool = SHORT


class ZScore(StrategyParameters):
    """Window, levels in standard deviations from the average, and longest time held."""

    window: int = Field(default=60, ge=10, le=250, description="Average, in sessions.")
    entry: float = Field(default=2.0, ge=1, le=3.5, description="Enter this far from the average.")
    exit: float = Field(default=0.5, ge=0, le=0.9, description="Leave this near the average.")
    stop: float = Field(
        default=4.0, ge=3.6, le=10, description="Give up this far from the average."
    )
    most_sessions: int = Field(
        default=20, ge=2, le=120, description="Give up after so many sessions."
    )
    short: bool = SHORT


def rsi_reversal(panel: Panel, parameters: RelativeStrength) -> FloatArray:
    """Buy below the lower index, sell beyond the exit one; undefined where no price has moved."""
    from slices.quant.rolling import relative_strength
    from slices.quant.signals.states import reversal_states

    upper = parameters.upper if parameters.short else math.inf

    def rule(closes: FloatArray) -> FloatArray:
        strength = relative_strength(closes, parameters.window)
        leave = parameters.exit
        return reversal_states(strength, parameters.lower, upper, leave, leave, math.inf, UNLIMITED)

    return each_symbol(panel, rule)


def bollinger_reversal(panel: Panel, parameters: BollingerBands) -> FloatArray:
    """Buy below the lower band, sell above the middle one; bands as TA-Lib's, with ddof 0."""
    from slices.quant.signals.states import reversal_states

    width = parameters.deviations
    upper = width if parameters.short else math.inf

    def rule(closes: FloatArray) -> FloatArray:
        apart = standardized(closes, parameters.window, ddof=0)
        return reversal_states(apart, -width, upper, 0.0, 0.0, math.inf, UNLIMITED)

    return each_symbol(panel, rule)


def zscore_reversal(panel: Panel, parameters: ZScore) -> FloatArray:
    """Buy far below the average; sell near it, too far from it, or after the longest time held."""
    from slices.quant.signals.states import reversal_states

    entry, leave = parameters.entry, parameters.exit
    upper = entry if parameters.short else math.inf

    def rule(closes: FloatArray) -> FloatArray:
        apart = standardized(closes, parameters.window, ddof=1)
        stop, most = parameters.stop, parameters.most_sessions
        return reversal_states(apart, -entry, upper, -leave, leave, stop, most)

    return each_symbol(panel, rule)


def standardized(closes: FloatArray, window: int, *, ddof: int) -> FloatArray:
    """Say how many standard deviations closes are above the average of the newest `window`.

    Args:
        closes: T closes without NaN.
        window: The newest closes to compare with, the close itself included.
        ddof: 1 for a sample's deviation, 0 for a population's.

    Returns:
        T values; NaN before there are enough closes, and where all are equal.
    """
    from slices.quant.averages import moving_average
    from slices.quant.rolling import rolling_deviation

    average = moving_average(closes, window)
    deviation = rolling_deviation(closes, window, ddof)
    apart = np.full(closes.size, np.nan)
    np.divide(closes - average, deviation, out=apart, where=deviation > TIE * average)
    return apart


RSI_REVERSAL = Strategy(
    name=StrategyName.RSI_REVERSAL,
    title="RSI reversal",
    idea="Sellers in a hurry push a price too far, and patient buyers are paid for waiting.",
    parameters=RelativeStrength,
    signals=rsi_reversal,
    warmup=lambda parameters: int(parameters.window + 1),
    reference="Wilder (1978), New concepts in technical trading systems",
)
BOLLINGER_REVERSAL = Strategy(
    name=StrategyName.BOLLINGER_REVERSAL,
    title="Bollinger reversal",
    idea="A price outside its usual range tends to return to the middle of it.",
    parameters=BollingerBands,
    signals=bollinger_reversal,
    warmup=lambda parameters: int(parameters.window),
    reference="Bollinger (2001), Bollinger on Bollinger bands",
)
ZSCORE_REVERSAL = Strategy(
    name=StrategyName.ZSCORE_REVERSAL,
    title="Z-score reversal",
    idea="Prices far from their average return to it, soon or not at all.",
    parameters=ZScore,
    signals=zscore_reversal,
    warmup=lambda parameters: int(parameters.window),
    reference="Poterba, Summers (1988), Mean reversion in stock prices",
)
