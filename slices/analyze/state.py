"""States: where the trend goes, how volatile a symbol is for itself, what momentum says.

The rules are fixed and few, so that a person can check each by hand.

Trend: up to three rules vote. Averages: +1 where close > SMA 50 > SMA 200, -1 where close < SMA 50
< SMA 200. Regression: the sign of the line fitted to 63 log closes, where its rise is at least half
of what a random walk of the same volatility moves in that time. Directional movement, on full bars
only: the sign of +DI less -DI where ADX is 20 or more. Two votes more on one side than on the other
make a direction, else prices go sideways. Strength is by ADX: weak below 20, strong from 40; on
close-only data by the regression's ratio: weak below 0.5, strong from 1.5.

Volatility: the share of the trailing year's values of realised volatility (21 sessions) that are
not above the newest: low up to 20 %, high from 80 %, extreme from 95 %.

Momentum: overbought from a relative strength index of 70, oversold up to 30; else positive or
negative where the returns over a quarter and over a year without its last month agree.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from slices.analyze.indicator import ratio
from slices.analyze.momentum import rsi
from slices.analyze.native import talib
from slices.analyze.trend import adx, minus_di, plus_di
from slices.analyze.volatility import realised_volatility
from slices.analyze.volume import skip_month_return
from slices.domain.analyses import (
    MomentumLevel,
    MomentumState,
    TrendDirection,
    TrendState,
    TrendStrength,
    VolatilityLevel,
    VolatilityState,
)
from slices.domain.bars import BarShape

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.quant.types import FloatArray

SHORT_SESSIONS, LONG_SESSIONS = 50, 200
FIT_SESSIONS = 63
MOVEMENT_SESSIONS = 14
LEAST_ADX, STRONG_ADX = 20.0, 40.0
LEAST_DRIFT, STRONG_DRIFT = 0.5, 1.5
LEAST_VOTES = 2
VOLATILITY_SESSIONS = 21
LOW, HIGH, EXTREME = 0.20, 0.80, 0.95
OVERBOUGHT, OVERSOLD = 70.0, 30.0
QUARTER_SESSIONS = 63


class Line(NamedTuple):
    """A line fitted to the log closes of each bar's window.

    Attributes:
        slope: T slopes a session.
        r_squared: T shares of the variance that the line explains; NaN where there is none.
        drift_ratio: T rises over what a random walk of the same volatility moves.
    """

    slope: FloatArray
    r_squared: FloatArray
    drift_ratio: FloatArray


def fitted_line(close: FloatArray, *, sessions: int = FIT_SESSIONS) -> Line:
    """Fit a line to the log closes of every window by least squares."""
    logs = np.log(close)
    slope = talib.LINEARREG_SLOPE(logs, timeperiod=sessions)
    change = np.full(close.size, np.nan)
    change[1:] = np.diff(logs)
    random_walk = talib.STDDEV(change, timeperiod=sessions) * math.sqrt(sessions)
    spread = talib.STDDEV(logs - logs[:1], timeperiod=sessions)
    line_spread = np.abs(slope) * math.sqrt((sessions**2 - 1) / 12.0)
    return Line(slope, ratio(line_spread, spread) ** 2, ratio(slope * sessions, random_walk))


def average_votes(close: FloatArray) -> FloatArray:
    """Return T votes of the averages: -1, 0 or 1; NaN before both are known."""
    short = talib.SMA(close, timeperiod=SHORT_SESSIONS)
    long = talib.SMA(close, timeperiod=LONG_SESSIONS)
    votes = np.where((close > short) & (short > long), 1.0, 0.0)
    votes -= np.where((close < short) & (short < long), 1.0, 0.0)
    return np.where(np.isfinite(long), votes, np.nan)


def regression_votes(line: Line) -> FloatArray:
    """Return T votes of the fitted line: -1, 0 or 1; NaN where its ratio is undefined."""
    drift = line.drift_ratio
    votes = np.where(np.abs(drift) >= LEAST_DRIFT, np.sign(drift), 0.0)
    return np.where(np.isfinite(drift), votes, np.nan)


class Movement(NamedTuple):
    """T average directional indices and T votes of directional movement."""

    adx: FloatArray
    votes: FloatArray


def movement(bars: SymbolBars) -> Movement:
    """Return Wilder's directional movement; NaN throughout on close-only data."""
    if bars.shape is BarShape.CLOSE_ONLY:
        return Movement(np.full(len(bars), np.nan), np.full(len(bars), np.nan))
    index, plus, minus = (
        rule(MOVEMENT_SESSIONS).values(bars)[0] for rule in (adx, plus_di, minus_di)
    )
    votes = np.where(index >= LEAST_ADX, np.sign(plus - minus), 0.0)
    return Movement(index, np.where(np.isfinite(index), votes, np.nan))


def trend_votes(bars: SymbolBars) -> FloatArray:
    """Return T x 3 votes: averages, regression, directional movement; NaN where one cannot."""
    ballots = (
        average_votes(bars.close),
        regression_votes(fitted_line(bars.close)),
        movement(bars).votes,
    )
    return np.column_stack(ballots)


def trend_state(bars: SymbolBars) -> TrendState:
    """Tell direction and strength of the trend at the newest bar."""
    votes = trend_votes(bars)[-1]
    line = fitted_line(bars.close)
    index = float(movement(bars).adx[-1])
    total = int(np.nansum(votes))
    drift_ratio = float(line.drift_ratio[-1])
    return TrendState(
        direction=_direction(total),
        strength=_strength(index, LEAST_ADX, STRONG_ADX)
        if math.isfinite(index)
        else _strength(abs(drift_ratio), LEAST_DRIFT, STRONG_DRIFT),
        votes=total,
        rules=int(np.isfinite(votes).sum()),
        slope_annualized=float(line.slope[-1]) * bars.periods_per_year,
        r_squared=float(line.r_squared[-1]),
        drift_ratio=drift_ratio,
        adx=index,
    )


def _direction(votes: int) -> TrendDirection:
    if abs(votes) < LEAST_VOTES:
        return TrendDirection.SIDEWAYS
    return TrendDirection.UP if votes > 0 else TrendDirection.DOWN


def _strength(value: float, moderate: float, strong: float) -> TrendStrength:
    if math.isnan(value):
        return TrendStrength.UNDEFINED
    if value < moderate:
        return TrendStrength.WEAK
    return TrendStrength.STRONG if value >= strong else TrendStrength.MODERATE


def volatility_percentiles(bars: SymbolBars) -> FloatArray:
    """Return T shares of the trailing year's volatilities that are not above each bar's own.

    Returns:
        Fractions above 0 and up to 1; NaN until there is a full year of values, and where the
        close never moved in that year.
    """
    window = bars.periods_per_year
    values = realised_volatility(bars, sessions=VOLATILITY_SESSIONS)
    found = np.full(len(bars), np.nan)
    if len(bars) < window + VOLATILITY_SESSIONS:
        return found
    trailing = sliding_window_view(values[VOLATILITY_SESSIONS:], window)
    shares = (trailing <= trailing[:, -1:]).mean(axis=1)
    found[VOLATILITY_SESSIONS + window - 1 :] = np.where(trailing.max(axis=1) > 0, shares, np.nan)
    return found


def volatility_state(bars: SymbolBars) -> VolatilityState:
    """Tell how volatile the symbol is at the newest bar, for itself."""
    percentile = float(volatility_percentiles(bars)[-1])
    return VolatilityState(
        level=_level(percentile),
        annualized_volatility=float(realised_volatility(bars)[-1]),
        percentile=percentile,
    )


def _level(percentile: float) -> VolatilityLevel:
    if math.isnan(percentile):
        return VolatilityLevel.UNDEFINED
    if percentile >= EXTREME:
        return VolatilityLevel.EXTREME
    if percentile >= HIGH:
        return VolatilityLevel.HIGH
    return VolatilityLevel.LOW if percentile <= LOW else VolatilityLevel.NORMAL


def momentum_state(bars: SymbolBars) -> MomentumState:
    """Tell what momentum says at the newest bar."""
    strength = float(rsi().values(bars)[0][-1])
    quarter = float(talib.ROCP(bars.close, timeperiod=QUARTER_SESSIONS)[-1])
    year = float(skip_month_return(bars.periods_per_year).values(bars)[0][-1])
    return MomentumState(
        level=_momentum(strength, quarter, year),
        rsi=strength,
        return_quarter=quarter,
        return_year_skip_month=year,
    )


def _momentum(strength: float, quarter: float, year: float) -> MomentumLevel:
    if strength >= OVERBOUGHT:
        return MomentumLevel.OVERBOUGHT
    if strength <= OVERSOLD:
        return MomentumLevel.OVERSOLD
    if quarter > 0 and year > 0:
        return MomentumLevel.POSITIVE
    return MomentumLevel.NEGATIVE if quarter < 0 and year < 0 else MomentumLevel.MIXED
