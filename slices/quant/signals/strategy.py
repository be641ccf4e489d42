"""What a strategy is: a pure function from a panel to signals, with its parameters as a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.panel import Panel
from slices.quant.types import FloatArray

Signals = Callable[[Panel, Any], FloatArray]

SHORT: bool = Field(default=False, description="Sell short as well, in place of staying flat.")
"""The field of every rule that can also be traded downwards."""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A rule that decides at each close how much of its share of the account a symbol gets.

    Attributes:
        name: What a person calls it.
        title: Its name in a report.
        idea: Why it might pay, in one sentence.
        parameters: The model of its parameters; every field has bounds and a default.
        signals: From a panel and parameters to T x N finite numbers in [-1, 1]: 1 fully long, 0
            flat, -1 fully short. Row t depends on bars up to the close of session t alone; what
            becomes of a symbol without enough history, or without a bar, `quant.signals` says.
        warmup: Sessions of bars, the deciding one included, that parameters need for the first
            signal other than 0: row `warmup` - 1 of an unbroken panel may have one, none before.
        joint: Whether a symbol's signal depends on the other symbols.
        reference: Who wrote it down first.
    """

    name: StrategyName
    title: str
    idea: str
    parameters: type[StrategyParameters]
    signals: Signals
    warmup: Callable[[Any], int]
    joint: bool = False
    reference: str = ""

    def target_weights(
        self, panel: Panel, parameters: StrategyParameters, *, gross_exposure: float = 1.0
    ) -> FloatArray:
        """Return T x N fractions of equity whose absolute values sum to at most 1 in each row.

        Each symbol has an equal share of the account and its signal says how much of it is
        invested; where signals are joint, the chosen symbols share the whole account equally.

        Args:
            panel: The symbols.
            parameters: Of this strategy.
            gross_exposure: Share of the account that may be invested where it is below 1; more
                adds no leverage.
        """
        signals = self.signals(panel, parameters)
        room = min(1.0, gross_exposure)
        if not self.joint:
            return np.asarray(signals * room / max(1, signals.shape[1]), dtype=np.float64)
        chosen = np.abs(signals).sum(axis=1, keepdims=True)
        share = np.divide(room, chosen, out=np.zeros_like(chosen), where=chosen > 0)
        return np.asarray(signals * share, dtype=np.float64)


def changes(target_weights: FloatArray) -> FloatArray:
    """Keep the weights that differ from the row before; NaN, which is no decision, elsewhere.

    A position is then bought once and drifts until its own signal changes, in place of being
    brought back to its weight every session.

    >>> changes(np.array([[0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])).tolist()
    [[0.5, 0.0], [nan, 0.5], [0.0, nan]]
    """
    same = np.zeros(target_weights.shape, dtype=np.bool_)
    same[1:] = target_weights[1:] == target_weights[:-1]
    return np.where(same, np.nan, target_weights)
