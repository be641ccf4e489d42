"""How likely the best trial is only the luckiest of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.studies import OverfittingEvidence
from slices.optimize.trials import Trials, scores
from slices.quant.panel import read_panel
from slices.quant.returns import equity_returns
from slices.quant.signals.catalogue import strategy
from slices.quant.simulation.sweep_ways import SweepAccount, engine_sleeves
from slices.quant.validity.overfitting import Overfitting, overfitting_from_blocks
from slices.quant.validity.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe_ratio,
    sharpe_variance_of,
)

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.quant.types import BoolArray, FloatArray

GROUPS = (16, 14, 12, 10, 8, 6, 4, 2)
"""Blocks of history that are recombined: as many as `MOST_RANKED` and the history allow."""

MOST_RANKED = 60_000_000
"""Ratios that may be ranked over all splits, which takes about a second."""


def overfitting_evidence(
    bars: DatasetRef, trials: Trials, *, validation: Trials
) -> OverfittingEvidence:
    """Deflate the best Sharpe ratio and estimate the probability of overfitting.

    Args:
        bars: What the trials were made on.
        trials: All of them: what is not counted here is not deflated for.
        validation: Those of points that were set before any was scored. They are what is chosen
            among, and how they spread is what luck could do: trials that were sought out where
            ratios are high are alike.
    """
    own = scores(trials)
    periods = trials.sweep.periods_per_year
    best = int(np.nanargmax(own))
    variance = sharpe_variance_of(scores(validation) / math.sqrt(periods)) or 0.0
    whole = np.asarray(np.isfinite(validation.sweep.block_squares).all(axis=1))
    combined = _combined(validation, whole)
    return OverfittingEvidence(
        trials=own.size,
        best_sharpe=float(own[best]),
        expected_maximum_sharpe=math.sqrt(periods)
        * expected_maximum_sharpe_ratio(trials=own.size, trial_variance=variance),
        deflated_sharpe_ratio=deflated_sharpe_ratio(
            trial_returns(bars, trials, best), trials=own.size, trial_variance=variance
        ),
        probability_of_overfitting=combined.probability if combined else math.nan,
        probability_of_loss=combined.probability_of_loss if combined else math.nan,
        groups=combined.blocks if combined else 0,
        splits=combined.logits.size if combined else 0,
        left_out=int((~whole).sum()),
        reason=combined.reason if combined else "there are no two trials or blocks to compare",
    )


def trial_returns(bars: DatasetRef, trials: Trials, number: int) -> FloatArray:
    """Simulate one trial by the engine and return its returns, net of costs."""
    plan = trials.plan
    account = SweepAccount(
        panel=read_panel(bars),
        strategy=strategy(plan.space.strategy),
        costs=plan.costs,
        capital=plan.capital,
        first=plan.first,
        ends=np.empty(0, dtype=np.int64),
    )
    (parameters,) = plan.space.configurations(trials.points[[number]])
    sleeves = engine_sleeves(account, parameters)
    return equity_returns(np.sum([each.equity for each in sleeves], axis=0))


def _combined(trials: Trials, whole: BoolArray) -> Overfitting | None:
    """Recombine blocks of history; None where there are fewer than two trials to compare."""
    count, blocks = int(whole.sum()), trials.sweep.block_lengths.size
    fitting = [
        each
        for each in GROUPS
        if each <= blocks and math.comb(each, each // 2) * count <= MOST_RANKED
    ]
    if count < 2 or not fitting:
        return None
    edges = np.linspace(0, blocks, fitting[0] + 1).astype(int)[:-1]
    return overfitting_from_blocks(
        np.add.reduceat(trials.sweep.block_sums[whole], edges, axis=1),
        np.add.reduceat(trials.sweep.block_squares[whole], edges, axis=1),
        np.add.reduceat(trials.sweep.block_lengths, edges),
    )
