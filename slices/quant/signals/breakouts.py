"""Breakouts: follow a price that leaves the range it was in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import SHORT, Strategy
from slices.quant.signals.symbols import delayed, directed, each_symbol

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray


class DonchianChannels(StrategyParameters):
    """Windows of the two channels."""

    entry: int = Field(default=20, ge=2, le=250, description="Channel to break, in sessions.")
    exit: int = Field(default=10, ge=2, le=125, description="Channel to leave at, in sessions.")
    short: bool = SHORT

    @model_validator(mode="after")
    def _ordered(self) -> DonchianChannels:
        if self.exit > self.entry:
            message = f"exit {self.exit} is longer than entry {self.entry}"
            raise ValueError(message)
        return self


def donchian_breakout(panel: Panel, parameters: DonchianChannels) -> FloatArray:
    """Buy a close above the highs before it, sell one below the lows of the shorter window.

    Highs and lows are those of earlier bars; closes stand for them where the data is close-only.
    """
    from slices.quant.rolling import rolling_highest, rolling_lowest
    from slices.quant.signals.states import breakout_states

    entry, leave = parameters.entry, parameters.exit

    def rule(closes: FloatArray, highs: FloatArray, lows: FloatArray) -> FloatArray:
        entry_low = delayed(rolling_lowest(lows, entry), 1)
        states = breakout_states(
            closes,
            delayed(rolling_highest(highs, entry), 1),
            entry_low if parameters.short else np.full(closes.size, np.nan),
            delayed(rolling_highest(highs, leave), 1),
            delayed(rolling_lowest(lows, leave), 1),
        )
        return directed(states, short=parameters.short)

    highs = panel.close if panel.high is None else panel.high
    lows = panel.close if panel.low is None else panel.low
    return each_symbol(panel, rule, highs, lows)


DONCHIAN_BREAKOUT = Strategy(
    name=StrategyName.DONCHIAN_BREAKOUT,
    title="Donchian breakout",
    idea="A price where it has not been for long meets few who want to sell, and trends begin so.",
    parameters=DonchianChannels,
    signals=donchian_breakout,
    warmup=lambda parameters: int(parameters.entry + 1),
    reference="Faith (2003), The original turtle trading rules",
)
