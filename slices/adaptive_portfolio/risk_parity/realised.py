"""Where the risk came from after weights had been chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel

YEAR_SESSIONS = 63
"""A calendar year with fewer sessions says nothing about its shares of risk."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RealisedRisk:
    """Shares of the variance of an account that holds weights between their dates.

    Attributes:
        shares: N covariances of a holding's part of the return with the whole, over the variance.
        equal_shares: N means of one over the number of symbols held; 0 while not held.
        deviation: The largest difference of the two.
        yearly_deviation: The mean absolute difference in single calendar years.
        volatility_ratio: Deviation of the returns over the root mean square of the forecasts.
    """

    shares: FloatArray
    equal_shares: FloatArray
    deviation: float
    yearly_deviation: float
    volatility_ratio: float


def realised_risk(panel: Panel, weights: FloatArray, forecasts: FloatArray) -> RealisedRisk:
    """Follow weights from the close after each decision to the close after the next.

    Shares are held in between, so weights drift. A symbol without a bar is valued at its last
    close, as the account is.

    Args:
        panel: The symbols.
        weights: T x N weights that sum to 1; rows of NaN hold no decision.
        forecasts: T volatilities per session expected at the decisions; NaN elsewhere.

    Returns:
        NaN throughout where there is no decision, or none that two sessions follow.
    """
    if not np.isfinite(forecasts[:-2]).any():
        return _undefined(len(panel.symbols))
    marks = last_known(panel.close)
    parts, expected, foreseen, rows = _followed(marks, weights, forecasts)
    shares = variance_shares(parts)
    years = np.array([panel.sessions[row].year for row in rows])
    whole = parts.sum(axis=1)
    return RealisedRisk(
        shares=shares,
        equal_shares=expected.mean(axis=0),
        deviation=float(np.abs(shares - expected.mean(axis=0)).max()),
        yearly_deviation=_yearly_deviation(parts, expected, years),
        volatility_ratio=float(whole.std(ddof=1)) / math.sqrt(float((foreseen**2).mean())),
    )


def _undefined(symbols: int) -> RealisedRisk:
    unknown = np.full(symbols, np.nan)
    return RealisedRisk(
        shares=unknown,
        equal_shares=unknown,
        deviation=math.nan,
        yearly_deviation=math.nan,
        volatility_ratio=math.nan,
    )


def last_known(closes: FloatArray) -> FloatArray:
    """Return what positions are valued at: the close, or the last one there was.

    >>> last_known(np.array([[np.nan], [1.0], [np.nan]])).ravel().tolist()
    [nan, 1.0, 1.0]
    """
    rows = np.arange(closes.shape[0])[:, None]
    newest = np.maximum.accumulate(np.where(np.isfinite(closes), rows, 0), axis=0)
    return np.take_along_axis(closes, newest, axis=0)


def _followed(
    marks: FloatArray, weights: FloatArray, forecasts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, list[int]]:
    """Return each holding's part of every session's return, equal shares, forecasts and rows."""
    decisions = np.flatnonzero(np.isfinite(forecasts))
    parts, expected, foreseen = [], [], []
    rows: list[int] = []
    for at, row in enumerate(decisions):
        after = decisions[at + 1] if at + 1 < decisions.size else marks.shape[0] - 2
        held = weights[row] > 0
        growth = np.where(held, marks[row + 1 : after + 2] / marks[row + 1], 0.0)
        values = weights[row] * growth
        whole = values.sum(axis=1, keepdims=True)
        parts.append(np.diff(values, axis=0) / whole[:-1])
        length = growth.shape[0] - 1
        expected.append(np.tile(held / held.sum(), (length, 1)))
        foreseen.append(np.full(length, forecasts[row]))
        rows += range(row + 2, row + 2 + length)
    return np.vstack(parts), np.vstack(expected), np.concatenate(foreseen), rows


def variance_shares(parts: FloatArray) -> FloatArray:
    """Return how much of the variance of a sum comes from each of its parts.

    Args:
        parts: T x N; rows sum to the whole.

    Returns:
        N covariances with the whole over its variance; they sum to 1.

    >>> variance_shares(np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    centred = parts - parts.mean(axis=0)
    whole = centred.sum(axis=1)
    return np.asarray(whole @ centred / (whole @ whole), dtype=np.float64)


def _yearly_deviation(parts: FloatArray, expected: FloatArray, years: FloatArray) -> float:
    found = []
    for year in np.unique(years):
        inside = years == year
        if inside.sum() >= YEAR_SESSIONS:
            held = expected[inside].mean(axis=0)
            found.append(np.abs(variance_shares(parts[inside]) - held)[held > 0].mean())
    return float(np.mean(found)) if found else math.nan
