"""How long a score tells something about returns: its rank correlation with them by horizon."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.momentum.scores import momentum_scores
from slices.domain.factor_portfolios import HorizonCoefficient
from slices.quant.panel import read_panel
from slices.quant.validity.alpha import long_run_sum, newey_west_lags

if TYPE_CHECKING:
    from slices.adaptive_portfolio.momentum.scores import MomentumRule
    from slices.domain.dataset import DatasetRef
    from slices.quant.types import BoolArray, FloatArray

HORIZONS = (1, 5, 10, 21, 42, 63, 126)
FEWEST_SYMBOLS = 3


def score_decay(
    bars: DatasetRef, *, rule: MomentumRule, horizons: tuple[int, ...] = HORIZONS
) -> tuple[HorizonCoefficient, ...]:
    """Measure what the score at every session told about the returns that followed.

    The returns begin at the close of the next session, where a decision would have been filled.
    """
    panel = read_panel(bars)
    scores = momentum_scores(panel.close, rule, periods_per_year=panel.periods_per_year).score
    return tuple(horizon_coefficient(scores, panel.close, horizon=each) for each in horizons)


def horizon_coefficient(
    scores: FloatArray, closes: FloatArray, *, horizon: int
) -> HorizonCoefficient:
    """Average the rank correlations of one horizon; NaN where there are too few.

    Args:
        scores: T x N, NaN where a symbol is no candidate.
        closes: T x N.
        horizon: Sessions of the return.

    Returns:
        The t-statistic takes at least `horizon` - 1 lags, as returns of neighbouring sessions
        share all but one of their sessions.
    """
    coefficients, symbols = information_coefficients(scores, later_returns(closes, horizon))
    known = coefficients[np.isfinite(coefficients)]
    mean = float(known.mean()) if known.size else math.nan
    error = newey_west_error(known, lags=max(horizon - 1, newey_west_lags(known.size)))
    return HorizonCoefficient(
        horizon_sessions=horizon,
        information_coefficient=mean,
        standard_error=error,
        t_statistic=mean / error if error > 0 else math.nan,
        share_positive=float((known > 0).mean()) if known.size else math.nan,
        sessions=int(known.size),
        average_symbols=float(symbols[np.isfinite(coefficients)].mean()) if known.size else 0.0,
    )


def later_returns(closes: FloatArray, horizon: int) -> FloatArray:
    """Return, at each session, the return from the next session's close over the horizon.

    Returns:
        T x N; NaN where either close is missing or lies beyond the end.

    >>> later_returns(np.array([[1.0], [1.0], [1.5]]), 1).ravel().tolist()
    [0.5, nan, nan]
    """
    returns = np.full(closes.shape, np.nan)
    kept = closes.shape[0] - 1 - horizon
    if kept > 0:
        returns[:kept] = closes[1 + horizon :] / closes[1:-horizon] - 1.0
    return returns


def information_coefficients(
    scores: FloatArray, returns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Correlate the ranks of scores and returns across the symbols of each session (Spearman).

    Returns:
        T coefficients, NaN with fewer than three symbols or where all are equal; and T counts of
        the symbols that have both.

    >>> information_coefficients(np.array([[1.0, 2.0, 3.0]]), np.array([[0.1, 0.2, 0.4]]))[0]
    array([1.])
    """
    from scipy.stats import rankdata

    both = np.isfinite(scores) & np.isfinite(returns)
    counts = both.sum(axis=1).astype(np.float64)
    ranks = [_centred(rankdata(np.where(both, x, np.inf), axis=1), both) for x in (scores, returns)]
    products = (ranks[0] * ranks[1]).sum(axis=1)
    spread = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    usable = (counts >= FEWEST_SYMBOLS) & (spread > 0)
    empty = np.full(counts.shape, np.nan)
    return np.divide(products, spread, out=empty, where=usable), counts


def _centred(ranks: FloatArray, marked: BoolArray) -> FloatArray:
    """Subtract the mean of the marked ranks of each row; 0 elsewhere.

    What is not marked was ranked last, so that the others keep their ranks among themselves.
    """
    kept = np.where(marked, ranks, 0.0)
    counts = np.maximum(marked.sum(axis=1, keepdims=True), 1)
    return np.where(marked, kept - kept.sum(axis=1, keepdims=True) / counts, 0.0)


def newey_west_error(values: FloatArray, *, lags: int) -> float:
    """Estimate the standard error of a mean of dependent values, with Bartlett's weights.

    Args:
        values: T values in the order of time.
        lags: How many sessions apart values may depend on each other.

    Returns:
        NaN with no more values than lags and one.

    References:
        Newey, West (1987), A Simple, Positive Semi-Definite, Heteroskedasticity and
        Autocorrelation Consistent Covariance Matrix.

    >>> newey_west_error(np.array([1.0, -1.0, 1.0, -1.0]), lags=0)
    0.5
    """
    size = values.size
    if size <= lags + 1:
        return math.nan
    return math.sqrt(long_run_sum(values - values.mean(), lags)) / size
