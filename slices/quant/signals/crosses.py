"""Crosses of moving averages: long while the faster one is above the slower one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import SHORT, Strategy
from slices.quant.signals.symbols import directed, each_symbol

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray


class _FastBelowSlow(StrategyParameters):
    fast: int
    slow: int

    @model_validator(mode="after")
    def _ordered(self) -> _FastBelowSlow:
        if self.fast >= self.slow:
            message = f"fast {self.fast} is not below slow {self.slow}"
            raise ValueError(message)
        return self


class AverageCross(_FastBelowSlow):
    """Windows of the two averages."""

    fast: int = Field(default=10, ge=2, le=100, description="Faster average, in sessions.")
    slow: int = Field(default=50, ge=5, le=400, description="Slower average, in sessions.")
    short: bool = SHORT


class ConvergenceDivergence(_FastBelowSlow):
    """Windows of the two averages, and of the average of their difference."""

    fast: int = Field(default=12, ge=2, le=50, description="Faster average, in sessions.")
    slow: int = Field(default=26, ge=5, le=200, description="Slower average, in sessions.")
    signal: int = Field(
        default=9, ge=2, le=50, description="Average of their difference, in sessions."
    )
    short: bool = SHORT


def sma_cross(panel: Panel, parameters: AverageCross) -> FloatArray:
    """Be long while the fast plain average of closes is above the slow one."""
    from slices.quant.averages import cross_states, moving_average

    def rule(closes: FloatArray) -> FloatArray:
        fast = moving_average(closes, parameters.fast)
        return cross_states(fast, moving_average(closes, parameters.slow))

    return directed(each_symbol(panel, rule), short=parameters.short)


def ema_cross(panel: Panel, parameters: AverageCross) -> FloatArray:
    """Be long while the fast exponential average of closes is above the slow one."""
    from slices.quant.averages import cross_states, exponential_average

    def rule(closes: FloatArray) -> FloatArray:
        fast = exponential_average(closes, parameters.fast)
        return cross_states(fast, exponential_average(closes, parameters.slow))

    return directed(each_symbol(panel, rule), short=parameters.short)


def macd(panel: Panel, parameters: ConvergenceDivergence) -> FloatArray:
    """Be long while the averages' difference is above its own average.

    As in TA-Lib, the fast average starts late enough to be first defined where the slow one is.
    """
    from slices.quant.averages import exponential_average, gap_states

    late, first = parameters.slow - parameters.fast, parameters.slow - 1

    def rule(closes: FloatArray) -> FloatArray:
        gaps = exponential_average(closes, parameters.slow)
        line = exponential_average(closes[late:], parameters.fast) - gaps[late:]
        line = line[parameters.fast - 1 :]
        gaps[first:] = line - exponential_average(line, parameters.signal)
        return gap_states(gaps, closes)

    return directed(each_symbol(panel, rule), short=parameters.short)


SMA_CROSS = Strategy(
    name=StrategyName.SMA_CROSS,
    title="Moving-average cross",
    idea="Prices that have risen of late tend to go on rising, and averages show it amid noise.",
    parameters=AverageCross,
    signals=sma_cross,
    warmup=lambda parameters: int(parameters.slow),
    reference="Brock, Lakonishok, LeBaron (1992), Simple technical trading rules",
)
EMA_CROSS = Strategy(
    name=StrategyName.EMA_CROSS,
    title="Exponential-average cross",
    idea="As the moving-average cross, with newer prices counting for more than older ones.",
    parameters=AverageCross,
    signals=ema_cross,
    warmup=lambda parameters: int(parameters.slow),
    reference="Appel (2005), Technical analysis: power tools for active investors",
)
MACD = Strategy(
    name=StrategyName.MACD,
    title="MACD",
    idea="A trend that gains speed tends to last, and one that loses speed tends to end.",
    parameters=ConvergenceDivergence,
    signals=macd,
    warmup=lambda parameters: int(parameters.slow + parameters.signal - 1),
    reference="Appel (2005), Technical analysis: power tools for active investors",
)
