"""Kinds of model judged where they had not learnt, and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.fingerprint import fingerprint
from slices.domain.learning import ModelKind, SplitSettings
from slices.domain.learning_errors import LeakageError
from slices.domain.report import BarChart, LineChart
from slices.domain.training import Validation
from slices.ml_strategy.bundles.final import bundle_from, learnable
from slices.ml_strategy.skill.coefficients import session_ics
from slices.ml_strategy.tuning.searching import tuned
from slices.ml_strategy.validation.charts import fold_charts, model_charts, running_charts
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
    assert model_charts(found) == ()


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


def test_pictures_show_what_was_judged(line: Validation) -> None:
    importances, contributions, folds, running = model_charts(line)
    assert isinstance(importances, BarChart)
    assert importances.categories[0] == "feature_0"
    assert isinstance(contributions, BarChart)
    assert isinstance(folds, BarChart)
    assert folds.groups[0][1] == tuple(each.skill.information_coefficient for each in line.folds)
    assert isinstance(running, LineChart)
    coefficients = session_ics(line.scores)
    assert running.series[0].y[-1] == pytest.approx(np.nansum(coefficients))
    assert len(running.series[0].x) == np.isfinite(coefficients).sum()
    assert len({each.key for each in (importances, contributions, folds, running)}) == 4


def test_kinds_are_drawn_beside_each_other(line: Validation) -> None:
    kinds = (judged(ModelKind.ALWAYS_EQUAL), line, judged(ModelKind.RANDOM_FOREST))
    (folds,), (running,) = fold_charts(kinds), running_charts(kinds)
    names = ["linear", "random forest"]
    assert [name for name, _ in folds.groups] == names
    assert [each.name for each in running.series] == names
    assert fold_charts(kinds[:1]) == running_charts(kinds[:1]) == ()


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
