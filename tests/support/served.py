"""A model of a simulated market with a signal too strong to be true, ready to be asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import LabelSettings, ModelKind, SplitSettings
from slices.domain.models import LoadedModel, ModelBundle, ModelVersion
from slices.domain.parameters import DEFAULT_COSTS
from slices.ml_strategy.features.building import build_features, feature_frame
from slices.ml_strategy.features.catalogue import definition_of
from slices.ml_strategy.fitting.models import fitted
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.monitoring.reference import drift_reference
from slices.ml_strategy.predicting.calibration import fit_calibration
from slices.ml_strategy.skill.judging import skill_of
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.validation.walking import walk_scores
from slices.quant.panel import read_panel
from tests.slices.quant.market import stored
from tests.support.planted import planted

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef

NAMES = ("momentum_21", "momentum_63", "reversal_5", "volatility_21", "rank_momentum_21")
LABEL = LabelSettings()
SPLITS = SplitSettings(folds=4, first_train_sessions=300)
LATER = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Served:
    """Bars, their features, and a model trained on all but the last 60 sessions of them."""

    bars: DatasetRef
    features: FeatureSetRef
    model: LoadedModel


def served(folder: Path, *, strength: float = 0.15, sessions: int = 760) -> Served:
    """Train a linear model on a planted signal and register it nowhere."""
    market = planted(symbols=12, sessions_on=sessions, sessions_off=0, strength=strength)
    closes = {name: market.close[:, i].copy() for i, name in enumerate(market.symbols)}
    bars = stored(folder, market.sessions, closes)
    bundle = trained(bars, sessions - LATER)
    version = ModelVersion(
        name=bundle.name,
        version=3,
        run_id="run",
        digest="digest",
        aliases=("champion",),
        registered_at=dt.datetime(2015, 1, 2, tzinfo=dt.UTC),
    )
    return Served(
        bars=bars,
        features=build_features(bars, names=NAMES),
        model=LoadedModel(version=version, bundle=bundle),
    )


def trained(bars: DatasetRef, stop: int) -> ModelBundle:
    """Train on the first `stop` sessions alone."""
    panel = read_panel(bars).until(stop)
    examples = examples_from(panel, feature_frame(panel, NAMES), LABEL)
    folds = walk_forward_folds(examples, SPLITS, label=LABEL)
    scores = walk_scores(examples, folds, kind=ModelKind.LINEAR, seed=0)
    places = np.arange(examples.row.size)
    return ModelBundle(
        name="planted",
        predictor=fitted(ModelKind.LINEAR, examples, places, seed=0),
        definition=definition_of(NAMES),
        symbols=bars.symbols,
        source=bars.source,
        feed=bars.feed,
        adjustment=str(bars.adjustment),
        data_fingerprint=bars.fingerprint,
        label=LABEL,
        trained_from=panel.sessions[0],
        trained_until=panel.sessions[-1 - LABEL.reach],
        known_until=panel.sessions[-1],
        skill=skill_of(scores, label=LABEL, costs=DEFAULT_COSTS, periods_per_year=252),
        out_of_sample=scores,
        calibration=fit_calibration(scores, label=LABEL),
        drift=drift_reference(examples.features, examples.row, NAMES, seed=0),
        trials=1,
        seed=0,
        code_version="test",
        unknown_shares=np.isnan(examples.features).mean(axis=0),
    )
