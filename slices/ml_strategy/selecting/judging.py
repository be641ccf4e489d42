"""Whether choosing by the model has paid out of sample, and what follows for the newest session.

Accounts are compared at equal risk: the returns of each are brought to the volatility of the equal
mix over the same sessions. Otherwise a rule that merely holds more shares would win every rising
decade. The model is better than the mix where the mean difference has a t-statistic of at least
1.645 (one-sided, 5 %); beyond 8 it is not believed. Where it is not better, what the caller named
beforehand is chosen in its place.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.choices import ChoiceBasis
from slices.domain.errors import ParameterError, listed
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.domain.selection_parameters import SelectionModel, SelectionRule
from slices.domain.strategies import StrategyName
from slices.domain.strategy_selection import (
    DecidedPeriod,
    RuleResult,
    SelectionEvidence,
    StrategyTally,
)
from slices.ml_strategy.selecting.regret import difference
from slices.ml_strategy.selecting.rules import choices, leaders, walk_of
from slices.ml_strategy.selecting.wording import NEEDED_T, model_label, rule_label, title
from slices.quant.metrics.ratios import sharpe_ratio
from slices.quant.returns import simple_returns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Backtest
    from slices.domain.ensembles import Sleeve
    from slices.domain.selection_parameters import FallbackOption
    from slices.domain.strategy_selection import SelectionExamples, WalkedSelection
    from slices.quant.types import FloatArray, IntArray

SUSPECT_T = 8.0
Verdict = tuple[StrategyName | None, ChoiceBasis | None, str]


def judge_selection(
    examples: SelectionExamples,
    walked: Sequence[WalkedSelection],
    sleeves: Sequence[Sleeve],
    backtests: Sequence[Backtest],
    *,
    model: SelectionModel = SelectionModel.LIGHTGBM,
    fallback: FallbackOption = "leader",
    seed: int = 0,
) -> SelectionEvidence:
    """Compare the ways of choosing, and say what to choose now.

    Args:
        examples: All decisions.
        walked: What both classifiers said.
        sleeves: The strategies, each traded alone.
        backtests: What became of each way of choosing, in the order of `SelectionRule`.
        model: The classifier that counts, named before anything was seen.
        fallback: What is chosen where it is not better than the equal mix.
        seed: Of the bootstrap.

    Raises:
        ParameterError: Where the fallback is a strategy that is not among those compared.
    """
    returns = np.column_stack([each.returns for each in sleeves])
    picks = choices(examples, walked, model=model, returns=returns)
    own = walk_of(walked, model)
    results = rule_results(backtests, {rule: switches(each) for rule, each in picks.items()}, seed)
    decided = decisions(examples, own, picks[SelectionRule.MODEL])
    known = [each for each in decided if each.best is not None]
    is_better, suspicion = judged(results[0], backtests[0])
    leader = examples.strategies[int(leaders(examples, returns, _newest(examples))[0])]
    strategy, basis, reason = followed(
        decided[-1], examples.strategies, leader, fallback=fallback, is_better=is_better,
        model=model,
    )  # fmt: skip
    return SelectionEvidence(
        strategies=examples.strategies,
        model=model,
        rules=results,
        tallies=tallies(examples, walked, decided, returns, model=model, backtest=backtests[0]),
        decisions=decided,
        regime=examples.regime,
        regime_probabilities=examples.regime_probabilities,
        hit_rate=_mean([each.chosen is each.best for each in known]),
        chance=1.0 / len(examples.strategies),
        mean_rank=_mean([each.rank for each in known]),
        known=len(known),
        fits=own.fits,
        probe=backtests[0].verdict.probe,
        is_better=is_better,
        strategy=strategy,
        basis=basis,
        reason=reason,
        suspicion=suspicion,
    )


def rule_results(
    backtests: Sequence[Backtest], switched: dict[SelectionRule, int], seed: int
) -> tuple[RuleResult, ...]:
    """Set accounts beside the best in hindsight and the equal mix, at equal risk.

    Args:
        backtests: One per rule, in the order of `SelectionRule`.
        switched: How often each rule chose another strategy.
        seed: Of the bootstrap.
    """
    by_rule = dict(zip(SelectionRule, backtests, strict=True))
    curves = {rule: simple_returns(np.array(each.equity)) for rule, each in by_rule.items()}
    risk = float(curves[SelectionRule.MIX].std(ddof=1))
    equal = {rule: at_risk(each, risk) for rule, each in curves.items()}
    year = backtests[0].periods_per_year
    best, mix = equal[SelectionRule.HINDSIGHT], equal[SelectionRule.MIX]
    return tuple(
        RuleResult(
            rule=rule,
            label=rule_label(rule),
            sessions=each.sessions,
            equity=each.equity,
            performance=each.performance,
            annual_turnover=each.annual_turnover,
            switches=switched.get(rule, 0),
            regret=difference(best, equal[rule], periods_per_year=year, seed=seed),
            excess=difference(equal[rule], mix, periods_per_year=year, seed=seed),
        )
        for rule, each in by_rule.items()
    )


def at_risk(returns: FloatArray, deviation: float) -> FloatArray:
    """Bring returns to a deviation per session; those of an account that never moved stay.

    >>> at_risk(np.array([0.01, 0.03]), 0.0282842712474619).round(3).tolist()
    [0.02, 0.06]
    """
    own = float(returns.std(ddof=1)) if returns.size > 1 else 0.0
    return np.asarray(returns * (deviation / own)) if own > 0 else returns


def judged(model: RuleResult, tested: Backtest) -> tuple[bool, str]:
    """Tell whether the model beats the equal mix, and why that is not to be believed, if so."""
    found = model.excess.t_statistic
    if found > SUSPECT_T:
        return False, f"a t-statistic of {found:.1f} over the equal mix is too good to be true"
    if tested.verdict.probe.findings:
        return False, tested.verdict.probe.findings[0].detail
    return found >= NEEDED_T, ""


def followed(
    newest: DecidedPeriod,
    strategies: tuple[StrategyName, ...],
    leader: StrategyName,
    *,
    fallback: FallbackOption,
    is_better: bool,
    model: SelectionModel,
) -> Verdict:
    """Say which strategy follows, what that stands on, and why.

    Args:
        newest: The decision at the newest session.
        strategies: Those compared.
        leader: The one with the most return for its risk so far.
        fallback: What is chosen where the model is not better.
        is_better: Whether it is.
        model: The classifier.

    Raises:
        ParameterError: Where the fallback is a strategy that is not among those compared.
    """
    chance = written(newest.probability, Unit.FRACTION)
    if is_better:
        reason = f"{model_label(model)} gives it {chance} to be the best of the next period, and "
        return newest.chosen, ChoiceBasis.MODEL, f"{reason}beats the equal mix out of sample."
    why = f"{model_label(model)} would choose {title(newest.chosen)} ({chance}) but does not beat "
    why += "the equal mix out of sample"
    if fallback == "none":
        return None, None, f"{why}, so nothing new is chosen."
    if fallback == "leader":
        return leader, ChoiceBasis.LEADER, f"{why}, so the one with the best record so far stands."
    if fallback not in strategies:
        allowed = listed(tuple(each.value for each in strategies))
        raise ParameterError(parameter="fallback", found=fallback, allowed=allowed)
    return StrategyName(fallback), ChoiceBasis.NAMED, f"{why}, so the fallback named stands."


def decisions(
    examples: SelectionExamples, walked: WalkedSelection, picked: IntArray
) -> tuple[DecidedPeriod, ...]:
    """Describe every decision by model, with what came of it where that is known."""
    found = []
    for place, choice in enumerate(picked.tolist(), start=walked.first):
        best, ratios = int(examples.best[place]), examples.ratios[place]
        returns = examples.returns[place]
        found.append(
            DecidedPeriod(
                session=examples.sessions[place],
                regime=examples.regimes[place],
                chosen=examples.strategies[choice],
                probability=float(walked.probabilities[place, choice]),
                best=None if best < 0 else examples.strategies[best],
                chosen_return=float(returns[choice]),
                best_return=math.nan if best < 0 else float(returns[best]),
                mean_return=float(returns.mean()),
                rank=0 if best < 0 else 1 + int((ratios > ratios[choice]).sum()),
            )
        )
    return tuple(found)


def tallies(
    examples: SelectionExamples,
    walked: Sequence[WalkedSelection],
    decided: tuple[DecidedPeriod, ...],
    returns: FloatArray,
    *,
    model: SelectionModel,
    backtest: Backtest,
) -> tuple[StrategyTally, ...]:
    """Count for every strategy how often it was chosen, and how often it was the best."""
    own = walk_of(walked, model).probabilities[-1]
    other = next(each for each in walked if each.kind is not model).probabilities[-1]
    since = returns[examples.first_row + 1 :]
    known = [each for each in decided if each.best is not None]
    return tuple(
        StrategyTally(
            strategy=name,
            probability=float(own[place]),
            rival_probability=float(other[place]),
            chosen=sum(each.chosen is name for each in known),
            best=sum(each.best is name for each in known),
            right=sum(each.chosen is name is each.best for each in known),
            sharpe_ratio=sharpe_ratio(since[:, place], periods_per_year=backtest.periods_per_year),
        )
        for place, name in enumerate(examples.strategies)
    )


def switches(picked: IntArray) -> int:
    """Count how often another one was chosen than before.

    >>> switches(np.array([1, 1, 2, 1]))
    2
    """
    return int((picked[1:] != picked[:-1]).sum())


def _newest(examples: SelectionExamples) -> IntArray:
    return np.array([examples.row.size - 1])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan
