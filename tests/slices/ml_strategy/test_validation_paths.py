"""Paths through combinations of blocks: who scored what, and what is shown of it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.learning import LabelSettings, ModelKind, SplitSettings
from slices.ml_strategy.features.building import build_features
from slices.ml_strategy.fitting.models import fitted, scores_of
from slices.ml_strategy.splits.combinatorial import block_numbers, combinatorial_folds
from slices.ml_strategy.validation.paths import path_scores, walk_paths
from slices.ml_strategy.validation.validating import validate
from tests.slices.quant.market import us_dataset
from tests.support.planted_examples import FIVE_DAYS, planted_examples

EXAMPLES = planted_examples(sessions=402, symbols=8)
SPLITS = SplitSettings(combinatorial_blocks=4)
BLOCKS = np.array_split(np.arange(402), [100, 200, 300])


def scored_by_hand(tested: tuple[int, int]) -> np.ndarray:
    """Sessions x symbols, by a model of what touches neither of the tested blocks."""
    reach, embargo = FIVE_DAYS.reach, SPLITS.embargo_sessions
    allowed = np.ones(402, dtype=bool)
    for block in tested:
        start, stop = BLOCKS[block][0], BLOCKS[block][-1] + 1
        allowed[max(start - reach, 0) : stop + reach + embargo] = False
    train = np.flatnonzero(allowed[EXAMPLES.row] & EXAMPLES.is_known)
    model = fitted(ModelKind.LINEAR, EXAMPLES, train, parameters=(), seed=0)
    return EXAMPLES.matrix(scores_of(model, EXAMPLES.features, EXAMPLES.names))


def test_each_block_is_scored_on_each_path_by_another_model_of_other_blocks() -> None:
    paths = path_scores(EXAMPLES, SPLITS, kind=ModelKind.LINEAR)
    assert len(paths) == 3
    by_hand = {pair: scored_by_hand(pair) for pair in combinations(range(4), 2)}
    for each in paths:
        assert each.sessions == EXAMPLES.sessions
        assert np.isfinite(each.scores).all()
        np.testing.assert_array_equal(each.labels, EXAMPLES.matrix(EXAMPLES.label))
    for number, block in enumerate(BLOCKS):
        used = [
            [pair for pair, found in by_hand.items() if np.allclose(path[block], found[block])]
            for path in (each.scores for each in paths)
        ]
        assert sorted(used) == [[pair] for pair in by_hand if number in pair]


def test_blocks_are_those_that_folds_test() -> None:
    splits = SplitSettings(folds=5)
    numbers = block_numbers(423, splits)
    folds = combinatorial_folds(423, splits, label=FIVE_DAYS)
    for fold, pair in zip(folds, combinations(range(5), 2), strict=True):
        np.testing.assert_array_equal(fold.test, np.flatnonzero(np.isin(numbers, pair)))


def test_threads_change_nothing() -> None:
    few = (("trees", 10.0),)
    one, two = (
        path_scores(
            EXAMPLES, SPLITS, kind=ModelKind.LIGHTGBM, parameters=few, seed=3, threads=count
        )
        for count in (1, 2)
    )
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first.scores, second.scores)


@pytest.mark.parametrize("kind", ["rank", "triple_barrier", "meta"])
def test_every_path_is_judged_like_the_walk_forward(tmp_path: Path, kind: str) -> None:
    bars = us_dataset(tmp_path, symbols=8, sessions=1500)
    features = build_features(bars, names=("momentum_21", "reversal_5", "volatility_21"))
    label = LabelSettings.model_validate({"kind": kind})
    splits = SplitSettings(folds=2, first_train_sessions=750, combinatorial_blocks=4)
    chosen = validate(bars, features, label=label, splits=splits, kind=ModelKind.LINEAR)
    found = walk_paths(bars, features, chosen, label=label, splits=splits)
    assert (found.blocks, found.fits, len(found.paths)) == (4, 6, 3)
    assert len(set(found.coefficients)) == 3
    assert np.isfinite(found.net_sharpe_ratios).all()
    assert max(map(abs, found.coefficients)) < 0.06


def test_without_blocks_or_history_there_are_no_paths() -> None:
    with pytest.raises(ParameterError):
        path_scores(EXAMPLES, SplitSettings(), kind=ModelKind.LINEAR)
    with pytest.raises(InsufficientHistoryError):
        path_scores(
            planted_examples(sessions=80, symbols=4),
            SplitSettings(combinatorial_blocks=8),
            kind=ModelKind.LINEAR,
        )
