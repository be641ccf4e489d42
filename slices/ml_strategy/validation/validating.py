"""One kind of model, judged where it had not learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import DEFAULT_LABEL, DEFAULT_SPLITS
from slices.domain.parameters import DEFAULT_COSTS
from slices.domain.training import Validation
from slices.ml_strategy.fitting.models import contributions_of, importances_of, ranked
from slices.ml_strategy.fitting.parameters import completed
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.leaks.labels import check_examples
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.skill.judging import fold_skills, skill_of
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.validation.walking import stitched, walk
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef, LabelSettings, ModelKind, SplitSettings
    from slices.domain.parameters import Costs
    from slices.domain.training import ModelParameters, Tuned
    from slices.ml_strategy.examples import Examples
    from slices.ml_strategy.validation.walking import FoldScores
    from slices.quant.panel import Panel

MOST_EXPLAINED_ROWS = 2000


def validate(
    bars: DatasetRef,
    features: FeatureSetRef,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    kind: ModelKind,
    parameters: ModelParameters = (),
    trials: int = 1,
    costs: Costs = DEFAULT_COSTS,
    seed: int = 0,
) -> Validation:
    """Walk a kind of model forward over purged folds and judge what it said.

    Args:
        bars: The symbols.
        features: Built from these bars.
        label: What is predicted.
        splits: How sessions are parted.
        kind: Of the models.
        parameters: Those that differ from the kind's defaults.
        trials: Configurations tried to arrive at them.
        costs: Of the portfolio that tests the scores.
        seed: Of everything drawn at random.

    Raises:
        LeakageError: Where labels are among the features, or a fold trains on what it tests.
        InsufficientHistoryError: Where there are too few sessions for the folds.
    """
    return validated(
        examples_of(bars, features, label), read_panel(bars), label=label, splits=splits,
        kind=kind, parameters=parameters, trials=trials, costs=costs, seed=seed,
    )  # fmt: skip


def validate_tuned(
    bars: DatasetRef,
    features: FeatureSetRef,
    tuned: Tuned,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    costs: Costs = DEFAULT_COSTS,
    seed: int = 0,
) -> Validation:
    """Judge the kind and parameters a search ended with; see `validate`."""
    return validate(
        bars, features, label=label, splits=splits, kind=tuned.kind, parameters=tuned.parameters,
        trials=tuned.count, costs=costs, seed=seed,
    )  # fmt: skip


def validated(
    examples: Examples,
    panel: Panel,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    kind: ModelKind,
    parameters: ModelParameters = (),
    trials: int = 1,
    costs: Costs = DEFAULT_COSTS,
    seed: int = 0,
) -> Validation:
    """Judge a kind of model on examples in memory; see `validate`."""
    check_examples(examples)
    folds = walk_forward_folds(examples, splits, label=label)
    check_folds(examples, folds)
    walked = walk(examples, folds, kind=kind, parameters=parameters, seed=seed)
    scores = stitched(examples, walked, kind=kind)
    year = panel.periods_per_year
    return Validation(
        kind=kind,
        parameters=completed(kind, parameters),
        scores=scores,
        skill=skill_of(scores, label=label, costs=costs, periods_per_year=year, panel=panel),
        folds=fold_skills(
            scores, folds, examples=examples, label=label, costs=costs, periods_per_year=year,
            panel=panel,
        ),
        trials=trials,
        importances=importances_of(walked[-1].predictor),
        contributions=mean_contributions(examples, walked[-1]),
    )  # fmt: skip


def mean_contributions(examples: Examples, walked: FoldScores) -> tuple[tuple[str, float], ...]:
    """Average what each feature added to the scores of a fold's test, either way, largest first.

    Args:
        examples: That were split.
        walked: Of the fold; at most 2,000 of its examples are explained, evenly spaced.
    """
    count = min(MOST_EXPLAINED_ROWS, walked.test.size)
    places = walked.test[np.linspace(0, walked.test.size - 1, count).astype(np.int64)]
    parts = contributions_of(walked.predictor, examples.features[places], examples.names)
    return ranked(examples.names, np.abs(parts).mean(axis=0))
