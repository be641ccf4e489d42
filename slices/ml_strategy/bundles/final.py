"""The model that is registered: trained on all there is, with what out-of-sample scores taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import DEFAULT_LABEL, DEFAULT_SPLITS
from slices.domain.models import ModelBundle
from slices.ml_strategy.fitting.models import fitted
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.monitoring.reference import drift_reference
from slices.ml_strategy.predicting.calibration import fit_calibration
from slices.runtime.sources import code_version

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef, LabelSettings, SplitSettings
    from slices.domain.training import Validation
    from slices.ml_strategy.examples import Examples
    from slices.quant.types import IntArray


def final_bundle(
    bars: DatasetRef,
    features: FeatureSetRef,
    validation: Validation,
    *,
    name: str,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    seed: int = 0,
) -> ModelBundle:
    """Train the validated kind of model on every session whose label is known.

    Args:
        bars: The symbols.
        features: Built from these bars.
        validation: Kind, parameters and out-of-sample scores.
        name: Of the model in the registry.
        label: What was predicted in the validation.
        splits: Its `train_sessions` limit what is trained on here as well.
        seed: Of everything drawn at random.

    Raises:
        InsufficientHistoryError: Where there are too few sessions, also for the calibration.
    """
    return bundle_from(
        examples_of(bars, features, label), validation,
        bars=bars, features=features, name=name, label=label, splits=splits, seed=seed,
    )  # fmt: skip


def bundle_from(
    examples: Examples,
    validation: Validation,
    *,
    bars: DatasetRef,
    features: FeatureSetRef,
    name: str,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    seed: int = 0,
) -> ModelBundle:
    """Train on examples in memory; see `final_bundle`."""
    places = learnable(examples, splits)
    predictor = fitted(
        validation.kind, examples, places, parameters=validation.parameters, seed=seed
    )
    values, row = examples.features[places], examples.row[places]
    return ModelBundle(
        name=name,
        predictor=predictor,
        definition=features.definition,
        symbols=examples.symbols,
        source=bars.source,
        feed=bars.feed,
        adjustment=bars.adjustment.value,
        data_fingerprint=bars.fingerprint,
        label=label,
        trained_from=examples.sessions[row[0]],
        trained_until=examples.sessions[row[-1]],
        known_until=examples.sessions[-1],
        skill=validation.skill,
        out_of_sample=validation.scores,
        calibration=fit_calibration(validation.scores, label=label),
        drift=drift_reference(values, row, examples.names, seed=seed),
        trials=validation.trials,
        seed=seed,
        code_version=code_version(),
        unknown_shares=np.isnan(values).mean(axis=0, dtype=np.float64),
    )


def learnable(examples: Examples, splits: SplitSettings) -> IntArray:
    """Return the positions of all examples with known labels, or of the newest sessions of them."""
    known = np.flatnonzero(examples.is_known)
    sessions = np.unique(examples.row[known])
    if splits.train_sessions is None:
        return known
    newest = sessions[-splits.train_sessions :]
    return known[np.isin(examples.row[known], newest)]
