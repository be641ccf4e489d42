"""The kinds of model behind one door: fit, score, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, InsufficientHistoryError, ParameterError, listed
from slices.domain.learning import ModelKind
from slices.domain.models import Predictor
from slices.ml_strategy.fitting import boosters, linear
from slices.ml_strategy.fitting.parameters import completed

if TYPE_CHECKING:
    from slices.domain.training import ModelParameters
    from slices.ml_strategy.examples import Examples, FeatureMatrix
    from slices.quant.types import FloatArray, IntArray

FEWEST_SESSIONS = 60
TREES = frozenset({ModelKind.RANDOM_FOREST, ModelKind.LIGHTGBM})
NOTHING = np.zeros(0)


def fitted(
    kind: ModelKind,
    examples: Examples,
    places: IntArray,
    *,
    parameters: ModelParameters = (),
    seed: int,
    threads: int = 1,
) -> Predictor:
    """Fit a model to the labels of some examples.

    Args:
        kind: Of the model.
        examples: To choose from.
        places: Positions of the examples to learn from; those without a known label are left out.
        parameters: Those that differ from the defaults.
        seed: Of everything drawn at random.
        threads: Of one fit; they change how long it takes and nothing else.

    Raises:
        InsufficientHistoryError: Where labels of fewer than 60 sessions are known.
        BadDataError: Naming features that are infinite somewhere.
    """
    chosen = completed(kind, parameters)
    known = places[examples.is_known[places]]
    _check_learnable(examples, known)
    if kind is ModelKind.ALWAYS_EQUAL:
        return _predictor(kind, examples.names)
    features, label = examples.features[known], examples.label[known]
    weight = examples.weight[known]
    if kind is ModelKind.LINEAR:
        line = linear.fitted_line(features, label, weight, penalty=dict(chosen)["penalty"])
        return _predictor(kind, examples.names, line=line)
    booster = boosters.fitted_booster(
        kind, features, label, weight,
        names=examples.names, parameters=chosen, seed=seed, threads=threads,
    )  # fmt: skip
    return _predictor(kind, examples.names, booster=booster)


def _check_learnable(examples: Examples, known: IntArray) -> None:
    sessions = np.unique(examples.row[known]).size
    if sessions < FEWEST_SESSIONS:
        raise InsufficientHistoryError(symbol="training", needed=FEWEST_SESSIONS, found=sessions)
    wild = np.isinf(examples.features[known]).any(axis=0)
    if wild.any():
        names = tuple(np.array(examples.names)[wild].tolist())
        raise BadDataError(dataset="features", problem=f"infinite values in {listed(names)}")


def _predictor(
    kind: ModelKind, names: tuple[str, ...], *, line: linear.Line | None = None, booster: str = ""
) -> Predictor:
    return Predictor(
        kind=kind,
        names=names,
        booster=booster,
        coefficients=NOTHING if line is None else line.coefficients,
        centres=NOTHING if line is None else line.centres,
        scales=NOTHING if line is None else line.scales,
    )


def scores_of(predictor: Predictor, features: FeatureMatrix, names: tuple[str, ...]) -> FloatArray:
    """Return R scores, higher is better within a session.

    Args:
        predictor: A fitted model.
        features: R x F.
        names: Of the columns, which must be those of the training in the same order.

    Returns:
        NaN for a row of which no feature is known, whatever the kind of model.

    Raises:
        ParameterError: Where names or their order differ.
    """
    _check_names(predictor, features, names)
    if predictor.kind in TREES:
        scores = boosters.booster_scores(predictor.booster, features)
    elif predictor.kind is ModelKind.LINEAR:
        scores = linear.line_scores(
            features,
            coefficients=predictor.coefficients,
            centres=predictor.centres,
            scales=predictor.scales,
        )
    else:
        scores = np.zeros(len(features))
    return np.where(np.isnan(features).all(axis=1), np.nan, scores)


def contributions_of(
    predictor: Predictor, features: FeatureMatrix, names: tuple[str, ...]
) -> FloatArray:
    """Return what each feature added to each score, R x F.

    SHAP values of trees; coefficient times standardised value of a line. With a constant of the
    model they sum to the score.

    Raises:
        ParameterError: Where names or their order differ.
    """
    _check_names(predictor, features, names)
    if predictor.kind in TREES:
        return boosters.booster_contributions(predictor.booster, features)
    if predictor.kind is ModelKind.LINEAR:
        values = linear.standardised(features, predictor.centres, predictor.scales)
        return values * predictor.coefficients
    return np.zeros(features.shape)


def importances_of(predictor: Predictor) -> tuple[tuple[str, float], ...]:
    """Return name and share of what each feature did for the fit, largest first.

    The gain of its splits for trees, the size of its standardised coefficient for a line. All are
    0 where no feature was used.
    """
    sizes = np.zeros(len(predictor.names))
    if predictor.kind in TREES:
        sizes = boosters.booster_gains(predictor.booster)
    elif predictor.kind is ModelKind.LINEAR:
        sizes = np.abs(predictor.coefficients)
    total = sizes.sum()
    return ranked(predictor.names, sizes / total if total > 0 else sizes)


def ranked(names: tuple[str, ...], sizes: FloatArray) -> tuple[tuple[str, float], ...]:
    """Pair names with their sizes, largest first and equal ones by name.

    >>> ranked(("b", "a", "c"), np.array([0.25, 0.25, 0.5]))
    (('c', 0.5), ('a', 0.25), ('b', 0.25))
    """
    return tuple(
        sorted(zip(names, sizes.tolist(), strict=True), key=lambda each: (-each[1], each[0]))
    )


def _check_names(predictor: Predictor, features: FeatureMatrix, names: tuple[str, ...]) -> None:
    if names == predictor.names and features.shape[1] == len(names):
        return
    missing = tuple(name for name in predictor.names if name not in names)
    unknown = tuple(name for name in names if name not in predictor.names)
    parts = [
        f"without {listed(missing)}" if missing else "",
        f"with {listed(unknown)}" if unknown else "",
        "" if missing or unknown else f"{features.shape[1]} columns in another order or number",
    ]
    raise ParameterError(
        parameter="features",
        found=" and ".join(filter(None, parts)),
        allowed=f"the {len(predictor.names)} features of the training in their order",
    )
