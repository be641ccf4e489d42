"""Forward returns and their ranks within a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings
    from slices.quant.types import FloatArray


def forward_returns(closes: FloatArray, label: LabelSettings) -> FloatArray:
    """Return what a position entered after each session has earned at its exit.

    The decision is made at the close of row t, the entry is the close of t + entry lag, the exit
    the close `horizon` sessions later.

    Args:
        closes: T x N closes; NaN where a symbol has no bar.
        label: When the return begins and how long it is earned.

    Returns:
        T x N simple returns; NaN where there is no bar at the decision, the entry or the exit, as
        for a symbol that ends before it.

    >>> from slices.domain.learning import LabelSettings
    >>> closes = np.array([[1.0], [2.0], [3.0], [np.nan]])
    >>> forward_returns(closes, LabelSettings(horizon_sessions=1)).ravel().tolist()
    [0.5, nan, nan, nan]
    """
    returns = np.full(closes.shape, np.nan)
    kept = closes.shape[0] - label.reach
    if kept > 0:
        entries = closes[label.entry_lag_sessions : label.entry_lag_sessions + kept]
        returns[:kept] = closes[label.reach :] / entries - 1.0
        returns[np.isnan(closes)] = np.nan
    return returns


def session_ranks(values: FloatArray) -> FloatArray:
    """Rank the known values of each row, evenly from -0.5 to 0.5; equal ones share their mean.

    Args:
        values: T x N numbers; NaN where unknown.

    Returns:
        T x N ranks; NaN where the value is unknown or alone in its row.

    >>> session_ranks(np.array([[0.1, 0.3, 0.3], [np.nan, 5.0, np.nan]])).tolist()
    [[-0.5, 0.25, 0.25], [nan, nan, nan]]
    """
    from scipy.stats import rankdata

    known = np.isfinite(values)
    # What is unknown ranks last, so that the others keep their places among themselves.
    places = rankdata(np.where(known, values, np.inf), axis=1) - 1.0
    others = known.sum(axis=1, keepdims=True) - 1.0
    ranks = np.full(values.shape, np.nan)
    np.divide(places, others, out=ranks, where=known & (others > 0))
    return ranks - 0.5
