"""What followed a pattern in the past: mean forward returns against all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.analyses import Direction, PatternEvidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.analyze.marks import Marks
    from slices.analyze.series import SymbolBars
    from slices.quant.types import BoolArray, FloatArray

HOLDING_SESSIONS = 5
FEWEST_WINDOWS = 10
"""Windows with a pattern below which no t-statistic is given."""


def forward_returns(bars: SymbolBars, *, sessions: int = HOLDING_SESSIONS) -> FloatArray:
    """Return what buying after each bar and selling some sessions later made.

    Bought at the fill price of the next bar and sold at that of the bar `sessions` after it.

    Returns:
        T values, NaN for the last `sessions` + 1 bars: their windows are not complete.
    """
    prices = bars.fill_prices
    made = np.full(len(bars), np.nan)
    if len(bars) > sessions + 1:
        made[: -sessions - 1] = prices[sessions + 1 :] / prices[1:-sessions] - 1.0
    return made


def pattern_evidence(bars: SymbolBars, marks: Sequence[Marks]) -> tuple[PatternEvidence, ...]:
    """Measure what followed each pattern that has a complete window, most frequent first."""
    made = forward_returns(bars)
    complete = np.isfinite(made)
    returns = made[complete]
    if returns.size == 0 or not marks:
        return ()
    known = np.array([each.known[complete] for each in marks])
    counts = known.sum(axis=1)
    statistics = difference_t_statistics(returns, known, lags=HOLDING_SESSIONS)
    return tuple(
        _evidence(marks[row], returns, known[row], float(statistics[row]))
        for row in np.argsort(-counts, kind="stable")
        if counts[row]
    )


def _evidence(
    mark: Marks, returns: FloatArray, known: BoolArray, statistic: float
) -> PatternEvidence:
    after = returns[known]
    return PatternEvidence(
        name=mark.pattern.name,
        title=mark.pattern.title,
        group=mark.pattern.group,
        direction=mark.pattern.direction,
        count=int(after.size),
        mean_forward_return=float(after.mean()),
        unconditional_mean=float(returns.mean()),
        hit_rate=_hit_rate(after, mark.pattern.direction),
        t_statistic=statistic if after.size >= FEWEST_WINDOWS else float("nan"),
    )


def _hit_rate(after: FloatArray, direction: Direction) -> float:
    match direction:
        case Direction.BULLISH:
            return float((after > 0).mean())
        case Direction.BEARISH:
            return float((after < 0).mean())
    return float("nan")


def difference_t_statistics(returns: FloatArray, known: BoolArray, *, lags: int) -> FloatArray:
    """Return t-statistics of the mean return with a mark less that without.

    The slope of a regression of returns on the mark, its variance after Newey and West with
    Bartlett weights, because windows that overlap are not independent.

    Args:
        returns: T returns without NaN.
        known: K x T marks.
        lags: Of the autocovariances counted.

    Returns:
        K values; NaN where no bar, or every bar, is marked, or returns do not vary.

    References:
        Newey, West (1987), A simple, positive semi-definite, heteroskedasticity and
        autocorrelation consistent covariance matrix.
    """
    centred = known - known.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = centred @ returns / spread
        residuals = returns - returns.mean() - slope[:, None] * centred
        moments = centred * residuals
        variance = (moments**2).sum(axis=1)
        for lag in range(1, min(lags, returns.size - 1) + 1):
            weight = 2.0 * (1.0 - lag / (lags + 1.0))
            variance += weight * (moments[:, lag:] * moments[:, :-lag]).sum(axis=1)
        statistics: FloatArray = slope * spread / np.sqrt(variance)
    return np.where(np.isfinite(statistics), statistics, np.nan)
