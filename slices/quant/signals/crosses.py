"""Crosses of moving averages: long while the faster one is above the slower one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import SHORT, Strategy
from slices.quant.signals.symbols import OwnBars, directed, each_symbol

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


def sma_cross(panel: Panel, parameters: AverageCross) -> FloatArray:
    """Be long while the fast plain average of closes is above the slow one."""
    from slices.quant.averages import cross_states, moving_average

    def rule(bars: OwnBars) -> FloatArray:
        fast = moving_average(bars.close, parameters.fast)
        return cross_states(fast, moving_average(bars.close, parameters.slow))

    return directed(each_symbol(panel, rule), short=parameters.short)


SMA_CROSS = Strategy(
    name=StrategyName.SMA_CROSS,
    title="Moving-average cross",
    idea="Prices that have risen of late tend to go on rising, and the averages see it late.",
    parameters=AverageCross,
    signals=sma_cross,
    warmup=lambda parameters: int(parameters.slow),
    reference="Brock, Lakonishok, LeBaron (1992), Simple technical trading rules",
)
