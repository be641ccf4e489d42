"""Whether a series comes back to its mean: half-life, unit root test, variance ratio, Hurst."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from slices.quant.types import FloatArray

VARIANCE_RATIO_SESSIONS = 10
HURST_LAGS = 20
NO_DEVIATION = 1e-12
LOWEST_STATISTIC, HIGHEST_STATISTIC = -100.0, 10.0
"""Unit root statistics beyond these have a p-value of 0 or 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Regressions:
    """Least squares of S series, each with a constant.

    Attributes:
        slope: S coefficients of the first regressor.
        error: S standard errors of it.
    """

    slope: FloatArray
    error: FloatArray


def fitted_slopes(outcomes: FloatArray, regressors: FloatArray) -> Regressions:
    """Regress each of S series on its own regressors and a constant; NaN where one does not vary.

    Args:
        outcomes: S x T.
        regressors: S x T x K.
    """
    y = outcomes - outcomes.mean(axis=1, keepdims=True)
    x = regressors - regressors.mean(axis=1, keepdims=True)
    moments = np.swapaxes(x, 1, 2) @ x
    usable = np.isfinite(moments).all(axis=(1, 2)) & (
        np.diagonal(moments, axis1=1, axis2=2).min(axis=1) > NO_DEVIATION**2
    )
    slope, error = np.full(y.shape[0], np.nan), np.full(y.shape[0], np.nan)
    inverse = np.linalg.pinv(moments[usable], hermitian=True)
    coefficients = inverse @ np.swapaxes(x[usable], 1, 2) @ y[usable][:, :, None]
    residuals = y[usable] - (x[usable] @ coefficients)[:, :, 0]
    freedom = x.shape[1] - x.shape[2] - 1
    variance = (residuals**2).sum(axis=1) / freedom
    slope[usable] = coefficients[:, 0, 0]
    error[usable] = np.sqrt(variance * inverse[:, 0, 0])
    return Regressions(slope=slope, error=error)


def half_lives(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Estimate how long half of a deviation from the mean takes to vanish.

    The change of a series is regressed on its level: x[t] - x[t-1] = a + b x[t-1]. An
    Ornstein-Uhlenbeck process seen at whole sessions is such an AR(1) with 1 + b = exp(-speed), so
    the half-life is ln 2 / -ln(1 + b). Its standard error is that of b by the delta method.

    Args:
        series: S x T.

    Returns:
        S half-lives and S standard errors in sessions; NaN unless 0 < 1 + b < 1.

    >>> halving = 0.5 ** np.arange(8.0)[None, :]
    >>> float(half_lives(halving)[0][0].round(9))
    1.0
    """
    fits = fitted_slopes(np.diff(series, axis=1), series[:, :-1, None])
    kept = 1.0 + fits.slope
    reverts = (kept > 0) & (kept < 1)
    speed = -np.log(np.where(reverts, kept, np.nan))
    return math.log(2) / speed, math.log(2) / (kept * speed**2) * fits.error


def adf_lags(changes: int) -> int:
    """Return how many lagged changes the test takes for so many changes.

    References:
        Said, Dickey (1984): lags that grow with the cube root of the sample.

    >>> adf_lags(252)
    6
    """
    return int((changes - 1) ** (1.0 / 3.0) + 1e-9)


def adf_statistics(series: FloatArray) -> FloatArray:
    """Return the augmented Dickey-Fuller t-statistics with a constant and `adf_lags` lags.

    Args:
        series: S x T.

    Returns:
        S statistics; strongly negative where a unit root is unlikely.

    References:
        Dickey, Fuller (1979), Distribution of the estimators for autoregressive time series with
        a unit root.
    """
    changes = np.diff(series, axis=1)
    lags = adf_lags(changes.shape[1])
    kept = changes.shape[1] - lags
    lagged = [changes[:, lags - back : lags - back + kept] for back in range(1, lags + 1)]
    regressors = np.stack([series[:, lags:-1], *lagged], axis=2)
    fits = fitted_slopes(changes[:, lags:], regressors)
    some = fits.error > 0
    empty = np.full(some.shape, np.nan)
    return np.asarray(np.divide(fits.slope, fits.error, out=empty, where=some), dtype=np.float64)


def adf_p_values(statistics: FloatArray) -> FloatArray:
    """Return MacKinnon's approximate p-values of unit root statistics with a constant.

    References:
        MacKinnon (1994), Approximate asymptotic distribution functions for unit-root and
        cointegration tests. Computed by statsmodels.
    """
    from statsmodels.tsa.adfvalues import mackinnonp

    values = [mackinnonp(each, regression="c") if np.isfinite(each) else np.nan
              for each in statistics.tolist()]  # fmt: skip
    return np.array(values, dtype=np.float64)


@lru_cache(maxsize=16)
def adf_critical(largest_p_value: float) -> float:
    """Return the statistic below which the p-value is at most this, to 1e-9, by bisection.

    Comparing statistics with it is much faster than finding the p-value of each.

    >>> round(adf_critical(0.05), 2)
    -2.86
    """
    low, high = LOWEST_STATISTIC, HIGHEST_STATISTIC
    if adf_p_values(np.array([high]))[0] <= largest_p_value:
        return math.inf
    while high - low > 1e-9:
        middle = (low + high) / 2.0
        passes = adf_p_values(np.array([middle]))[0] <= largest_p_value
        low, high = (middle, high) if passes else (low, middle)
    return low


def variance_ratio(series: FloatArray, *, sessions: int = VARIANCE_RATIO_SESSIONS) -> tuple[
    float, float
]:  # fmt: skip
    """Compare the variance of changes over some sessions with that over one.

    Args:
        series: T values.
        sessions: Of the longer change, at least 2.

    Returns:
        The ratio per session, unbiased and of overlapping changes, and its statistic, which is
        standard normal for a random walk even where variance changes; NaN for a constant series.

    References:
        Lo, MacKinlay (1988), Stock market prices do not follow random walks, equations 12 to 20.
    """
    changes = np.diff(series)
    count, mean = changes.size, float(changes.mean())
    centred = changes - mean
    squares = centred**2
    total = float(squares.sum())
    if not total > NO_DEVIATION**2 or count <= sessions:
        return math.nan, math.nan
    longer = series[sessions:] - series[:-sessions] - sessions * mean
    scale = sessions * (count - sessions + 1) * (1.0 - sessions / count)
    ratio = float(longer @ longer) / scale / (total / (count - 1))
    spread = sum(
        (2.0 * (sessions - lag) / sessions) ** 2 * float(squares[lag:] @ squares[:-lag]) / total**2
        for lag in range(1, sessions)
    )
    return ratio, (ratio - 1.0) / math.sqrt(spread)


def hurst_exponent(series: FloatArray, *, most_lags: int = HURST_LAGS) -> float:
    """Return how fast changes grow with their horizon: the slope of the log-log line.

    The deviation of changes over 2 to `most_lags` sessions is regressed on their length. A random
    walk has 0.5, a series that comes back less. A rough estimate: it is biased low in short
    samples and says nothing about significance.

    Args:
        series: T values, more than `most_lags` + 1.
        most_lags: The longest change.

    >>> round(hurst_exponent(np.cumsum(np.random.default_rng(1).normal(size=100_000))), 2)
    0.5
    """
    lags = np.arange(2, most_lags + 1)
    deviations = np.array([np.std(series[lag:] - series[:-lag]) for lag in lags])
    if not (deviations > NO_DEVIATION).all():
        return math.nan
    return float(np.polyfit(np.log(lags), np.log(deviations), 1)[0])
