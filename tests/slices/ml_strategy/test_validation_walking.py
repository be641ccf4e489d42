"""Scores of sessions nobody learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.errors import ParameterError
from slices.domain.learning import ModelKind, SplitSettings
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.validation.walking import walk, walk_scores
from tests.support.planted_examples import FIVE_DAYS, planted_examples

SPLITS = SplitSettings(folds=3, first_train_sessions=200)
PLANTED = planted_examples(symbols=8)
FOLDS = walk_forward_folds(PLANTED, SPLITS, label=FIVE_DAYS)
FEW_TREES = (("trees", 20.0),)


def test_every_session_after_the_first_training_has_a_score() -> None:
    found = walk_scores(PLANTED, FOLDS, kind=ModelKind.LINEAR, seed=1)
    assert found.sessions == PLANTED.sessions[200:]
    assert found.scores.shape == (300, 8)
    assert np.isfinite(found.scores).all()
    assert np.isnan(found.labels[-FIVE_DAYS.reach :]).all()
    assert np.unique(found.folds).tolist() == [1, 2, 3]


def test_scores_stand_beside_their_own_labels() -> None:
    found = walk_scores(PLANTED, FOLDS, kind=ModelKind.LINEAR, seed=1)
    where = (PLANTED.row == 321) & (PLANTED.column == 5)
    place = found.sessions.index(PLANTED.sessions[321])
    assert found.labels[place, 5] == PLANTED.label[where][0]
    assert found.forward_returns[place, 5] == PLANTED.forward_return[where][0]
    assert found.volatilities[place, 5] == 0.02


@pytest.mark.parametrize("kind", ModelKind)
def test_folds_fitted_at_once_say_the_same(kind: ModelKind) -> None:
    parameters = FEW_TREES if kind in {ModelKind.LIGHTGBM, ModelKind.RANDOM_FOREST} else ()
    one, two = (
        walk_scores(PLANTED, FOLDS, kind=kind, parameters=parameters, seed=1, threads=threads)
        for threads in (1, 2)
    )
    assert one.scores.tobytes() == two.scores.tobytes()


def test_what_becomes_known_after_a_block_begins_does_not_change_its_scores() -> None:
    begins = int(FOLDS[1].test[0])
    later = PLANTED.last >= begins
    changed = replace(PLANTED, label=np.where(later, -PLANTED.label, PLANTED.label))
    one, two = (
        walk(each, FOLDS[:2], kind=ModelKind.LIGHTGBM, parameters=FEW_TREES, seed=1)
        for each in (PLANTED, changed)
    )
    assert [each.scores.tobytes() for each in one] == [each.scores.tobytes() for each in two]
    known_later = PLANTED.last >= begins - SPLITS.embargo_sessions - FIVE_DAYS.reach
    changed = replace(PLANTED, label=np.where(known_later, -PLANTED.label, PLANTED.label))
    other = walk(changed, FOLDS[1:2], kind=ModelKind.LIGHTGBM, parameters=FEW_TREES, seed=1)
    assert other[0].scores.tobytes() != one[1].scores.tobytes()


def test_a_session_tested_twice_is_refused() -> None:
    twice = (FOLDS[0], FOLDS[1], replace(FOLDS[1], number=3))
    with pytest.raises(ParameterError):
        walk_scores(PLANTED, twice, kind=ModelKind.LINEAR, seed=1)
