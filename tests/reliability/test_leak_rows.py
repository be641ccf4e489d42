"""Row 42 of the fault list: what knows the future stops the run, by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from slices.domain.dataset import DatasetRef
from slices.domain.learning import FeatureSetRef, Fold, LabelSettings, ModelKind, SplitSettings
from slices.domain.learning_errors import CanaryError, LeakageError
from slices.domain.parameters import Costs
from slices.ml_strategy.canaries import running
from slices.ml_strategy.features import building
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.leaks.features import check_features
from slices.ml_strategy.leaks.finding import check_leaks
from slices.ml_strategy.leaks.probing import leaking_features
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.splits.walk_forward import rows_of, walk_forward_folds
from slices.ml_strategy.validation import validating
from slices.quant.panel import Panel, read_panel
from tests.slices.ml_strategy.leaky_features import HONEST, LEAKY, builder, later
from tests.slices.quant.market import us_dataset

LABEL = LabelSettings()
SPLITS = SplitSettings(folds=3, first_train_sessions=300)
NAMES = ("momentum_21", "reversal_5", "volatility_21")
PLANTED = (
    "two_sessions_ahead",
    "back_filled_momentum",
    "momentum_ending_tomorrow",
    "whole_sample_z_score",
)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("bars"), symbols=8, sessions=600)


@pytest.fixture(scope="module")
def features(bars: DatasetRef) -> FeatureSetRef:
    return building.build_features(bars, names=NAMES)


def validated(bars: DatasetRef, features: FeatureSetRef) -> object:
    return validating.validate(
        bars,
        features,
        label=LABEL,
        splits=SPLITS,
        kind=ModelKind.LINEAR,
        parameters=(),
        costs=Costs(),
        seed=0,
    )


@pytest.mark.parametrize("name", PLANTED)
def test_r42_a_feature_that_knows_the_future_is_refused_by_name(
    bars: DatasetRef, name: str
) -> None:
    build = builder(**HONEST, **{name: LEAKY[name]})
    with pytest.raises(LeakageError) as raised:
        check_leaks(leaking_features(build, read_panel(bars)))
    assert raised.value.names == (name,)


def test_r42_a_declared_feature_that_knows_the_future_stops_the_proof(
    bars: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = building.feature_frame

    def leaky(panel: Panel, names: tuple[str, ...]) -> pl.DataFrame:
        rows = honest(panel, names)
        return rows.with_columns(pl.col("reversal_5").shift(-1).over("symbol"))

    monkeypatch.setattr(building, "feature_frame", leaky)
    with pytest.raises(LeakageError) as raised:
        check_features(bars, NAMES)
    assert raised.value.names == ("reversal_5",)


def test_r42_a_label_among_the_features_stops_the_training(
    bars: DatasetRef, features: FeatureSetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, panel = building.read_features, read_panel(bars)
    validated(bars, features)
    label = later(panel.close, LABEL.reach) / later(panel.close, 1)

    def mixed(ref: FeatureSetRef) -> pl.DataFrame:
        return honest(ref).with_columns(pl.Series("momentum_21", label.ravel(), strict=False))

    monkeypatch.setattr(building, "read_features", mixed)
    with pytest.raises(LeakageError) as raised:
        validated(bars, features)
    assert raised.value.names == ("momentum_21",)


def test_r42_a_split_without_its_purge_stops_the_training(
    bars: DatasetRef, features: FeatureSetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpurged(*args: object, **options: object) -> tuple[Fold, ...]:
        honest = walk_forward_folds(*args, **options)
        return tuple(replace(fold, train=np.arange(fold.test[0])) for fold in honest)

    monkeypatch.setattr(validating, "walk_forward_folds", unpurged)
    with pytest.raises(LeakageError) as raised:
        validated(bars, features)
    assert raised.value.names == ("fold 1",)


def test_r42_shuffled_folds_are_refused_by_name(bars: DatasetRef, features: FeatureSetRef) -> None:
    examples = examples_of(bars, features)
    order = np.random.default_rng(0).permutation(len(examples.sessions))
    tests = np.array_split(order, 5)
    folds = tuple(
        Fold(number=n, train=np.setdiff1d(order, test), test=np.sort(test), purged=0, embargoed=0)
        for n, test in enumerate(tests, start=1)
    )
    with pytest.raises(LeakageError) as raised:
        check_folds(examples, folds)
    assert raised.value.names == ("fold 1",)


def test_r42_the_purge_keeps_every_label_from_every_test(
    bars: DatasetRef, features: FeatureSetRef
) -> None:
    examples = examples_of(bars, features)
    for fold in walk_forward_folds(examples, SPLITS, label=LABEL):
        train, test = rows_of(examples, fold)
        assert examples.last[train].max() < examples.row[test].min()
        assert fold.purged == LABEL.reach


def test_r42_a_canary_that_sings_raises_the_alarm(
    bars: DatasetRef, features: FeatureSetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def canaries() -> None:
        running.check_canaries(
            running.run_canaries(
                bars,
                features,
                label=LABEL,
                splits=SPLITS,
                kind=ModelKind.LINEAR,
                parameters=(),
                seed=0,
            )
        )

    canaries()
    monkeypatch.setattr(running, "leaking_features", lambda *args, **options: ())
    with pytest.raises(CanaryError) as raised:
        canaries()
    assert raised.value.names == ("future_feature",)
