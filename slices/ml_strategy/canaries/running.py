"""Canaries: a training on what holds no signal must find none, and a leak must be caught.

They go the way of the run itself, with its features, its kind of model and its splits, on a part of
the bars small enough to be done every time.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.learning import Canary, SplitSettings
from slices.domain.learning_errors import CanaryError
from slices.domain.parameters import DEFAULT_COSTS
from slices.ml_strategy.canaries.walks import random_walk
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.leaks.features import newest
from slices.ml_strategy.leaks.probing import leaking_features
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.skill.coefficients import newey_west_t, session_ics
from slices.ml_strategy.skill.portfolio import long_short
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef, LabelSettings, ModelKind, OutOfSampleScores
    from slices.domain.training import ModelParameters
    from slices.ml_strategy.examples import Examples
    from slices.quant.panel import Panel

MOST_T = 4.0
FOLDS = 3
MOST_SESSIONS = 1500
PROBED_SESSIONS = 500
PROBED_CUTS = 2
AHEAD = 2
PLANTED = "return_two_sessions_ahead"


def run_canaries(
    bars: DatasetRef,
    features: FeatureSetRef,
    *,
    label: LabelSettings,
    splits: SplitSettings,
    kind: ModelKind,
    parameters: ModelParameters,
    seed: int,
) -> tuple[Canary, ...]:
    """Train on shuffled labels and on random walks, and look for a planted leak.

    Args:
        bars: The newest 1,500 sessions of up to 20 symbols are used.
        features: That were built from them.
        label: What is predicted.
        splits: Of the run; the canaries use three test blocks over the newer half.
        kind: Of the models.
        parameters: Of the models.
        seed: Of everything that is drawn.

    Returns:
        Three canaries; `check_canaries` raises where one sings.
    """
    from slices.ml_strategy.features.building import feature_frame, read_features
    from slices.ml_strategy.validation.walking import walk_scores

    panel = newest(read_panel(bars), sessions=MOST_SESSIONS)
    build = partial(feature_frame, names=features.names)
    stored = read_features(features).filter(
        pl.col("session") >= panel.sessions[0], pl.col("symbol").is_in(panel.symbols)
    )
    chosen = _splits(len(panel.sessions), splits)

    def walked(examples: Examples) -> OutOfSampleScores:
        folds = walk_forward_folds(examples, chosen, label=label)
        check_folds(examples, folds)
        return walk_scores(examples, folds, kind=kind, parameters=parameters, seed=seed)

    return (
        shuffled_labels(examples_from(panel, stored, label), walked, label=label, seed=seed),
        future_feature(build, panel, seed=seed),
        random_walk_prices(build, panel, walked, label=label, seed=seed),
    )


def check_canaries(canaries: tuple[Canary, ...]) -> None:
    """Check that no canary sings.

    Raises:
        CanaryError: Naming those that do, with what they found and what is allowed.
    """
    singing = tuple(each for each in canaries if each.is_singing)
    if singing:
        raise CanaryError(
            names=tuple(each.name for each in singing),
            problem="; ".join(
                f"{each.name} found {each.found:.2f}, allowed is {each.allowed}" for each in singing
            ),
        )


def shuffled_labels(
    examples: Examples,
    walked: Callable[[Examples], OutOfSampleScores],
    *,
    label: LabelSettings,
    seed: int,
) -> Canary:
    """Permute labels among the symbols of each session: nothing can be learnt from them.

    Args:
        examples: With honest labels.
        walked: Trains on examples and scores them out of sample.
        label: What is predicted.
        seed: Of the permutations.
    """
    found = significance(walked(shuffled(examples, seed=seed)), label=label)
    return Canary(
        name="shuffled_labels",
        question="Is skill found where labels say nothing?",
        found=found,
        allowed=f"a t-statistic within {MOST_T:g} of zero",
        is_singing=not abs(found) <= MOST_T,
        detail="labels permuted among the symbols of each session, then trained and tested",
    )


def future_feature(build: Callable[[Panel], pl.DataFrame], panel: Panel, *, seed: int) -> Canary:
    """Add a feature that sees two sessions ahead: the leak check must name it, and nothing else.

    Args:
        build: The features of the run.
        panel: Bars; the newest 500 sessions are used.
        seed: Of the places where the future is changed.
    """
    probed = newest(panel, sessions=PROBED_SESSIONS)
    leaks = leaking_features(
        partial(with_future_feature, build), probed, cuts=PROBED_CUTS, seed=seed
    )
    names = tuple(each.name for each in leaks)
    return Canary(
        name="future_feature",
        question="Is a feature that sees the future caught by name?",
        found=float(len(names)),
        allowed=f"exactly one leak, {PLANTED}",
        is_singing=names != (PLANTED,),
        detail=f"caught: {', '.join(names) or 'nothing'}",
    )


def random_walk_prices(
    build: Callable[[Panel], pl.DataFrame],
    panel: Panel,
    walked: Callable[[Examples], OutOfSampleScores],
    *,
    label: LabelSettings,
    seed: int,
) -> Canary:
    """Train on prices that follow nothing: neither skill nor profit may come of it.

    Args:
        build: The features of the run.
        panel: Whose shape and deviations the simulated prices have.
        walked: Trains on examples and scores them out of sample.
        label: What is predicted.
        seed: Of the prices.
    """
    prices = random_walk(panel, seed=seed)
    scores = walked(examples_from(prices, build(prices), label))
    skill, profit = significance(scores, label=label), _profit(scores, prices, label=label)
    found = float(np.max((abs(skill), profit)))
    return Canary(
        name="random_walk",
        question="Is anything earned where prices follow nothing?",
        found=found,
        allowed=f"t-statistics of skill and of net profit of {MOST_T:g} at most",
        is_singing=not found <= MOST_T,
        detail=f"simulated prices, t-statistic of skill {skill:.2f}, of net profit {profit:.2f}",
    )


def significance(scores: OutOfSampleScores, *, label: LabelSettings) -> float:
    """Return the t-statistic of the mean rank correlation, over labels that do not overlap.

    Errors that are estimated from overlapping labels are too small now and then: over 60 random
    walks such t-statistics had a deviation of 1.3, these have one of 1.04. A canary that sings
    without a reason would stop a run.

    Returns:
        0 where all scores of every session are equal: these say nothing. NaN where it is unknown.
    """
    known = np.isfinite(scores.scores)
    highest = np.where(known, scores.scores, -np.inf).max(axis=1)
    lowest = np.where(known, scores.scores, np.inf).min(axis=1)
    if known.any() and bool((highest <= lowest).all()):
        return 0.0
    return newey_west_t(session_ics(scores)[:: label.reach], 0)


def shuffled(examples: Examples, *, seed: int) -> Examples:
    """Permute the known labels and returns of each session among its symbols."""
    random = np.random.default_rng(seed)
    known = np.flatnonzero(examples.is_known)
    order = np.lexsort((random.random(known.size), examples.row[known]))
    label, returns = examples.label.copy(), examples.forward_return.copy()
    # Examples are sorted by session, so the permuted ones stay within theirs.
    label[known] = examples.label[known[order]]
    returns[known] = examples.forward_return[known[order]]
    return replace(examples, label=label, forward_return=returns)


def with_future_feature(build: Callable[[Panel], pl.DataFrame], panel: Panel) -> pl.DataFrame:
    """Add the return of the next two sessions to the features of a panel."""
    ahead = np.full(panel.close.shape, np.nan)
    ahead[:-AHEAD] = panel.close[AHEAD:] / panel.close[:-AHEAD] - 1.0
    days = np.array(panel.sessions, dtype="datetime64[D]")
    planted = pl.DataFrame(
        {
            "session": np.repeat(days, len(panel.symbols)),
            "symbol": list(panel.symbols) * len(days),
            PLANTED: ahead.ravel(),
        }
    ).with_columns(pl.col("session").cast(pl.Date))
    return build(panel).join(planted, on=["session", "symbol"], how="left")


def _profit(scores: OutOfSampleScores, prices: Panel, *, label: LabelSettings) -> float:
    """Return the t-statistic of the test portfolio's net returns; 0 where nothing was held."""
    traded = long_short(scores, prices, label=label, costs=DEFAULT_COSTS)
    if not traded.annual_turnover > 0.0:
        return 0.0
    years = traded.net_returns.size / prices.periods_per_year
    return traded.net_sharpe_ratio * math.sqrt(years)


def _splits(sessions: int, splits: SplitSettings) -> SplitSettings:
    return SplitSettings(
        folds=FOLDS,
        first_train_sessions=max(120, sessions // 2),
        embargo_sessions=splits.embargo_sessions,
    )
