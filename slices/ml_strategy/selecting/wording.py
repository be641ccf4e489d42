"""Words for strategy selection."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from slices.domain.choices import ChoiceBasis
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.domain.selection_parameters import SelectionModel, SelectionRule
from slices.quant.signals.catalogue import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slices.domain.strategies import StrategyName
    from slices.domain.strategy_selection import Interval, SelectionDecision, SelectionEvidence

NEEDED_T = 1.645
"""One-sided, 5 %: from which t-statistic over the equal mix on the model is followed."""

OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "stored": "in the books; paper_trading with strategy 'selected' trades it",
        "known": "the same choice was in the books before",
        "planned": "not stored: this run only shows it",
        "nothing": "not stored: there is nothing new to trade",
    }
)
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
_RULE_BEHIND: Mapping[ChoiceBasis, SelectionRule] = MappingProxyType(
    {ChoiceBasis.MODEL: SelectionRule.MODEL, ChoiceBasis.LEADER: SelectionRule.LEADER}
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


def settings_text(parameters: tuple[tuple[str, float | str | bool], ...]) -> str:
    """Write parameters; switches that are off are left out.

    >>> settings_text((("fast", 10), ("slow", 50), ("short", False)))
    'fast 10, slow 50'
    """
    shown = ((name.replace("_", " "), value) for name, value in parameters)
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in shown
        if str(value) != "False"
    )


def span_text(difference: Interval) -> str:
    """Write where a difference may lie; nothing where it is one for certain.

    >>> from slices.domain.strategy_selection import Interval
    >>> span_text(Interval(value=0.0, low=-0.01, high=0.02, t_statistic=0.1))
    '−1% to 2%'
    """
    if not difference.low < difference.high:
        return ""
    return " to ".join(written(each, Unit.FRACTION) for each in (difference.low, difference.high))


def selection_headline(evidence: SelectionEvidence, decision: SelectionDecision) -> str:
    """Say in one or two sentences what is chosen, and whether choosing has paid."""
    chosen = "nothing new" if decision.strategy is None else title(decision.strategy)
    model, mix = (evidence.result_of(each) for each in (SelectionRule.MODEL, SelectionRule.MIX))
    excess = written(model.excess.value, Unit.FRACTION)
    found = written(model.excess.t_statistic, Unit.RATIO)
    better = "beat" if evidence.is_better else "did not beat"
    ratios = [written(each.performance.sharpe_ratio, Unit.RATIO) for each in (model, mix)]
    return (
        f"From {decision.session} on: {chosen}. Out of sample, choosing by "
        f"{model_label(evidence.model)} {better} the equal mix of {len(evidence.strategies)} "
        f"strategies: {excess} a year at equal risk (t = {found}), Sharpe ratio {ratios[0]} "
        f"against {ratios[1]}." + "".join(f" {each}" for each in choice_warnings(evidence))
    )


def choice_warnings(evidence: SelectionEvidence) -> tuple[str, ...]:
    """Warn where the way of choosing that is followed did significantly worse than the equal mix.

    Args:
        evidence: With what the choice stands on.

    Returns:
        One sentence, or nothing: also where a strategy was named or none is chosen, since neither
        is a way of choosing that has a record.
    """
    rule = None if evidence.basis is None else _RULE_BEHIND.get(evidence.basis)
    if rule is None:
        return ()
    excess = evidence.result_of(rule).excess
    if not excess.t_statistic < -NEEDED_T:
        return ()
    return (
        f"WARNING: what is chosen stands on '{rule_label(rule)}', and choosing so did "
        "significantly worse than the equal mix out of sample: "
        f"{written(excess.value, Unit.FRACTION)} a year at equal risk "
        f"(t = {written(excess.t_statistic, Unit.RATIO)}).",
    )


def selection_notes(evidence: SelectionEvidence) -> tuple[str, ...]:
    """Say what a reader must know to read the figures right."""
    accounts = evidence.rules[0].sessions
    return (
        f"The accounts run from {accounts[0]} to {accounts[-1]}; the classifier was trained "
        f"{evidence.fits:,} times on periods that were over, and asked only about later ones.",
        "Differences are at equal risk, every account brought to the volatility of the equal mix: "
        "in plain returns, whoever holds the most shares would win every rising decade.",
        "The model counts as better where the mean difference to the mix has a t-statistic of at "
        f"least {NEEDED_T} with Newey-West errors. Not better is the usual answer, and what was "
        "named as fallback is then chosen; an equal mix of strategies is no strategy an account "
        "can be given here.",
        "Strategies ran with their default parameters, each on its own and net of costs. "
        "Parameters that are tuned for the choice have no record out of sample yet.",
    )
