"""Skill: one page of figures for scores, over all sessions and by fold."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import FoldSkill, OutOfSampleScores, Skill
from slices.ml_strategy.skill.coefficients import (
    area_under_curve,
    long_run_deviation,
    newey_west_t,
    session_ics,
)
from slices.ml_strategy.skill.portfolio import hit_rate, long_short
from slices.ml_strategy.skill.suspicion import suspicions
from slices.ml_strategy.splits.walk_forward import rows_of

if TYPE_CHECKING:
    from slices.domain.learning import Fold, LabelSettings
    from slices.domain.parameters import Costs
    from slices.ml_strategy.examples import Examples
    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray


def skill_of(
    scores: OutOfSampleScores,
    *,
    label: LabelSettings,
    costs: Costs,
    periods_per_year: int,
    panel: Panel | None = None,
) -> Skill:
    """Judge scores by the labels and returns that followed.

    Args:
        scores: Of sessions the model was not trained on.
        label: What was predicted; its horizon is how far labels overlap.
        costs: Of the test portfolio.
        periods_per_year: Sessions in a year.
        panel: Bars the test portfolio is simulated on; without them its figures are NaN.

    Returns:
        Scores that are all equal within a session have no rank correlation there, and hold
        nothing: such figures are NaN.

    Raises:
        BadDataError: Where the panel lacks a session or a symbol of the scores.
    """
    coefficients = session_ics(scores)
    known = coefficients[np.isfinite(coefficients)]
    spread = long_run_deviation(known, label.horizon_sessions)
    mean = float(known.mean()) if known.size else math.nan
    skill = Skill(
        sessions=_judged_sessions(scores),
        information_coefficient=mean,
        icir=mean / spread * math.sqrt(periods_per_year) if spread > 0 else math.nan,
        t_statistic=newey_west_t(coefficients, label.horizon_sessions),
        auc=area_under_curve(scores),
        hit_rate=hit_rate(scores, label=label),
        gross_sharpe_ratio=math.nan,
        net_sharpe_ratio=math.nan,
        annual_turnover=math.nan,
    )
    if panel is not None and scores.sessions:
        traded = long_short(scores, panel, label=label, costs=costs)
        skill = replace(
            skill,
            gross_sharpe_ratio=traded.gross_sharpe_ratio,
            net_sharpe_ratio=traded.net_sharpe_ratio,
            annual_turnover=traded.annual_turnover,
        )
    return replace(skill, suspicions=suspicions(skill))


def fold_skills(
    scores: OutOfSampleScores,
    folds: tuple[Fold, ...],
    *,
    examples: Examples,
    label: LabelSettings,
    costs: Costs,
    periods_per_year: int,
    panel: Panel | None = None,
) -> tuple[FoldSkill, ...]:
    """Judge the scores of each fold, and say on how many examples they stand.

    Args:
        scores: With the numbers of the folds.
        folds: That the scores come from.
        examples: That were split.
        label: What was predicted.
        costs: Of the test portfolio.
        periods_per_year: Sessions in a year.
        panel: Bars the test portfolio is simulated on, if any.
    """
    found = []
    for fold in folds:
        part = scores_at(scores, scores.folds == fold.number)
        train, test = rows_of(examples, fold)
        found.append(
            FoldSkill(
                number=fold.number,
                first_session=examples.sessions[int(fold.test[0])],
                last_session=examples.sessions[int(fold.test[-1])],
                train_rows=train.size,
                test_rows=test.size,
                purged_sessions=fold.purged,
                skill=skill_of(
                    part, label=label, costs=costs, periods_per_year=periods_per_year, panel=panel
                ),
            )
        )
    return tuple(found)


def scores_at(scores: OutOfSampleScores, chosen: BoolArray) -> OutOfSampleScores:
    """Return the scores of some of their sessions.

    Args:
        scores: S sessions.
        chosen: S marks.
    """
    return replace(
        scores,
        sessions=tuple(compress(scores.sessions, chosen)),
        scores=scores.scores[chosen],
        labels=scores.labels[chosen],
        forward_returns=scores.forward_returns[chosen],
        volatilities=scores.volatilities[chosen],
        folds=scores.folds[chosen],
    )


def _judged_sessions(scores: OutOfSampleScores) -> int:
    both = np.isfinite(scores.scores) & np.isfinite(scores.labels)
    return int((both.sum(axis=1) >= 2).sum())
