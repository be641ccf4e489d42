"""Whether a champion's probabilities and intervals keep what they promise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.model_monitoring import CalibrationWatch, ReliabilityBin
from slices.ml_strategy.monitoring.decay import LAG_REACHES
from slices.ml_strategy.predicting.calibration import probabilities, quantile
from slices.ml_strategy.predicting.curves import past_of
from slices.ml_strategy.skill.coefficients import long_run_deviation

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.domain.models import Calibration
    from slices.quant.types import FloatArray

COIN = 0.25
"""Brier score of saying a half of everything."""

BINS = 8
FEWEST_FORECASTS = 50
"""Forecasts in a bin of the reliability chart; with fewer there are fewer bins."""


def calibration_watch(
    since: OutOfSampleScores,
    calibration: Calibration,
    *,
    label: LabelSettings,
    level: float,
) -> CalibrationWatch:
    """Compare probabilities and intervals with what came true after training.

    Args:
        since: Scores and outcomes at sessions after training; unknown outcomes are left out.
        calibration: Of the model.
        label: What was predicted; errors allow for outcomes that overlap over its reach.
        level: Of the intervals.
    """
    past = past_of(since.scores, since.labels, since.forward_returns, since.volatilities)
    said = probabilities(calibration, past.scores)
    lags = LAG_REACHES * label.reach
    worse, worse_error = clustered_mean(np.square(said - past.is_above) - COIN, lags=lags)
    left_over = past.scaled - calibration.expected_slope * past.scores
    inside = is_inside(left_over, calibration, level=level)
    coverage, coverage_error = clustered_mean(inside, lags=lags)
    return CalibrationWatch(
        sessions=int(np.isfinite(said + past.is_above).any(axis=1).sum()),
        brier_score=COIN + worse,
        brier_t=worse / worse_error if worse_error > 0 else math.nan,
        validated_brier=calibration.brier_score,
        bins=reliability_bins(said, past.is_above),
        level=level,
        coverage=coverage,
        coverage_error=coverage_error,
        validated_coverage=dict(calibration.coverages).get(level, math.nan),
    )


def is_inside(left_over: FloatArray, calibration: Calibration, *, level: float) -> FloatArray:
    """Mark residuals within the interval of a level with 1, others with 0; NaN where unknown."""
    lower, upper = (quantile(calibration, 0.5 + side * level / 2) for side in (-1, 1))
    inside = (left_over >= lower) & (left_over <= upper)
    return np.where(np.isfinite(left_over), inside.astype(np.float64), np.nan)


def clustered_mean(values: FloatArray, *, lags: int) -> tuple[float, float]:
    """Average S x N values of which those of a session depend on each other.

    Args:
        values: NaN where unknown.
        lags: Sessions apart that may depend on each other.

    Returns:
        The mean over sessions of their means, and its standard error; NaN where undefined.
    """
    used = np.isfinite(values).any(axis=1)
    if not used.any():
        return math.nan, math.nan
    means = np.nanmean(values[used], axis=1)
    return float(means.mean()), long_run_deviation(means, lags) / math.sqrt(means.size)


def reliability_bins(said: FloatArray, came: FloatArray) -> tuple[ReliabilityBin, ...]:
    """Gather forecasts of about the same probability, equally many in a bin.

    Args:
        said: Probabilities of any shape.
        came: 1 where it came true, 0 where not, of the same shape; NaN where not known.

    >>> reliability_bins(np.full(60, 0.5), np.tile([0.0, 1.0], 30))
    (ReliabilityBin(probability=0.5, came_true=0.5, forecasts=60),)
    """
    known = np.isfinite(said) & np.isfinite(came)
    order = np.argsort(said[known], kind="stable")
    chances, outcomes = said[known][order], came[known][order]
    bins = min(BINS, chances.size // FEWEST_FORECASTS)
    if bins == 0:
        return ()
    return tuple(
        ReliabilityBin(
            probability=float(chance.mean()), came_true=float(true.mean()), forecasts=chance.size
        )
        for chance, true in zip(
            np.array_split(chances, bins), np.array_split(outcomes, bins), strict=True
        )
    )
