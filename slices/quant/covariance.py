"""Covariances of returns and what can be told from them.

Everything takes simple returns of T sessions x N symbols without NaN and gives covariances per
session; multiply by the sessions of a year to annualize.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, InsufficientHistoryError

if TYPE_CHECKING:
    from slices.quant.types import FloatArray


def check_returns(returns: FloatArray, *, needed: int = 2) -> FloatArray:
    """Check that returns are a finite matrix with enough rows, and return them as float64.

    Raises:
        BadDataError: Where the array is not a matrix or holds NaN or infinities.
        InsufficientHistoryError: With fewer than `needed` rows.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise BadDataError(dataset="returns", problem=f"need T x N values, found {values.shape}")
    if values.shape[0] < needed:
        raise InsufficientHistoryError(symbol="returns", needed=needed, found=values.shape[0])
    if not np.isfinite(values).all():
        raise BadDataError(dataset="returns", problem="hold NaN or infinities; use complete rows")
    return values


def sample_covariance(returns: FloatArray) -> FloatArray:
    """Return the sample covariance with divisor T - 1.

    Returns:
        N x N, exactly symmetric; singular where N >= T.

    >>> sample_covariance(np.array([[0.01, 0.02], [0.03, 0.06]])).round(10).tolist()
    [[0.0002, 0.0004], [0.0004, 0.0008]]
    """
    values = check_returns(returns)
    centred = values - values.mean(axis=0)
    covariance: FloatArray = centred.T @ centred / (values.shape[0] - 1)
    return covariance


def exponential_covariance(returns: FloatArray, *, halflife_sessions: float) -> FloatArray:
    """Return the covariance with weights that halve every `halflife_sessions`, newest first.

    Deviations are from the equally weighted exponential mean and the sum is corrected for the
    effective number of observations, so that equal weights would give the sample covariance.

    Raises:
        ValueError: Where the half-life is not positive.
    """
    values = check_returns(returns)
    if halflife_sessions <= 0:
        message = f"halflife_sessions must be positive, found {halflife_sessions}"
        raise ValueError(message)
    age = np.arange(values.shape[0] - 1, -1, -1)
    weights = np.exp2(-age / halflife_sessions)
    weights /= weights.sum()
    centred = values - weights @ values
    scaled = centred * np.sqrt(weights)[:, None]
    covariance: FloatArray = scaled.T @ scaled / (1.0 - weights @ weights)
    return covariance


def ledoit_wolf_covariance(returns: FloatArray) -> FloatArray:
    """Return the sample covariance shrunk towards a multiple of the identity.

    Regular even where there are more symbols than sessions.

    References:
        Ledoit, Wolf (2004), A well-conditioned estimator for large-dimensional covariance
        matrices. Computed by scikit-learn, whose divisor is T.
    """
    from sklearn.covariance import ledoit_wolf

    values = check_returns(returns)
    shrunk, _ = ledoit_wolf(values)
    return np.asarray(shrunk, dtype=np.float64)


def correlation(covariance: FloatArray) -> FloatArray:
    """Return the correlations of a covariance.

    Returns:
        N x N with ones on the diagonal, clipped to [-1, 1]; NaN in the row and column of a
        symbol without variance.

    >>> correlation(np.array([[4.0, 1.0], [1.0, 1.0]])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    variances = np.diag(covariance)
    volatility = np.sqrt(np.where(variances > 0, variances, np.nan))
    scaled = np.clip(covariance / np.outer(volatility, volatility), -1.0, 1.0)
    np.fill_diagonal(scaled, np.where(variances > 0, 1.0, np.nan))
    return np.asarray(scaled, dtype=np.float64)


def is_positive_semidefinite(matrix: FloatArray, *, tolerance: float = 1e-10) -> bool:
    """Tell whether a symmetric matrix has no eigenvalue below -`tolerance` times the largest.

    >>> is_positive_semidefinite(np.array([[1.0, 2.0], [2.0, 1.0]]))
    False
    """
    eigenvalues = np.linalg.eigvalsh(matrix)
    return bool(eigenvalues[0] >= -tolerance * max(abs(eigenvalues[-1]), 1e-300))
