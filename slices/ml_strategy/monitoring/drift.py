"""How far the newest window of features lies from what a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError, listed
from slices.ml_strategy.monitoring.distances import (
    CELLS,
    binned,
    cells,
    cumulative,
    ks_distance,
    moves,
    psi,
    quantiles_of_values,
    reference_cumulative,
    shares,
)
from slices.ml_strategy.monitoring.reference import multiples
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.domain.models import DriftReference
    from slices.ml_strategy.examples import FeatureMatrix
    from slices.quant.types import IntArray

MEASURES = ("index", "KS distance", "median", "width")


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowDrift:
    """How far a window lies from training.

    Attributes:
        names: F features.
        psi: F population stability indices.
        ks: F Kolmogorov-Smirnov distances.
        shift: F moves of the median, in widths of training.
        width: F changes of the width, as absolute logarithms.
        multiples: F: the worst of the four as a multiple of its limit; NaN where unknown.
        measures: F names of the measure that is the worst.
        unknown: F shares of unknown values.
        beyond: How many features are beyond their own limit.
        is_alarm: Whether more are than the set allows, or one is too far beyond.
    """

    names: tuple[str, ...]
    psi: FloatArray
    ks: FloatArray
    shift: FloatArray
    width: FloatArray
    multiples: FloatArray
    measures: tuple[str, ...]
    unknown: FloatArray
    beyond: int
    is_alarm: bool

    @property
    def worst(self) -> int:
        """Place of the feature that is farthest off."""
        return int(np.argmax(np.nan_to_num(self.multiples, nan=-1.0)))


def window_drift(
    reference: DriftReference, features: FeatureMatrix, names: tuple[str, ...]
) -> WindowDrift:
    """Compare a window with training.

    Args:
        reference: Of the model.
        features: R x F values of as many sessions as a window has, NaN where unknown; a feature
            of which nothing is known counts as one that stands still.
        names: F features; names and order must be those of the reference.

    Raises:
        ParameterError: Where they are not.
    """
    if names != reference.names:
        wrong = tuple(each for each in names if each not in reference.names)
        raise ParameterError(
            parameter="features",
            found=listed(wrong) or "another order",
            allowed=listed(reference.names),
        )
    counts = _counts(reference, features)
    trained = reference.quantiles[:, [10, 50, 90]]
    now = quantiles_of_values(features)
    found = np.stack(
        [
            psi(reference.shares, shares(binned(counts))),
            ks_distance(reference_cumulative(reference.quantiles), cumulative(counts)),
            *moves(trained, np.where(np.isnan(now), trained[:, 1:2], now)),
        ],
        axis=-1,
    )
    far = multiples(limits_of(reference), found)
    worst = np.argmax(np.nan_to_num(found / limits_of(reference), nan=-1.0), axis=-1)
    beyond = int(np.sum(far > 1))
    largest = float(np.fmax.reduce(far, initial=0.0))
    return WindowDrift(
        names=names,
        psi=found[:, 0],
        ks=found[:, 1],
        shift=found[:, 2],
        width=found[:, 3],
        multiples=far,
        measures=tuple(MEASURES[place] for place in worst),
        unknown=shares(counts)[:, -1],
        beyond=beyond,
        is_alarm=beyond > reference.psi_count_limit or largest > reference.alone_limit,
    )


def _counts(reference: DriftReference, features: FeatureMatrix) -> IntArray:
    """Count values of each feature in the cells of training, F x 103."""
    columns = zip(features.T, reference.quantiles, strict=True)
    counted = [np.bincount(cells(each, line), minlength=CELLS + 1) for each, line in columns]
    return np.asarray(np.stack(counted), dtype=np.int64)


def limits_of(reference: DriftReference) -> FloatArray:
    """Gather the limits of the four measures, F x 4."""
    limits = (
        reference.psi_limits,
        reference.ks_limits,
        reference.shift_limits,
        reference.width_limits,
    )
    return np.stack(limits, axis=-1)
