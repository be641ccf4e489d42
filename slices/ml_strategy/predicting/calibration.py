"""Calibration: how likely, how much, and how far off, as out-of-sample scores have shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.models import Calibration
from slices.ml_strategy.predicting.curves import LEVELS, fitted_curves, logistic, past_of
from slices.ml_strategy.predicting.held_out import SHOWN_LEVELS, held_out

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.quant.types import FloatArray


def fit_calibration(scores: OutOfSampleScores, *, label: LabelSettings) -> Calibration:
    """Fit probabilities, expected returns and residuals to out-of-sample scores.

    What is kept is fitted on every session whose outcome is known. What is said of it, the Brier
    score and the coverages, was measured on later sessions than the fit they are of: blocks, each
    with curves fitted on what was known before it; see `held_out`.

    Args:
        scores: Of sessions the models were not trained on.
        label: What was predicted; outcomes overlap over its reach.

    Raises:
        InsufficientHistoryError: Fewer than 400 returns can be compared with a score.
    """
    past = past_of(scores.scores, scores.labels, scores.forward_returns, scores.volatilities)
    curves = fitted_curves(past, lags=label.horizon_sessions)
    measured = held_out(scores, label=label)
    known = np.flatnonzero(np.isfinite(past.scores + past.scaled).any(axis=1))
    return Calibration(
        slope=curves.slope,
        intercept=curves.intercept,
        expected_slope=curves.expected_slope,
        residuals=curves.residuals,
        levels=LEVELS.copy(),
        brier_score=measured.brier_score,
        coverages=tuple((level, measured.coverage(level)) for level in SHOWN_LEVELS),
        sessions=(scores.sessions[known[0]], scores.sessions[known[-1]]),
    )


def probabilities(calibration: Calibration, standard_scores: FloatArray) -> FloatArray:
    """Return how likely a return above the median of its session is.

    Args:
        calibration: Of the model.
        standard_scores: Of any shape, standardised within a session.
    """
    return logistic(calibration.intercept + calibration.slope * standard_scores)


def interval(
    calibration: Calibration, expected: float, volatility: float, level: float
) -> tuple[float, float]:
    """Return the bounds between which a relative return lies with a probability.

    Args:
        calibration: Of the model.
        expected: Relative return over the horizon.
        volatility: Deviation of a return over the horizon, a fraction.
        level: Probability, in (0, 1).

    >>> import datetime as dt
    >>> day, levels = dt.date(2024, 1, 2), np.array([0.05, 0.5, 0.95])
    >>> fitted = Calibration(slope=0.0, intercept=0.0, expected_slope=0.0, brier_score=0.25,
    ...     residuals=np.array([-2.0, 0.0, 2.0]), levels=levels, coverages=(), sessions=(day, day))
    >>> interval(fitted, 0.01, 0.02, 0.9)
    (-0.03, 0.05)
    """
    lower = quantile(calibration, 0.5 - level / 2)
    upper = quantile(calibration, 0.5 + level / 2)
    return expected + lower * volatility, expected + upper * volatility


def quantile(calibration: Calibration, probability: float) -> float:
    """Return the residual, in units of volatility, below which a share of residuals lie."""
    return float(np.interp(probability, calibration.levels, calibration.residuals))
