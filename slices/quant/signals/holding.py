"""Holding: in the market from the first bar on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.strategy import Strategy
from slices.quant.signals.symbols import each_symbol

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray


class BuyAndHold(StrategyParameters):
    """Buying and holding has nothing to set."""


def _held(closes: FloatArray) -> FloatArray:
    return np.ones(closes.size)


def buy_and_hold(panel: Panel, parameters: BuyAndHold) -> FloatArray:  # noqa: ARG001 - has none
    """Be long from a symbol's first bar on."""
    return each_symbol(panel, _held)


BUY_AND_HOLD = Strategy(
    name=StrategyName.BUY_AND_HOLD,
    title="Buy and hold",
    idea="Markets pay for bearing their risk, and not trading costs nothing.",
    parameters=BuyAndHold,
    signals=buy_and_hold,
    warmup=lambda _: 1,
    reference="Bogle (1999), Common Sense on Mutual Funds",
)
