"""Bringing scores and returns of a session to a common scale: S sessions x N symbols, NaN kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.domain.parameters import Costs
    from slices.quant.types import FloatArray

FLAT = 1e-12
"""Scores that lie this close together, beside their size, are equal."""


def standardised(scores: FloatArray) -> FloatArray:
    """Take its session's mean from every score and divide by the session's deviation.

    Args:
        scores: S x N, or one session of N; NaN where a symbol was not scored.

    Returns:
        The same shape; 0 where all scores of a session are equal, NaN where there is none.

    >>> standardised(np.array([[1.0, 3.0, np.nan], [2.0, 2.0, 2.0]])).tolist()
    [[-1.0, 1.0, nan], [0.0, 0.0, 0.0]]
    """
    known = np.isfinite(scores)
    centred = scores - _means(scores)
    deviation = np.sqrt(_means(np.square(centred)))
    size = np.max(np.abs(np.where(known, scores, 0.0)), axis=-1, keepdims=True, initial=0.0)
    is_flat = ~(deviation > FLAT * size)
    scaled = np.divide(centred, np.where(is_flat, 1.0, deviation))
    return np.where(known, np.where(is_flat, 0.0, scaled), np.nan)


def relative_returns(forward_returns: FloatArray) -> FloatArray:
    """Take the mean of its session from every return.

    Args:
        forward_returns: S x N simple returns; NaN where not known.

    Returns:
        S x N; NaN in a session with fewer than two known returns, where nothing is relative.

    >>> relative_returns(np.array([[0.01, 0.03], [0.02, np.nan]])).round(9).tolist()
    [[-0.01, 0.01], [nan, nan]]
    """
    counts = np.isfinite(forward_returns).sum(axis=-1, keepdims=True)
    return np.where(counts > 1, forward_returns - _means(forward_returns), np.nan)


def scaled_returns(forward_returns: FloatArray, volatilities: FloatArray) -> FloatArray:
    """Return relative returns in units of what the symbol's return usually deviates.

    Args:
        forward_returns: S x N simple returns; NaN where not known.
        volatilities: S x N deviations over the same horizon; NaN or 0 where there is none.

    Returns:
        S x N; NaN where either is unknown.
    """
    usable = np.where(volatilities > 0, volatilities, np.nan)
    return relative_returns(forward_returns) / usable


def round_trips(costs: Costs, closes: FloatArray) -> FloatArray:
    """Return what buying and selling costs, as a fraction of what is traded.

    Args:
        costs: Of trading; least commissions and market impact depend on the size of an order,
            which is not known, and are left out.
        closes: Prices of any shape; NaN where there is none.

    >>> from slices.domain.parameters import Costs
    >>> costs = Costs(commission_bps=5, slippage_bps=5, commission_per_share=0.01)
    >>> round_trips(costs, np.array([10.0, 100.0])).round(9).tolist()
    [0.004, 0.0022]
    """
    return np.asarray(2.0 * (costs.rate + costs.commission_per_share / closes), dtype=np.float64)


def _means(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    counts = known.sum(axis=-1, keepdims=True)
    sums = np.where(known, values, 0.0).sum(axis=-1, keepdims=True)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
