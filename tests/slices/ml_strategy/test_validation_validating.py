"""Kinds of model judged where they had not learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.fingerprint import fingerprint
from slices.domain.learning import ModelKind, SplitSettings
from slices.domain.learning_errors import LeakageError
from slices.domain.training import Validation
from slices.ml_strategy.bundles.final import bundle_from, learnable
from slices.ml_strategy.tuning.searching import tuned
from slices.ml_strategy.validation.validating import validated
from slices.runtime.codec import decode, encode
from tests.support.planted_examples import (
    bars_of,
    features_of,
    panel_of_examples,
    planted_examples,
)

PLANTED = planted_examples(symbols=8)
PANEL = panel_of_examples(PLANTED)
SPLITS = SplitSettings(folds=3, first_train_sessions=200)


def judged(kind: ModelKind) -> Validation:
    few = (("trees", 20.0),) if kind in {ModelKind.LIGHTGBM, ModelKind.RANDOM_FOREST} else ()
    return validated(PLANTED, PANEL, splits=SPLITS, kind=kind, parameters=few, trials=3, seed=1)


@pytest.fixture(scope="module")
def line() -> Validation:
    return judged(ModelKind.LINEAR)


def test_a_planted_signal_is_judged_in_every_fold(line: Validation) -> None:
    assert line.skill.information_coefficient > 0.2
    assert [each.number for each in line.folds] == [1, 2, 3]
    assert all(each.skill.information_coefficient > 0.1 for each in line.folds)
    assert line.folds[0].first_session == PLANTED.sessions[200]
    assert line.folds[-1].last_session == PLANTED.sessions[-1]
    assert line.trials == 3
    assert line.skill.suspicions


def test_always_equal_has_no_skill_and_is_no_suspect() -> None:
    found = judged(ModelKind.ALWAYS_EQUAL)
    assert np.isnan(found.skill.information_coefficient)
    assert found.skill.suspicions == ()
    assert {size for _, size in (*found.importances, *found.contributions)} == {0.0}


def test_what_mattered_comes_first(line: Validation) -> None:
    for found in (line, judged(ModelKind.LIGHTGBM)):
        assert found.importances[0][0] == found.contributions[0][0] == "feature_0"
        sizes = [size for _, size in found.contributions]
        assert sizes == sorted(sizes, reverse=True)


def test_labels_among_the_features_are_refused() -> None:
    features = PLANTED.features.copy()
    features[:, 3] = np.nan_to_num(PLANTED.label) * 7
    with pytest.raises(LeakageError, match="feature_3"):
        validated(replace(PLANTED, features=features), PANEL, splits=SPLITS, kind=ModelKind.LINEAR)


def test_the_newest_sessions_alone_are_learnt_where_that_was_asked() -> None:
    everything = learnable(PLANTED, SPLITS)
    assert np.array_equal(everything, np.flatnonzero(PLANTED.is_known))
    newest = learnable(PLANTED, SPLITS.model_copy(update={"train_sessions": 130}))
    assert np.unique(PLANTED.row[newest]).tolist() == list(range(494 - 130, 494))


def test_what_tasks_return_survives_the_cache(line: Validation) -> None:
    tuned_line = tuned(
        PLANTED, splits=SPLITS.model_copy(update={"first_train_sessions": 300}),
        kind=ModelKind.LINEAR, trials=2, seed=1,
    )  # fmt: skip
    bundle = bundle_from(
        PLANTED, line, bars=bars_of(PLANTED), features=features_of(PLANTED), name="planted"
    )
    for value in (line, tuned_line, bundle):
        assert fingerprint(decode(encode(value))) == fingerprint(value)
