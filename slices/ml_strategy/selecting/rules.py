"""Ways of choosing, each as one account: what it wants at every close, costs of switching included.

What is chosen at a decision is in force from that close to the next decision; the account trades
what differs at the next session. The equal mix holds the mean of what all strategies want. Two of
the rules know the future and are there to measure regret by: the best single strategy of the whole
span, and the best one of every period. Best is whatever made the most for its risk, throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.backtests import TargetWeights
from slices.domain.selection_parameters import (
    DEFAULT_PERIODS,
    SelectionModel,
    SelectionPeriods,
    SelectionRule,
)
from slices.domain.verdicts import LookAheadProbe
from slices.ml_strategy.selecting.features import mean_over_deviation
from slices.ml_strategy.selecting.probing import probe_selection
from slices.ml_strategy.selecting.wording import rule_label
from slices.quant.panel import read_panel
from slices.quant.signals.strategy import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.dataset import DatasetRef
    from slices.domain.ensembles import Sleeve
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.regimes import RegimeAnalysis
    from slices.domain.strategy_selection import SelectionExamples, WalkedSelection
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray, IntArray

NOT_PROBED = LookAheadProbe(cuts=())


def selection_targets(
    bars: DatasetRef,
    sleeves: Sequence[Sleeve],
    regime: RegimeAnalysis,
    *,
    examples: SelectionExamples,
    walked: Sequence[WalkedSelection],
    model: SelectionModel = SelectionModel.LIGHTGBM,
    periods: SelectionPeriods = DEFAULT_PERIODS,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    seed: int = 0,
) -> list[TargetWeights]:
    """Lay out what each way of choosing wanted, from the first decision by model on.

    Args:
        bars: What is traded.
        sleeves: The strategies, each traded alone.
        regime: Of the same bars.
        examples: All decisions.
        walked: What both classifiers said.
        model: The one that counts; the other one is the rival.
        periods: When is decided.
        costs: Of the strategies' accounts, for the probe that trades them again; so are `rules`
            and `capital`.
        rules: What may be traded.
        capital: Money at the start.
        seed: Of the classifier that is probed.

    Returns:
        One per rule, in the order of `SelectionRule`. The model's counts two trials, since two
        classifiers were tried, and its decisions are probed for look-ahead.
    """
    panel, chosen = read_panel(bars), walk_of(walked, model)
    probe = probe_selection(
        panel, regime.history, examples=examples, walked=chosen, periods=periods, costs=costs,
        rules=rules, capital=capital, seed=seed,
    )  # fmt: skip
    weights = np.stack([each.weights for each in sleeves])
    returns = np.column_stack([each.returns for each in sleeves])
    picks = choices(examples, walked, model=model, returns=returns)
    return [
        _targets(
            panel,
            rule,
            examples=examples,
            first=chosen.first,
            weights=_followed(weights, picks.get(rule), examples=examples, first=chosen.first),
            probe=probe if rule is SelectionRule.MODEL else NOT_PROBED,
        )
        for rule in SelectionRule
    ]


def choices(
    examples: SelectionExamples,
    walked: Sequence[WalkedSelection],
    *,
    model: SelectionModel,
    returns: FloatArray,
) -> dict[SelectionRule, IntArray]:
    """Return what each rule chose: positions of strategies at the decisions from the first on.

    Args:
        examples: P decisions among S strategies.
        walked: What both classifiers said.
        model: The one that counts.
        returns: T x S net returns of the strategies' accounts.

    Returns:
        For every rule that chooses; the equal mix does not.
    """
    own = walk_of(walked, model)
    rival = next(each for each in walked if each.kind is not model)
    asked = np.arange(own.first, examples.row.size)
    best = best_ratio(returns[examples.row[own.first] + 1 :])
    return {
        SelectionRule.MODEL: own.probabilities[asked].argmax(axis=1),
        SelectionRule.RIVAL: rival.probabilities[asked].argmax(axis=1),
        SelectionRule.LEADER: leaders(examples, returns, asked),
        SelectionRule.HINDSIGHT: np.full(asked.size, best, dtype=np.int64),
        SelectionRule.FORESIGHT: _known_best(examples.best[asked]),
    }


def leaders(examples: SelectionExamples, returns: FloatArray, asked: IntArray) -> IntArray:
    """Return the strategy with the highest Sharpe ratio so far at each of some decisions.

    Args:
        examples: P decisions among S strategies.
        returns: T x S net returns of the strategies' accounts.
        asked: Positions of decisions.
    """
    return np.array(
        [
            best_ratio(returns[examples.first_row + 1 : row + 1])
            for row in examples.row[asked].tolist()
        ],
        dtype=np.int64,
    )


def best_ratio(returns: FloatArray) -> int:
    """Return the position of the account with the most return for its risk; the first of several.

    >>> best_ratio(np.array([[0.0, 0.01], [0.0, 0.03]]))
    1
    """
    return int(np.nan_to_num(mean_over_deviation(returns), nan=-np.inf).argmax())


def walk_of(walked: Sequence[WalkedSelection], model: SelectionModel) -> WalkedSelection:
    """Return what one classifier said."""
    return next(each for each in walked if each.kind is model)


def _known_best(best: IntArray) -> IntArray:
    """Keep the last known best one where a period is not over."""
    known = np.maximum.accumulate(np.where(best >= 0, np.arange(best.size), 0))
    return np.asarray(np.maximum(best[known], 0))


def _followed(
    weights: FloatArray, picked: IntArray | None, *, examples: SelectionExamples, first: int
) -> FloatArray:
    """Return what a rule wants at every close from its first decision on: their mean, or one's.

    Args:
        weights: S x T x N target weights of the strategies.
        picked: Positions of strategies at the decisions from the first on; None takes the mean.
        examples: All decisions.
        first: Position of the first decision.
    """
    start = int(examples.row[first])
    if picked is None:
        return np.asarray(weights[:, start:].mean(axis=0))
    rows = np.arange(start, weights.shape[1])
    at = np.searchsorted(examples.row[first:], rows, side="right") - 1
    return np.asarray(weights[picked[at], rows])


def _targets(
    panel: Panel,
    rule: SelectionRule,
    *,
    examples: SelectionExamples,
    first: int,
    weights: FloatArray,
    probe: LookAheadProbe,
) -> TargetWeights:
    start = int(examples.row[first])
    trials = {SelectionRule.MODEL: 2, SelectionRule.RIVAL: 2, SelectionRule.LEADER: 1}
    picked_from = 1 if rule is SelectionRule.MIX else len(examples.strategies)
    return TargetWeights(
        label=rule_label(rule),
        symbols=panel.symbols,
        sessions=panel.sessions[start:],
        weights=changes(weights),
        first_session=panel.sessions[start],
        trials=trials.get(rule, picked_from),
        probe=probe,
    )
