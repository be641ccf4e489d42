"""Paths through history: every block judged several times, by models of the blocks around it.

Evidence beside the walk-forward. Models here have learnt from sessions after those they are asked
about, so no figure of a path says what could have been traded, and none decides a promotion.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError
from slices.domain.learning import DEFAULT_LABEL, DEFAULT_SPLITS
from slices.domain.parameters import DEFAULT_COSTS
from slices.domain.training import PathEvidence, PathSkill
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.skill.judging import skill_of
from slices.ml_strategy.splits.combinatorial import (
    block_numbers,
    combinatorial_folds,
    combinatorial_paths,
)
from slices.ml_strategy.validation.walking import stitched, walk
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import (
        FeatureSetRef,
        LabelSettings,
        ModelKind,
        OutOfSampleScores,
        SplitSettings,
    )
    from slices.domain.parameters import Costs
    from slices.domain.training import ModelParameters, Validation
    from slices.ml_strategy.examples import Examples
    from slices.ml_strategy.validation.walking import FoldScores
    from slices.quant.types import IntArray


def walk_paths(
    bars: DatasetRef,
    features: FeatureSetRef,
    chosen: Validation,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    costs: Costs = DEFAULT_COSTS,
    seed: int = 0,
) -> PathEvidence:
    """Fit the chosen kind of model to every combination of blocks and judge every path.

    Args:
        bars: The symbols.
        features: Built from these bars.
        chosen: Kind and parameters.
        label: What is predicted.
        splits: Into how many blocks sessions are cut, and the embargo beside those that test.
        costs: Of the portfolio that tests the scores.
        seed: Of everything drawn at random.

    Raises:
        InsufficientHistoryError: Where a block would be shorter than what is left out beside it.
        ParameterError: Where no number of blocks is given.
    """
    examples, panel = examples_of(bars, features, label), read_panel(bars)
    scored = path_scores(
        examples, splits, label=label, kind=chosen.kind, parameters=chosen.parameters, seed=seed
    )
    blocks = _blocks(splits).folds
    year = panel.periods_per_year
    return PathEvidence(
        kind=chosen.kind,
        blocks=blocks,
        fits=blocks * (blocks - 1) // 2,
        paths=tuple(
            PathSkill(
                number=number,
                skill=skill_of(each, label=label, costs=costs, periods_per_year=year, panel=panel),
            )
            for number, each in enumerate(scored, start=1)
        ),
    )


def path_scores(
    examples: Examples,
    splits: SplitSettings,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    kind: ModelKind,
    parameters: ModelParameters = (),
    seed: int = 0,
    threads: int = 1,
) -> tuple[OutOfSampleScores, ...]:
    """Score every session once for each path, by a model that saw nothing of its block.

    Args:
        examples: Of all sessions.
        splits: See `walk_paths`.
        label: What is predicted.
        kind: Of the models.
        parameters: Those that differ from the kind's defaults.
        seed: The same for every fit.
        threads: Fits at once, each by one thread; they change nothing else.

    Returns:
        One less than there are blocks, each over all sessions.
    """
    blocks = _blocks(splits)
    folds = combinatorial_folds(examples, blocks, label=label)
    check_folds(examples, folds)
    walked = walk(examples, folds, kind=kind, parameters=parameters, seed=seed, threads=threads)
    numbers = block_numbers(len(examples.sessions), blocks)
    parts: list[list[FoldScores]] = [[] for _ in range(blocks.folds - 1)]
    for each, ways in zip(walked, combinatorial_paths(blocks), strict=True):
        for block, way in zip(np.unique(numbers[each.fold.test]), ways, strict=True):
            parts[way].append(_part(examples, each, np.flatnonzero(numbers == block)))
    return tuple(stitched(examples, tuple(each), kind=kind) for each in parts)


def _part(examples: Examples, walked: FoldScores, sessions: IntArray) -> FoldScores:
    """Return what the model of a fold said of one of its blocks."""
    marks = np.isin(examples.row[walked.test], sessions)
    return replace(
        walked,
        fold=replace(walked.fold, test=sessions),
        test=walked.test[marks],
        scores=walked.scores[marks],
    )


def _blocks(splits: SplitSettings) -> SplitSettings:
    if splits.combinatorial_blocks is None:
        raise ParameterError(
            parameter="combinatorial_blocks", found="none", allowed="a number of blocks"
        )
    return splits.model_copy(update={"folds": splits.combinatorial_blocks})
