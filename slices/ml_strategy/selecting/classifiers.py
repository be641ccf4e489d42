"""Classifiers of which strategy will be the best of the next period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.selection_parameters import SelectionModel
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.quant.types import IntArray

ROUNDS = 40
PENALTY = 0.02
"""Inverse strength of the logistic ridge penalty: there are few examples and many inputs."""

Probabilities = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scale:
    centre: FloatArray
    width: FloatArray

    def __call__(self, features: FloatArray) -> FloatArray:
        """Standardise; an unknown value counts as the mean."""
        return np.nan_to_num((features - self.centre) / self.width)


def fitted(
    kind: SelectionModel, features: FloatArray, best: IntArray, *, classes: int, seed: int
) -> Probabilities:
    """Fit a classifier to past decisions.

    Both are multinomial and heavily regularised: LightGBM with trees of four leaves, or a logistic
    regression with a ridge penalty on standardised features. LightGBM runs on one thread and in
    its deterministic way, so that equal input gives equal output everywhere.

    Args:
        kind: Which one.
        features: P x F, in order of time; NaN is unknown.
        best: P classes that occurred.
        classes: S, how many there are; one that never occurred keeps a probability of about 0.
        seed: Of the features LightGBM draws.

    Returns:
        A function from Q x F features to Q x S probabilities.
    """
    if kind is SelectionModel.LIGHTGBM:
        return _boosted(features, best, classes=classes, seed=seed)
    return _logistic(features, best, classes=classes)


def _boosted(features: FloatArray, best: IntArray, *, classes: int, seed: int) -> Probabilities:
    import lightgbm

    settings: dict[str, object] = {
        "objective": "multiclass", "num_class": classes, "num_leaves": 4, "min_data_in_leaf": 12,
        "learning_rate": 0.05, "feature_fraction": 0.3, "lambda_l2": 5.0, "num_threads": 1,
        "deterministic": True, "force_row_wise": True, "feature_pre_filter": False,
        "seed": seed % 2**31, "verbosity": -1,
    }  # fmt: skip
    data = lightgbm.Dataset(features, label=best.astype(np.float64), params=settings)
    booster = lightgbm.train(settings, data, num_boost_round=ROUNDS)
    return lambda asked: np.asarray(booster.predict(asked, num_threads=1), dtype=np.float64)


def _logistic(features: FloatArray, best: IntArray, *, classes: int) -> Probabilities:
    from sklearn.linear_model import LogisticRegression

    scale, present = _scale_of(features), np.unique(best)
    if present.size == 1:
        return lambda asked: _spread(np.ones((len(asked), 1)), present, classes)
    model = LogisticRegression(C=PENALTY, max_iter=2000).fit(scale(features), best)
    return lambda asked: _spread(model.predict_proba(scale(asked)), model.classes_, classes)


def _scale_of(features: FloatArray) -> _Scale:
    """Take mean and deviation of what is known; a feature that is unknown or fixed counts as 0."""
    known = np.isfinite(features)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, features, 0.0).sum(axis=0) / count
    square = np.where(known, (features - centre) ** 2, 0.0).sum(axis=0) / count
    width = np.sqrt(square)
    return _Scale(centre=centre, width=np.where(width > 0, width, np.inf))


def _spread(chances: FloatArray, present: IntArray, classes: int) -> FloatArray:
    wide = np.zeros((chances.shape[0], classes))
    wide[:, present] = chances
    return wide
