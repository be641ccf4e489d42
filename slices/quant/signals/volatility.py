"""Volatility targeting: hold less of what moves more, with or without another rule's signals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import Strategy
from slices.quant.signals.symbols import each_symbol

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray


class VolatilityTarget(StrategyParameters):
    """What volatility is wanted, how it is measured, and how exactly it is followed."""

    target: float = Field(default=0.15, ge=0.02, le=1, description="Volatility a year; 0.15: 15 %.")
    window: int = Field(default=60, ge=5, le=250, description="Returns to measure it over.")
    weighting: Literal["exponential", "equal"] = Field(
        default="exponential", description="Whether newer returns count for more."
    )
    band: float = Field(
        default=0.1, ge=0, le=0.5, description="Trade where the signal is off by more than this."
    )


def volatility_target(panel: Panel, parameters: VolatilityTarget) -> FloatArray:
    """Hold min(1, target / volatility) of every symbol, moved only when off by the band.

    The equally weighted volatility is the sample deviation of the newest returns; the
    exponential one is the root of the average squared return with weights that fall by
    1 - 2 / (window + 1) a session. A price that does not move at all is held fully.
    """
    from slices.quant.signals.states import banded

    def rule(closes: FloatArray) -> FloatArray:
        volatility = _volatility(closes, parameters) * math.sqrt(panel.periods_per_year)
        wanted = np.full(closes.size, np.nan)
        np.divide(parameters.target, volatility, out=wanted, where=volatility > 0)
        wanted[volatility == 0] = 1.0
        return banded(np.minimum(wanted, 1.0), parameters.band)

    return each_symbol(panel, rule)


def volatility_scaled(
    signals: FloatArray, panel: Panel, parameters: VolatilityTarget
) -> FloatArray:
    """Scale any signals on a panel down to the wanted volatility; 0 until it can be measured.

    Args:
        signals: T x N in [-1, 1].
        panel: The bars they were decided on.
        parameters: Of the volatility target.
    """
    return signals * volatility_target(panel, parameters)


def _volatility(closes: FloatArray, parameters: VolatilityTarget) -> FloatArray:
    from slices.quant.averages import exponential_average
    from slices.quant.rolling import rolling_deviation

    volatility = np.full(closes.size, np.nan)
    returns = closes[1:] / closes[:-1] - 1.0
    if parameters.weighting == "equal":
        volatility[1:] = rolling_deviation(returns, parameters.window, 1)
    else:
        volatility[1:] = np.sqrt(exponential_average(returns**2, parameters.window))
    return volatility


VOLATILITY_TARGET = Strategy(
    name=StrategyName.VOLATILITY_TARGET,
    title="Volatility target",
    idea="Calm and wild times come in spells, and wild ones are not paid for in proportion.",
    parameters=VolatilityTarget,
    signals=volatility_target,
    warmup=lambda parameters: int(parameters.window + 1),
    reference="Moreira, Muir (2017), Volatility-managed portfolios",
)
