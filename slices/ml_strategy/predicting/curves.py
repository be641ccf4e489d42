"""What scores have been worth: the logistic curve, the return per score, and what is left over."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from slices.domain.errors import InsufficientHistoryError
from slices.ml_strategy.predicting.scaling import scaled_returns, standardised
from slices.quant.types import FloatArray
from slices.quant.validity.alpha import long_run_sum

LEVELS = np.arange(1, 400) / 400.0
"""Probabilities at which residuals are kept: from them every interval up to 99.5 % is read."""

FEWEST_RESIDUALS = 400
"""With fewer, the outermost level would lie beyond every residual there is."""

STEPS = 50
STEP_SIZE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """S sessions x N symbols of scores beside what came of them; NaN where not known.

    Attributes:
        scores: Standardised within the session.
        is_above: 1 for a return above the median of the session, 0 below, NaN at it.
        scaled: Relative returns in units of the symbol's volatility.
    """

    scores: FloatArray
    is_above: FloatArray
    scaled: FloatArray

    def between(self, start: int, stop: int) -> Past:
        """Return some of the sessions."""
        part = slice(max(0, start), max(0, stop))
        return Past(
            scores=self.scores[part], is_above=self.is_above[part], scaled=self.scaled[part]
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """See `domain.models.Calibration`, whose first numbers these are."""

    slope: float
    intercept: float
    expected_slope: float
    residuals: FloatArray


def past_of(
    scores: FloatArray, labels: FloatArray, forward_returns: FloatArray, volatilities: FloatArray
) -> Past:
    """Set scores beside outcomes, each S x N with NaN where it is not known."""
    standing = np.where(labels == 0.0, np.nan, np.where(labels > 0.0, 1.0, 0.0))
    return Past(
        scores=standardised(scores),
        is_above=np.where(np.isfinite(labels), standing, np.nan),
        scaled=scaled_returns(forward_returns, volatilities),
    )


def fitted_curves(past: Past, *, lags: int) -> Curves:
    """Fit what scores have been worth.

    Args:
        past: All sessions that may be known.
        lags: Sessions over which outcomes overlap.

    Raises:
        InsufficientHistoryError: Fewer than 400 returns can be compared with a score.
    """
    found = residual_count(past)
    if found < FEWEST_RESIDUALS:
        symbols = past.scores.shape[1]
        raise InsufficientHistoryError(
            symbol=f"a calibration of {symbols} symbols",
            needed=-(-FEWEST_RESIDUALS // max(1, symbols)),
            found=found // max(1, symbols),
        )
    slope, intercept = logistic_curve(past.scores, past.is_above)
    expected = expected_slope(past, lags=lags)
    left_over = past.scaled - expected * past.scores
    return Curves(
        slope=slope,
        intercept=intercept,
        expected_slope=expected,
        residuals=conformal_quantiles(left_over[np.isfinite(left_over)]),
    )


def residual_count(past: Past) -> int:
    """Count the returns that can be compared with a score."""
    return int(np.isfinite(past.scores + past.scaled).sum())


def logistic_curve(scores: FloatArray, outcomes: FloatArray) -> tuple[float, float]:
    """Fit the probability of an outcome by Newton's method (Platt's sigmoid).

    Args:
        scores: Standardised scores of any shape.
        outcomes: 1 or 0, of the same shape; NaN where not known.

    Returns:
        Slope and intercept. A falling curve is not believed: its slope becomes 0.

    References:
        Platt (1999), Probabilistic Outputs for Support Vector Machines.
    """
    known = np.isfinite(scores) & np.isfinite(outcomes)
    x, y = scores[known], outcomes[known]
    slope, intercept = _newton(x, y) if x.size and np.ptp(x) > 0 else (0.0, 0.0)
    if slope > 0:
        return slope, intercept
    share = float(np.clip(y.mean(), 1e-6, 1 - 1e-6)) if y.size else 0.5
    return 0.0, math.log(share / (1 - share))


def _newton(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    design = np.column_stack([x, np.ones_like(x)])
    prior = 1e-6 * x.size * np.eye(2)  # keeps a perfect separation finite
    found = np.zeros(2)
    for _ in range(STEPS):
        chance = logistic(design @ found)
        gradient = design.T @ (y - chance) - prior @ found
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + prior
        step = np.linalg.solve(curvature, gradient)
        found = found + step
        if np.abs(step).max() < STEP_SIZE:
            break
    return float(found[0]), float(found[1])


def logistic(values: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) without overflow.

    >>> logistic(np.array([-1000.0, 0.0])).tolist()
    [0.0, 0.5]
    """
    return 0.5 * (1.0 + np.tanh(0.5 * values))


def expected_slope(past: Past, *, lags: int) -> float:
    """Return what one standardised score has earned, shrunk by how surely that was measured.

    The mean over sessions of each session's slope is multiplied by 1 - 1 / t^2, with the t of
    Newey and West, and is 0 where t is at most 1: the positive part of James and Stein's estimate.

    Returns:
        Relative return over the symbol's volatility, per standardised score; never negative.

    References:
        James, Stein (1961), Estimation with Quadratic Loss; Newey, West (1987).
    """
    known = np.isfinite(past.scores) & np.isfinite(past.scaled)
    x, y = np.where(known, past.scores, 0.0), np.where(known, past.scaled, 0.0)
    weights = np.square(x).sum(axis=1)
    used = weights > 0
    if used.sum() <= lags + 1:
        return 0.0
    slopes = (x * y).sum(axis=1)[used] / weights[used]
    mean = float(slopes.mean())
    error = math.sqrt(long_run_sum(slopes - mean, lags)) / slopes.size
    if mean <= error:
        return 0.0
    shrunk: float = mean * (1.0 - (error / mean) ** 2)
    return shrunk


def conformal_quantiles(residuals: FloatArray) -> FloatArray:
    """Return the residuals that bound new ones with at least the wanted probability.

    Below the middle the k-th smallest of n with k = floor((n + 1) p), above it ceil((n + 1) p):
    of exchangeable residuals a new one then lies within with no less than the level asked for.

    Args:
        residuals: n finite numbers, n at least 399.

    Returns:
        One for each of `LEVELS`, rising.

    References:
        Vovk, Gammerman, Shafer (2005), Algorithmic Learning in a Random World.

    >>> conformal_quantiles(np.arange(1.0, 400.0))[[0, 199, 398]].tolist()
    [1.0, 200.0, 399.0]
    """
    ordered = np.sort(residuals)
    places = (ordered.size + 1) * LEVELS
    lower, upper = np.floor(places + 1e-9), np.ceil(places - 1e-9)
    ranks = np.where(LEVELS < 0.5, lower, upper).astype(np.int64)
    return ordered[np.clip(ranks, 1, ordered.size) - 1]
