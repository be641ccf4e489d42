"""Canaries sing where a training finds what is not there, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slices.domain.learning import (
    DEFAULT_LABEL,
    DEFAULT_SPLITS,
    Canary,
    LabelSettings,
    ModelKind,
    OutOfSampleScores,
    SplitSettings,
)
from slices.domain.learning_errors import CanaryError
from slices.ml_strategy.canaries import running
from slices.ml_strategy.canaries.running import (
    PLANTED,
    check_canaries,
    future_feature,
    random_walk_prices,
    run_canaries,
    shuffled,
    shuffled_labels,
    significance,
)
from slices.ml_strategy.canaries.walks import random_walk
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.features.building import build_features
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.skill.coefficients import newey_west_t, rank_correlations
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.validation.walking import walk_scores
from slices.quant.panel import Panel, read_panel
from slices.runtime.codec import decode, encode
from tests.slices.backtest.market import embedded
from tests.slices.ml_strategy.leaky_features import HONEST, LEAKY, builder, frame_of
from tests.slices.ml_strategy.test_leaks import real
from tests.slices.quant.market import us_dataset

LABEL = LabelSettings()
PLAN = SplitSettings(folds=3, first_train_sessions=300)
NAMES = ("momentum_21", "momentum_252_21", "reversal_5", "volatility_21", "rank_reversal_5")
build = builder(**HONEST)


def walked(examples: Examples) -> OutOfSampleScores:
    folds = walk_forward_folds(examples, PLAN, label=LABEL)
    return walk_scores(examples, folds, kind=ModelKind.LINEAR, seed=0)


def remembering(examples: Examples) -> OutOfSampleScores:
    """A training whose scores are the labels it is tested on."""
    honest = walked(examples)
    return replace(honest, scores=honest.labels + 1e-3 * np.nan_to_num(honest.scores))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return real(700)


@pytest.fixture(scope="module")
def examples(panel: Panel) -> Examples:
    return examples_from(panel, frame_of(panel, HONEST), LABEL)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ModelKind.LIGHTGBM, ModelKind.ALWAYS_EQUAL])
def test_no_canary_sings_in_an_honest_training(tmp_path: Path, kind: ModelKind) -> None:
    bars = us_dataset(tmp_path, symbols=10, sessions=900)
    features = build_features(bars, names=NAMES)
    found = run_canaries(
        bars,
        features,
        label=DEFAULT_LABEL,
        splits=DEFAULT_SPLITS,
        kind=kind,
        parameters=(),
        seed=3,
    )
    assert [each.name for each in found] == ["shuffled_labels", "future_feature", "random_walk"]
    check_canaries(found)
    assert decode(encode(found)) == found


def test_shuffling_keeps_each_session_its_labels(examples: Examples) -> None:
    mixed = shuffled(examples, seed=1)
    for values, others in (
        (examples.label, mixed.label),
        (examples.forward_return, mixed.forward_return),
    ):
        np.testing.assert_array_equal(
            np.sort(examples.matrix(values), axis=1), np.sort(examples.matrix(others), axis=1)
        )
    kept = rank_correlations(examples.matrix(examples.label), examples.matrix(mixed.label))
    assert abs(np.nanmean(kept)) < 0.05
    np.testing.assert_allclose(
        rank_correlations(examples.matrix(mixed.label), examples.matrix(mixed.forward_return))[
            :600
        ],
        1.0,
    )


def test_a_training_that_remembers_its_test_makes_shuffled_labels_sing(examples: Examples) -> None:
    honest = shuffled_labels(examples, walked, label=LABEL, seed=0)
    leaky = shuffled_labels(examples, remembering, label=LABEL, seed=0)
    assert (honest.is_singing, leaky.is_singing) == (False, True)
    with pytest.raises(CanaryError) as raised:
        check_canaries((honest, leaky))
    assert raised.value.names == ("shuffled_labels",)


def test_the_planted_feature_is_caught_and_nothing_else(panel: Panel) -> None:
    found = future_feature(build, panel, seed=0)
    assert not found.is_singing
    assert PLANTED in found.detail


def test_the_canary_sings_where_the_planted_feature_slips_through(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "leaking_features", lambda *args, **options: ())
    assert future_feature(build, panel, seed=0).is_singing


def test_the_canary_sings_where_the_runs_own_features_leak(panel: Panel) -> None:
    leaky = builder(**HONEST, ahead=LEAKY["momentum_ending_tomorrow"])
    assert future_feature(leaky, panel, seed=0).is_singing


def test_a_feature_that_sees_the_future_earns_on_random_walks(panel: Panel) -> None:
    leaky = builder(**HONEST, ahead=LEAKY["two_sessions_ahead"])
    honest = random_walk_prices(build, panel, walked, label=LABEL, seed=0)
    singing = random_walk_prices(leaky, panel, walked, label=LABEL, seed=0)
    assert not honest.is_singing
    assert singing.is_singing
    assert singing.found > 7


@pytest.mark.slow
def test_honest_trainings_find_nothing_on_any_of_many_walks(panel: Panel) -> None:
    found = [
        random_walk_prices(build, panel, walked, label=LABEL, seed=seed).found for seed in range(12)
    ]
    assert max(found) < 3.5


def test_random_walks_tell_nothing_of_what_follows(panel: Panel) -> None:
    largest = 0.0
    for seed in range(20):
        prices = random_walk(panel, seed=seed)
        examples = examples_from(prices, frame_of(prices, {"v": HONEST["volatility_21"]}), LABEL)
        label = examples.matrix(examples.label)
        for values in (HONEST["momentum_20"](prices), HONEST["volatility_21"](prices)):
            t = newey_west_t(rank_correlations(values, label), LABEL.horizon_sessions)
            largest = max(largest, abs(t))
    assert 0.5 < largest < 4.0


def test_random_walks_have_the_shape_of_the_bars() -> None:
    bars = read_panel(embedded("AAPL", "MSFT", "GOOGL", "IBM")).between(2000, 2600)
    prices = random_walk(bars, seed=1)
    assert prices.close.shape == bars.close.shape
    assert (prices.low <= np.minimum(prices.open, prices.close)).all()
    assert (prices.high >= np.maximum(prices.open, prices.close)).all()
    assert (prices.volume > 0).all()
    own, made = (np.nanstd(np.diff(np.log(p.close), axis=0), axis=0) for p in (bars, prices))
    np.testing.assert_allclose(made, own, rtol=0.25)
    assert random_walk(bars.columns([0]), seed=1).close.shape == (600, 1)


def test_scores_that_are_all_equal_find_nothing_and_unknown_ones_are_alarming(
    examples: Examples,
) -> None:
    honest = walked(examples)
    equal = replace(honest, scores=np.ones(honest.scores.shape))
    unknown = replace(honest, scores=np.full(honest.scores.shape, np.nan))
    assert significance(equal, label=LABEL) == 0.0
    assert np.isnan(significance(unknown, label=LABEL))
    assert shuffled_labels(examples, lambda _: unknown, label=LABEL, seed=0).is_singing


def test_the_message_names_every_canary_that_sings() -> None:
    def canary(name: str, *, is_singing: bool) -> Canary:
        return Canary(
            name=name, question="?", found=9.0, allowed="4", is_singing=is_singing, detail=""
        )

    made = tuple(canary(name, is_singing=name != "two") for name in ("one", "two", "three"))
    with pytest.raises(CanaryError) as raised:
        check_canaries(made)
    assert raised.value.names == ("one", "three")
    check_canaries(made[1:2])
