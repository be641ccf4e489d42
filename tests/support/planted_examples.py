"""Examples whose labels follow from their features by as much as was asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from slices.domain.bars import Adjustment, BarShape
from slices.domain.dataset import DatasetRef
from slices.domain.fingerprint import fingerprint
from slices.domain.learning import (
    FeatureFamily,
    FeatureSetRef,
    LabelSettings,
    ModelKind,
    SplitSettings,
)
from slices.domain.models import ModelBundle
from slices.ml_strategy.bundles.final import bundle_from
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.fitting.models import fitted, scores_of
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.validation.validating import validated
from slices.ml_strategy.validation.walking import walk_scores
from slices.quant.panel import Panel

FIVE_DAYS = LabelSettings()


def planted_examples(
    sessions: int = 500,
    symbols: int = 12,
    *,
    features: int = 6,
    strength: float = 0.3,
    unknown: float = 0.02,
    seed: int = 0,
    label: LabelSettings = FIVE_DAYS,
) -> Examples:
    """The first two features push the return of the label's interval up and down."""
    random = np.random.default_rng(seed)
    known = random.normal(size=(sessions, symbols, features)).astype(np.float32)
    noise = random.normal(size=(sessions, symbols))
    drift = strength * (known[:, :, 0] - 0.5 * known[:, :, 1]) + noise
    returns = 0.02 * drift
    returns[sessions - label.reach :] = np.nan
    known[random.random(known.shape) < unknown] = np.nan
    ranks = returns.argsort(axis=1).argsort(axis=1) / (symbols - 1) - 0.5
    row = np.repeat(np.arange(sessions), symbols)
    first = dt.date(2000, 1, 3)
    return Examples(
        names=tuple(f"feature_{place}" for place in range(features)),
        symbols=tuple(f"S{place:02d}" for place in range(symbols)),
        sessions=tuple(first + dt.timedelta(days=day) for day in range(sessions)),
        row=row,
        column=np.tile(np.arange(symbols), sessions),
        features=known.reshape(-1, features),
        label=np.where(np.isfinite(returns), ranks, np.nan).ravel(),
        forward_return=returns.ravel(),
        first=row + label.entry_lag_sessions,
        last=row + label.reach,
        weight=np.ones(row.size),
        volatility=np.full(row.size, 0.02),
    )


def planted_bundle(kind: ModelKind, *, trees: float = 20.0, seed: int = 1) -> ModelBundle:
    """A whole model of planted examples, as training makes it."""
    examples = planted_examples(symbols=8)
    splits = SplitSettings(folds=3, first_train_sessions=200)
    few = (("trees", trees),) if kind in {ModelKind.RANDOM_FOREST, ModelKind.LIGHTGBM} else ()
    validation = validated(
        examples, panel_of_examples(examples), splits=splits, kind=kind, parameters=few, seed=seed
    )
    bundle = bundle_from(
        examples, validation, bars=bars_of(examples), features=features_of(examples),
        name="planted", splits=splits, seed=seed,
    )  # fmt: skip
    return replace(bundle, code_version="planted")


def panel_of_examples(examples: Examples, *, seed: int = 0) -> Panel:
    """Closes that have nothing to do with the labels, at the sessions of the examples."""
    shape = (len(examples.sessions), len(examples.symbols))
    steps = np.random.default_rng(seed).normal(0.0, 0.01, shape)
    return Panel(
        symbols=examples.symbols,
        sessions=examples.sessions,
        close=100.0 * np.exp(steps.cumsum(axis=0)),
        periods_per_year=252,
    )


def bars_of(examples: Examples) -> DatasetRef:
    """A reference to bars that are nowhere."""
    return DatasetRef(
        symbols=examples.symbols,
        first_session=examples.sessions[0],
        last_session=examples.sessions[-1],
        rows=examples.row.size,
        shape=BarShape.CLOSE_ONLY,
        adjustment=Adjustment.TOTAL,
        source="test",
        feed="planted",
        calendar="XNYS",
        fingerprint="bars",
        checksum="",
        universe_note="",
        quality=(),
        path="",
    )


def features_of(examples: Examples) -> FeatureSetRef:
    """A reference to features that are nowhere."""
    return FeatureSetRef(
        names=examples.names,
        families=(FeatureFamily.MOMENTUM,) * len(examples.names),
        symbols=examples.symbols,
        first_session=examples.sessions[0],
        last_session=examples.sessions[-1],
        rows=examples.row.size,
        definition="planted features",
        data_fingerprint="bars",
        fingerprint="features",
        checksum="",
        path="",
    )


def learnt_digests(*, threads: int) -> tuple[tuple[str, str], ...]:
    """Digests of what every kind of model says after the same training, and of its files."""
    examples = planted_examples(symbols=8)
    folds = walk_forward_folds(
        examples, SplitSettings(folds=3, first_train_sessions=200), label=FIVE_DAYS
    )
    found = []
    for kind in ModelKind:
        few = (("trees", 20.0),) if kind in {ModelKind.RANDOM_FOREST, ModelKind.LIGHTGBM} else ()
        places = np.arange(examples.row.size)
        predictor = fitted(kind, examples, places, parameters=few, seed=5, threads=threads)
        whole = scores_of(predictor, examples.features, examples.names)
        walked = walk_scores(
            examples, folds, kind=kind, parameters=few, seed=5, threads=threads
        ).scores
        found.append((kind.value, fingerprint(predictor, whole, walked)))
    wide = planted_examples(sessions=3000, features=90)
    line = fitted(ModelKind.LINEAR, wide, np.arange(wide.row.size), seed=5, threads=threads)
    return (*found, ("so many rows that sums are shared", fingerprint(line)))
