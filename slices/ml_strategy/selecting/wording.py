"""Words for strategy selection."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from slices.domain.strategy_selection import SelectionModel, SelectionRule
from slices.quant.signals.catalogue import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slices.domain.strategies import StrategyName

_RULES: Mapping[SelectionRule, str] = MappingProxyType(
    {
        SelectionRule.MODEL: "Chosen by the model",
        SelectionRule.RIVAL: "Chosen by its rival",
        SelectionRule.LEADER: "Leader so far",
        SelectionRule.MIX: "Equal mix",
        SelectionRule.HINDSIGHT: "Best single one, in hindsight",
        SelectionRule.FORESIGHT: "Best of every period, foreseen",
    }
)
_MODELS: Mapping[SelectionModel, str] = MappingProxyType(
    {SelectionModel.LIGHTGBM: "LightGBM", SelectionModel.LOGISTIC: "logistic regression"}
)


def rule_label(rule: SelectionRule) -> str:
    """Name a way of choosing."""
    return _RULES[rule]


def model_label(model: SelectionModel) -> str:
    """Name a classifier."""
    return _MODELS[model]


def title(strategy: StrategyName) -> str:
    """Name a strategy.

    >>> from slices.domain.strategies import StrategyName
    >>> title(StrategyName.BUY_AND_HOLD)
    'Buy and hold'
    """
    return STRATEGIES[strategy].title


def regime_words(regime: str) -> str:
    """Write a regime's name.

    >>> regime_words("bull_quiet")
    'bull quiet'
    """
    return regime.replace("_", " ") or "unknown"
