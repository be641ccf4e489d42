"""Searches for parameters know nothing of what will judge them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.errors import ParameterError
from slices.domain.learning import LabelSettings, ModelKind, SplitSettings
from slices.domain.training import TrialState
from slices.ml_strategy.fitting.parameters import completed, default_parameters
from slices.ml_strategy.tuning.searching import known_before, tuned
from slices.ml_strategy.tuning.spaces import space_of
from tests.support.planted_examples import planted_examples

PLANTED = planted_examples(sessions=420, symbols=6)
SPLITS = SplitSettings(folds=2, first_train_sessions=300)


def test_the_same_seed_searches_alike_and_another_does_not() -> None:
    one, two, three = (
        tuned(PLANTED, splits=SPLITS, kind=ModelKind.LINEAR, trials=6, seed=seed)
        for seed in (3, 3, 4)
    )
    assert one == two
    assert one.trials != three.trials


def test_the_defaults_are_tried_first_and_the_best_is_taken() -> None:
    found = tuned(PLANTED, splits=SPLITS, kind=ModelKind.LINEAR, trials=8, seed=1)
    assert [each.number for each in found.trials] == list(range(8))
    assert found.trials[0].parameters == default_parameters(ModelKind.LINEAR)
    whole = [each for each in found.trials if each.state is TrialState.COMPLETE]
    best = max(whole, key=lambda each: each.value)
    assert found.parameters == best.parameters
    assert best.value > 0.1
    assert found.count == 8


def test_some_trials_are_given_up_on_fewer_folds() -> None:
    found = tuned(PLANTED, splits=SPLITS, kind=ModelKind.LINEAR, trials=20, seed=1)
    given_up = [each for each in found.trials if each.state is TrialState.PRUNED]
    assert found.pruned == len(given_up) > 0
    whole = next(each.folds for each in found.trials if each.state is TrialState.COMPLETE)
    assert all(each.folds < whole for each in given_up)


@pytest.mark.parametrize("kind", [ModelKind.LINEAR, ModelKind.LIGHTGBM])
def test_sessions_that_test_change_nothing(kind: ModelKind) -> None:
    later = PLANTED.last >= 300
    features = PLANTED.features.copy()
    features[PLANTED.row >= 300] *= -9
    other = replace(
        PLANTED, features=features, label=np.where(later, -PLANTED.label, PLANTED.label)
    )
    one, two = (
        tuned(each, splits=SPLITS, kind=kind, trials=2, seed=1) for each in (PLANTED, other)
    )
    assert one == two
    assert one.sessions == 300
    known = replace(PLANTED, label=-PLANTED.label)
    assert tuned(known, splits=SPLITS, kind=kind, trials=2, seed=1).trials != one.trials


def test_labels_that_are_not_known_yet_are_unknown() -> None:
    known = known_before(PLANTED, 300)
    assert len(known.sessions) == 300
    assert known.row.max() == 299
    assert np.array_equal(known.is_known, known.last < 300)


@pytest.mark.parametrize(
    ("kind", "trials", "first"),
    [
        (ModelKind.LINEAR, 0, 300),
        (ModelKind.ALWAYS_EQUAL, 5, 300),
        (ModelKind.LINEAR, 5, 261),
    ],
)
def test_where_nothing_is_tried_the_defaults_are_taken_and_the_reason_given(
    kind: ModelKind, trials: int, first: int
) -> None:
    splits = SplitSettings(folds=2, first_train_sessions=first)
    found = tuned(PLANTED, splits=splits, kind=kind, trials=trials, seed=1)
    assert found.reason
    assert (found.parameters, found.trials) == (default_parameters(kind), ())
    assert found.count == 1


def test_the_least_history_is_enough() -> None:
    splits = SplitSettings(folds=2, first_train_sessions=262)
    assert tuned(PLANTED, splits=splits, kind=ModelKind.LINEAR, trials=1, seed=1).trials
    long = LabelSettings(horizon_sessions=63, entry_lag_sessions=5)
    examples = planted_examples(sessions=600, symbols=6, label=long)
    splits = SplitSettings(folds=2, first_train_sessions=386)
    found = tuned(examples, label=long, splits=splits, kind=ModelKind.LINEAR, trials=1, seed=1)
    assert found.trials[0].folds == 2


@pytest.mark.parametrize("kind", ModelKind)
def test_only_parameters_of_the_kind_are_searched_around_its_defaults(kind: ModelKind) -> None:
    defaults = dict(default_parameters(kind))
    for span in space_of(kind):
        assert span.low <= defaults[span.name] <= span.high
        completed(kind, ((span.name, span.low), (span.name, span.high)))
    with pytest.raises(ParameterError):
        completed(kind, (("stranger", 1.0),))
