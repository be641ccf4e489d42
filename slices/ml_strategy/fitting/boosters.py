"""Trees by LightGBM: gradient boosting and random forests, kept as its own text.

One seed gives one text, whatever the number of threads and in every process. The text says nothing
of threads: the settings LightGBM appends are left out, it does not need them to predict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import ModelKind

if TYPE_CHECKING:
    import lightgbm

    from slices.domain.training import ModelParameters
    from slices.ml_strategy.examples import FeatureMatrix
    from slices.quant.types import FloatArray

BINS = 63
SMALLEST_LEAF_ROWS = 5
SETTINGS_BEGIN = "\nparameters:\n"


def fitted_booster(
    kind: ModelKind,
    features: FeatureMatrix,
    label: FloatArray,
    weight: FloatArray,
    *,
    names: tuple[str, ...],
    parameters: ModelParameters,
    seed: int,
    threads: int,
) -> str:
    """Fit trees to ranks by least squares.

    Args:
        kind: Boosting or a forest.
        features: R x F; NaN goes where it did best in training.
        label: R ranks.
        weight: R positive weights.
        names: F features.
        parameters: All of the kind's.
        seed: Of the rows and features each tree sees.
        threads: LightGBM's own; one is fastest where others compute at the same time.

    Returns:
        The model in LightGBM's own format.
    """
    import lightgbm

    chosen = dict(parameters)
    settings = _settings(kind, chosen, rows=len(label), seed=seed, threads=threads)
    rows = lightgbm.Dataset(
        features, label, weight=weight, feature_name=list(names), params=settings
    )
    trained = lightgbm.train(settings, rows, num_boost_round=round(chosen["trees"]))
    text = str(trained.model_to_string())
    return text.partition(SETTINGS_BEGIN)[0] + "\n"


def _settings(
    kind: ModelKind, chosen: dict[str, float], *, rows: int, seed: int, threads: int
) -> dict[str, object]:
    return {
        "objective": "regression",
        "boosting": "rf" if kind is ModelKind.RANDOM_FOREST else "gbdt",
        "learning_rate": chosen.get("learning_rate", 1.0),
        "num_leaves": max(2, round(chosen["leaves"])),
        "min_data_in_leaf": max(SMALLEST_LEAF_ROWS, round(chosen["leaf_share"] * rows)),
        "feature_fraction": min(1.0, chosen["feature_share"]),
        "bagging_fraction": min(0.99, chosen["row_share"]),
        "bagging_freq": 1,
        "max_bin": BINS,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "seed": seed % 2**31,
        "verbose": -1,
    }


def booster_scores(text: str, features: FeatureMatrix) -> FloatArray:
    """Return R scores, each dependent on its own row alone."""
    return np.asarray(_opened(text).predict(features, num_threads=1), dtype=np.float64)


def booster_contributions(text: str, features: FeatureMatrix) -> FloatArray:
    """Return what each feature added to each score, R x F: SHAP values.

    LightGBM sums them over the trees of a forest, whose score is the mean over them.
    """
    booster = _opened(text)
    parts = np.asarray(booster.predict(features, pred_contrib=True, num_threads=1))
    trees = booster.num_trees() if "\naverage_output\n" in text else 1
    return np.asarray(parts[:, :-1] / trees, dtype=np.float64)


def booster_gains(text: str) -> FloatArray:
    """Return F sums of what splitting by each feature gained."""
    gains = _opened(text).feature_importance(importance_type="gain")
    return np.asarray(gains, dtype=np.float64)


def _opened(text: str) -> lightgbm.Booster:
    """Read a model; its text must be one that was fitted here or proven, as a cut one is fatal."""
    import lightgbm

    return lightgbm.Booster(model_str=text)
