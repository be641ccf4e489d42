"""Rank correlations of scores and labels, and what their mean stands on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.ml_strategy.labels.ranks import session_ranks
from slices.quant.validity.alpha import long_run_sum

if TYPE_CHECKING:
    from slices.domain.learning import OutOfSampleScores
    from slices.quant.types import FloatArray

FEWEST_SESSIONS = 10


def session_ics(scores: OutOfSampleScores) -> FloatArray:
    """Correlate the ranks of scores and labels within each session; see `rank_correlations`."""
    return rank_correlations(scores.scores, scores.labels)


def rank_correlations(first: FloatArray, second: FloatArray) -> FloatArray:
    """Correlate the ranks of two values across the symbols of each session (Spearman).

    Args:
        first: S x N numbers; NaN where unknown.
        second: S x N likewise.

    Returns:
        S numbers; NaN where fewer than two symbols have both, or all are equal.

    >>> rank_correlations(np.array([[1.0, 2.0, 9.0]]), np.array([[0.1, 0.2, 0.3]])).tolist()
    [1.0]
    """
    both = np.isfinite(first) & np.isfinite(second)
    one, other = (_centred_ranks(np.where(both, each, np.nan)) for each in (first, second))
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    correlations = np.full(first.shape[0], np.nan)
    np.divide((one * other).sum(axis=1), spread, out=correlations, where=spread > 0)
    return correlations


def newey_west_t(values: FloatArray, lags: int) -> float:
    """Divide the mean of dependent values by its standard error, with Bartlett's weights.

    Args:
        values: S numbers in the order of time; NaN are left out.
        lags: How many sessions apart values may depend on each other.

    Returns:
        NaN with fewer than 10 values, or no more than lags and one, and where they do not vary.

    References:
        Newey, West (1987), A Simple, Positive Semi-Definite, Heteroskedasticity and
        Autocorrelation Consistent Covariance Matrix.

    >>> round(newey_west_t(np.tile([1.0, 2.0], 8), 0), 6)
    12.0
    """
    known = values[np.isfinite(values)]
    deviation = long_run_deviation(known, lags)
    return float(known.mean()) / deviation * math.sqrt(known.size) if deviation > 0 else math.nan


def long_run_deviation(known: FloatArray, lags: int) -> float:
    """Estimate the deviation of dependent values that decides how far their mean strays.

    Returns:
        NaN with fewer than 10 values, or no more than lags and one.
    """
    if known.size < max(FEWEST_SESSIONS, lags + 2):
        return math.nan
    total = long_run_sum(known - known.mean(), lags)
    noise = np.finfo(np.float64).eps * float(np.abs(known).max()) * known.size
    return math.sqrt(total / known.size) if math.sqrt(total) > noise else math.nan


def area_under_curve(scores: OutOfSampleScores) -> float:
    """Return how often what came out above its session's median was scored above what did not.

    Scores are compared by their ranks within their session, for only there do they mean the same;
    ties count half, and a label exactly at the median says nothing.

    Returns:
        0.5 where scores know nothing; NaN where there is no label on one of the sides.
    """
    from scipy.stats import rankdata

    ranks = session_ranks(np.where(np.isfinite(scores.labels), scores.scores, np.nan))
    used = np.isfinite(ranks) & (scores.labels != 0.0)
    places, is_above = rankdata(ranks[used]), scores.labels[used] > 0.0
    above, below = int(is_above.sum()), int((~is_above).sum())
    if not above or not below:
        return math.nan
    wins = float(places[is_above].sum()) - above * (above + 1) / 2.0
    return wins / (above * below)


def _centred_ranks(values: FloatArray) -> FloatArray:
    """Rank each row about a mean of 0; 0 where unknown."""
    return np.nan_to_num(session_ranks(values), nan=0.0)
