"""How far a return over the horizon usually strays, as known at the session."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

DECAY = 0.94
FEWEST_RETURNS = 21


def horizon_volatility(closes: FloatArray, *, horizon: int) -> FloatArray:
    """Estimate the deviation of a return over so many sessions, from the sessions until then.

    Squared log returns from one bar of the symbol to its next are averaged with weights that fall
    by 6 % a bar, and scaled by the root of the horizon; the mean is taken as 0.

    Args:
        closes: T x N closes; NaN where a symbol has no bar.
        horizon: Sessions, 1 or more.

    Returns:
        T x N deviations; NaN where there is no bar, or before 21 returns of the symbol.

    References:
        J.P. Morgan, Reuters (1996), RiskMetrics - Technical Document, for the decay.
    """
    volatility = np.full(closes.shape, np.nan)
    for column in range(closes.shape[1]):
        present = np.flatnonzero(np.isfinite(closes[:, column]))
        moves = np.diff(np.log(closes[present, column]))
        volatility[present[1:], column] = _smoothed(moves**2) * math.sqrt(horizon)
    return volatility


def _smoothed(squares: FloatArray) -> FloatArray:
    """Return the root of the weighted mean of the squares so far."""
    import polars as pl

    means = pl.Series(squares).ewm_mean(
        alpha=1.0 - DECAY, adjust=True, min_samples=FEWEST_RETURNS, ignore_nulls=True
    )
    return np.asarray(np.sqrt(means.cast(pl.Float64).to_numpy()), dtype=np.float64)
