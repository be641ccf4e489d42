"""Regimes by rules: trend with hysteresis, ranked volatility, and crisis by drawdown.

Everything at a session comes from windows that end at its close.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.regimes import REGIMES, UNKNOWN, Regime
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.regimes import RegimeRules
    from slices.market_regime.series import ReturnSeries

CRISIS = REGIMES.index(Regime.CRISIS)
TREND_BASES = (4, 2, 0)  # codes of the quiet bear, sideways and bull; the volatile one follows each


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What the rules look at, session by session; NaN where a window is not full yet.

    Attributes:
        trend_strength: T log returns of the trend window over their deviation.
        volatility: T deviations of returns per session over the volatility window.
        volatility_rank: T shares of the ranking window with a lower volatility, from 0 to 1.
        drawdown: T falls from the peak of the window, as positive fractions.
        long_run_volatility: T annualized deviations of all returns so far.
    """

    trend_strength: FloatArray
    volatility: FloatArray
    volatility_rank: FloatArray
    drawdown: FloatArray
    long_run_volatility: FloatArray


def trailing_windows(values: FloatArray, length: int) -> FloatArray:
    """Return T windows of the newest `length` values, padded with NaN where there are fewer.

    >>> trailing_windows(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [[nan, 1.0], [1.0, 2.0], [2.0, 3.0]]
    """
    padded = np.concatenate([np.full(length - 1, np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, length)


def trailing_deviation(values: FloatArray, length: int) -> FloatArray:
    """Return T sample deviations (ddof 1) of full trailing windows; NaN before.

    >>> trailing_deviation(np.array([1.0, 2.0, 4.0]), 2).round(3).tolist()
    [nan, 0.707, 1.414]
    """
    windows = np.ascontiguousarray(trailing_windows(values, length))
    deviations: FloatArray = windows.std(axis=1, ddof=1)
    return deviations


def trailing_rank(values: FloatArray, length: int) -> FloatArray:
    """Return the share of a window's earlier values that lie below its newest one.

    Args:
        values: T, NaN where unknown.
        length: Values of a full window; half as many known ones are enough.

    >>> trailing_rank(np.array([3.0, 1.0, 2.0, 5.0]), 4).round(3).tolist()
    [nan, 0.0, 0.5, 1.0]
    """
    windows = trailing_windows(values, length)
    earlier = windows[:, :-1]
    below = (earlier < windows[:, -1:]).sum(axis=1)
    known = np.isfinite(earlier).sum(axis=1)
    enough = np.isfinite(values) & (known + 1 >= length // 2) & (known > 0)
    return np.where(enough, below / np.maximum(known, 1), np.nan)


def trend_strength(returns: FloatArray, length: int) -> FloatArray:
    """Return the sum of each window over its deviation, as if returns were independent.

    NaN until a window is full; 0 where nothing moved inside it.
    """
    windows = np.ascontiguousarray(trailing_windows(returns, length))
    total = windows.sum(axis=1)
    scale = windows.std(axis=1, ddof=1) * math.sqrt(length)
    moved = ~(scale <= 0.0)
    return np.where(moved, total / np.where(moved, scale, 1.0), 0.0)


def trailing_drawdown(levels: FloatArray, length: int) -> FloatArray:
    """Return how far each level lies below the highest of its window, as a positive fraction."""
    peaks = np.fmax.reduce(trailing_windows(levels, length), axis=1)
    return np.asarray(1.0 - levels / peaks, dtype=np.float64)


def running_deviation(values: FloatArray) -> FloatArray:
    """Return the deviation (ddof 1) of all values so far; NaN for the first.

    >>> running_deviation(np.array([1.0, 3.0])).round(6).tolist()
    [nan, 1.414214]
    """
    counts = np.arange(1, values.size + 1)
    total, squares = np.cumsum(values), np.cumsum(values**2)
    spread = np.maximum(squares - total**2 / counts, 0.0)
    known = counts > 1
    return np.where(known, np.sqrt(spread / np.maximum(counts - 1, 1)), np.nan)


def evidence(series: ReturnSeries, rules: RegimeRules) -> Evidence:
    """Measure what the rules look at."""
    volatility = trailing_deviation(series.returns, rules.volatility_sessions)
    return Evidence(
        trend_strength=trend_strength(series.returns, rules.trend_sessions),
        volatility=volatility,
        volatility_rank=trailing_rank(volatility, rules.ranking_sessions),
        drawdown=trailing_drawdown(series.levels, rules.peak_sessions),
        long_run_volatility=running_deviation(series.returns) * math.sqrt(series.periods_per_year),
    )


def trends(seen: Evidence, rules: RegimeRules) -> IntArray:
    """Return the trend of every session: 1 bull, 0 sideways, -1 bear; 0 while unknown.

    A trend begins at `trend_enter` and ends below `trend_leave`.
    """
    from slices.market_regime.kernels import latched

    strength = np.nan_to_num(seen.trend_strength)
    rising = latched(strength >= rules.trend_enter, strength >= rules.trend_leave)
    falling = latched(strength <= -rules.trend_enter, strength <= -rules.trend_leave)
    trend: IntArray = rising.astype(np.int64) - falling.astype(np.int64)
    return trend


def deep_drawdowns(seen: Evidence, rules: RegimeRules) -> BoolArray:
    """Mark the sessions in a drawdown of a crisis: entered at the limit, left at half of it."""
    from slices.market_regime.kernels import latched

    limit = np.nan_to_num(rules.crisis_drawdown * seen.long_run_volatility, nan=np.inf)
    return latched(seen.drawdown >= limit, seen.drawdown >= limit / 2)


def _crises(seen: Evidence, rules: RegimeRules) -> BoolArray:
    from slices.market_regime.kernels import latched

    rank = np.nan_to_num(seen.volatility_rank, nan=-1.0)
    limit = np.nan_to_num(rules.crisis_drawdown * seen.long_run_volatility, nan=np.inf)
    entering = (seen.drawdown >= limit) & (rank > rules.crisis_enter)
    return latched(entering, (seen.drawdown >= limit / 2) & (rank > rules.crisis_leave))


def trend_code(trend: IntArray) -> IntArray:
    """Return the code of the quiet regime of each trend; the volatile one is one higher."""
    codes: IntArray = np.asarray(TREND_BASES, dtype=np.int64)[trend + 1]
    return codes


def rule_codes(seen: Evidence, rules: RegimeRules) -> IntArray:
    """Return the regime of every session by rules.

    Crisis goes before everything. Else the regime is the trend, and volatile where the rank of
    volatility says so. What this gives is held for at least `minimum_sessions`.

    Returns:
        T codes, `UNKNOWN` until all windows are full.
    """
    from slices.market_regime.kernels import latched, settled

    rank = np.nan_to_num(seen.volatility_rank, nan=-1.0)
    volatile = latched(rank > rules.volatile_enter, rank > rules.volatile_leave)
    codes = trend_code(trends(seen, rules)) + volatile
    codes = np.where(_crises(seen, rules), CRISIS, codes)
    known = np.isfinite(seen.trend_strength) & np.isfinite(seen.volatility_rank)
    return settled(np.where(known, codes, UNKNOWN), rules.minimum_sessions, CRISIS)
