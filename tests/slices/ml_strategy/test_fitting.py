"""The kinds of model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from slices.domain.errors import BadDataError, InsufficientHistoryError, ParameterError
from slices.domain.learning import ModelKind
from slices.domain.models import Predictor
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.fitting.linear import fitted_line, standardised
from slices.ml_strategy.fitting.models import (
    contributions_of,
    fitted,
    importances_of,
    scores_of,
)
from slices.ml_strategy.fitting.parameters import completed, default_parameters
from tests.support.planted_examples import planted_examples

SMALL = {
    ModelKind.ALWAYS_EQUAL: (),
    ModelKind.LINEAR: (),
    ModelKind.RANDOM_FOREST: (("feature_share", 0.7), ("trees", 30.0)),
    ModelKind.LIGHTGBM: (("feature_share", 0.7), ("trees", 30.0)),
}
LEARNING = tuple(kind for kind in ModelKind if kind is not ModelKind.ALWAYS_EQUAL)


def learnt(examples: Examples, kind: ModelKind, *, threads: int = 1, seed: int = 1) -> Predictor:
    half = examples.rows_at(np.arange(len(examples.sessions) // 2))
    return fitted(kind, examples, half, parameters=SMALL[kind], seed=seed, threads=threads)


def said(predictor: Predictor, examples: Examples) -> np.ndarray:
    return scores_of(predictor, examples.features, examples.names)


@pytest.fixture(scope="module")
def planted() -> Examples:
    return planted_examples()


@pytest.mark.parametrize("kind", LEARNING)
def test_a_planted_signal_is_found_where_it_was_not_learnt(
    planted: Examples, kind: ModelKind
) -> None:
    scores = said(learnt(planted, kind), planted)
    later = (planted.row > 260) & planted.is_known
    assert spearmanr(scores[later], planted.label[later]).statistic > 0.2


@pytest.mark.parametrize("kind", LEARNING)
def test_what_was_planted_is_what_mattered(planted: Examples, kind: ModelKind) -> None:
    predictor = learnt(planted, kind)
    importances = importances_of(predictor)
    assert importances[0][0] == "feature_0"
    assert sum(share for _, share in importances) == pytest.approx(1.0)
    parts = np.abs(contributions_of(predictor, planted.features, planted.names)).mean(axis=0)
    assert parts.argmax() == 0


@pytest.mark.parametrize("kind", LEARNING)
def test_contributions_and_a_constant_make_the_score(planted: Examples, kind: ModelKind) -> None:
    predictor = learnt(planted, kind)
    parts = contributions_of(predictor, planted.features, planted.names).sum(axis=1)
    constant = said(predictor, planted) - parts
    assert np.ptp(constant) < 1e-9
    assert np.ptp(parts) > 0.01


@pytest.mark.parametrize("kind", LEARNING)
def test_threads_change_nothing(planted: Examples, kind: ModelKind) -> None:
    one, two = (learnt(planted, kind, threads=threads) for threads in (1, 2))
    assert one.booster == two.booster
    assert said(one, planted).tobytes() == said(two, planted).tobytes()


@pytest.mark.parametrize("kind", [ModelKind.RANDOM_FOREST, ModelKind.LIGHTGBM])
def test_another_seed_draws_other_trees(planted: Examples, kind: ModelKind) -> None:
    one, two = (said(learnt(planted, kind, seed=seed), planted) for seed in (1, 2))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("kind", ModelKind)
def test_a_row_is_scored_alike_in_any_company(planted: Examples, kind: ModelKind) -> None:
    predictor = learnt(planted, kind)
    alone = [said(predictor, planted.chosen(np.array([place])))[0] for place in range(7)]
    assert alone == said(predictor, planted)[:7].tolist()


@pytest.mark.parametrize("kind", ModelKind)
def test_what_is_not_known_at_all_is_not_scored(planted: Examples, kind: ModelKind) -> None:
    features = planted.features[:2].copy()
    features[0] = np.nan
    scores = scores_of(learnt(planted, kind), features, planted.names)
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1])


def test_always_equal_ties_everyone(planted: Examples) -> None:
    scores = said(learnt(planted, ModelKind.ALWAYS_EQUAL), planted)
    assert np.unique(scores).tolist() == [0.0]


@pytest.mark.parametrize("kind", ModelKind)
@pytest.mark.parametrize("change", ["swapped", "renamed", "missing"])
def test_other_features_or_another_order_are_refused(
    planted: Examples, kind: ModelKind, change: str
) -> None:
    names = {
        "swapped": (planted.names[1], planted.names[0], *planted.names[2:]),
        "renamed": ("stranger", *planted.names[1:]),
        "missing": planted.names[:-1],
    }[change]
    features = planted.features[:, : len(names)]
    predictor = learnt(planted, kind)
    for asked in (scores_of, contributions_of):
        with pytest.raises(ParameterError):
            asked(predictor, features, names)


def test_the_line_is_the_ridge_of_its_normal_equations(planted: Examples) -> None:
    known = np.flatnonzero(planted.is_known)
    weight = np.random.default_rng(3).uniform(0.5, 1.5, known.size)
    features, label = planted.features[known], planted.label[known]
    line = fitted_line(features, label, weight, penalty=0.5)
    values = standardised(features, line.centres, line.scales)
    means = weight @ values / weight.sum()
    centred, target = values - means, label - weight @ label / weight.sum()
    gram = centred.T @ (centred * weight[:, None]) + 0.5 * weight.sum() * np.eye(6)
    expected = np.linalg.solve(gram, centred.T @ (weight * target))
    np.testing.assert_allclose(line.coefficients, expected, rtol=1e-9)


def test_a_feature_that_never_varies_or_was_never_known_does_nothing(planted: Examples) -> None:
    features = planted.features.copy()
    features[:, 2], features[:, 3] = 7.0, np.nan
    predictor = learnt(replace(planted, features=features), ModelKind.LINEAR)
    assert predictor.coefficients[2:4].tolist() == [0.0, 0.0]
    assert np.isfinite(said(predictor, planted)).all()


@pytest.mark.parametrize("kind", LEARNING)
def test_unknown_labels_teach_nothing(planted: Examples, kind: ModelKind) -> None:
    everything = np.arange(planted.row.size)
    known = np.flatnonzero(planted.is_known)
    assert known.size < everything.size
    one, two = (
        fitted(kind, planted, places, parameters=SMALL[kind], seed=1)
        for places in (everything, known)
    )
    assert said(one, planted).tobytes() == said(two, planted).tobytes()


@pytest.mark.parametrize("kind", LEARNING)
def test_weights_count(planted: Examples, kind: ModelKind) -> None:
    early = planted.row < 125
    flipped = replace(
        planted,
        label=np.where(early, -planted.label, planted.label),
        weight=np.where(early, 0.01, 1.0),
    )
    later = (planted.row > 260) & planted.is_known
    scores = said(learnt(flipped, kind), planted)
    assert spearmanr(scores[later], planted.label[later]).statistic > 0.1


def test_too_few_sessions_are_refused(planted: Examples) -> None:
    with pytest.raises(InsufficientHistoryError) as refused:
        fitted(ModelKind.LINEAR, planted, planted.rows_at(np.arange(59)), seed=1)
    assert (refused.value.needed, refused.value.found) == (60, 59)


def test_infinite_features_are_refused_by_name(planted: Examples) -> None:
    features = planted.features.copy()
    features[100, 4] = np.inf
    with pytest.raises(BadDataError, match="feature_4"):
        learnt(replace(planted, features=features), ModelKind.LIGHTGBM)


def test_parameters_are_completed_and_checked() -> None:
    chosen = completed(ModelKind.LIGHTGBM, (("trees", 9.0), ("leaves", 4.0)))
    assert dict(chosen) == dict(default_parameters(ModelKind.LIGHTGBM)) | {
        "trees": 9.0,
        "leaves": 4.0,
    }
    assert list(chosen) == sorted(chosen)
    with pytest.raises(ParameterError, match="depth"):
        completed(ModelKind.LINEAR, (("depth", 3.0),))
    with pytest.raises(ParameterError, match="penalty"):
        completed(ModelKind.LINEAR, (("penalty", float("nan")),))
