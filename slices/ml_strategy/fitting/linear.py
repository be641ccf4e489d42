"""A ridge regression on standardised features, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.ml_strategy.examples import FeatureMatrix

MOST_DEVIATIONS = 4.0
"""Beyond which a value counts no further: one crash must not make the slope."""

_ALONE = Lock()


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """F coefficients on (value - centre) / scale."""

    coefficients: FloatArray
    centres: FloatArray
    scales: FloatArray


def fitted_line(
    features: FeatureMatrix, label: FloatArray, weight: FloatArray, *, penalty: float
) -> Line:
    """Fit a ridge regression by scikit-learn.

    Args:
        features: R x F; an unknown one counts as the feature's mean.
        label: R ranks.
        weight: R positive weights.
        penalty: On squared coefficients, in units of the weight of all rows: 1 halves the
            coefficient of a feature that is alone and shrinks what many share much less.

    Returns:
        The line; a feature that never varies, or was never known, has the coefficient 0.
    """
    from sklearn.linear_model import Ridge
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    centres, scales = _standard(features, weight)
    values = standardised(features, centres, scales)
    ridge = Ridge(alpha=penalty * float(weight.sum()), solver="cholesky", copy_X=False)
    # Sums depend on how many threads share them, and their number is the whole process's.
    with _ALONE, threadpool_limits(limits=1, user_api="blas"):
        ridge.fit(values, label, sample_weight=weight)
    return Line(coefficients=ridge.coef_.astype(np.float64), centres=centres, scales=scales)


def standardised(features: FeatureMatrix, centres: FloatArray, scales: FloatArray) -> FloatArray:
    """Return (value - centre) / scale, at most 4 either way and 0 where unknown.

    >>> standardised(np.float32([[3.0], [np.nan], [99.0]]), np.ones(1), np.full(1, 2.0)).T
    array([[1., 0., 4.]])
    """
    values = (features - centres) / scales
    np.clip(values, -MOST_DEVIATIONS, MOST_DEVIATIONS, out=values)
    return np.nan_to_num(values, copy=False, nan=0.0)


def line_scores(
    features: FeatureMatrix, *, coefficients: FloatArray, centres: FloatArray, scales: FloatArray
) -> FloatArray:
    """Return R scores, each summed in the same order however many rows there are."""
    values = standardised(features, centres, scales)
    return np.asarray(np.einsum("rf,f->r", values, coefficients), dtype=np.float64)


def _standard(features: FeatureMatrix, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weighted means and deviations of what is known; 0 and 1 where nothing varies."""
    centres, scales = np.zeros(features.shape[1]), np.ones(features.shape[1])
    for place in range(features.shape[1]):
        values = features[:, place].astype(np.float64)
        known = np.isfinite(values)
        total = weight[known].sum()
        if total > 0:
            centres[place] = (values[known] * weight[known]).sum() / total
            spread = (np.square(values[known] - centres[place]) * weight[known]).sum() / total
            scales[place] = np.sqrt(spread) if spread > 0 else 1.0
    return centres, scales
