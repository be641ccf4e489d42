"""Indicators of volatility: true ranges, bands, and the deviation of returns."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.indicator import Indicator, IndicatorGroup, Output, defined, ratio, single
from slices.analyze.momentum import window_moved
from slices.analyze.native import talib
from slices.analyze.series import full
from slices.domain.bars import BarShape
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.analyze.series import SymbolBars
    from slices.quant.types import FloatArray

declare = functools.partial(Indicator, group=IndicatorGroup.VOLATILITY)


def atr(sessions: int = 14) -> Indicator:
    """Declare the average true range, in money."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        return (talib.ATR(own.high, own.low, own.close, timeperiod=sessions),)

    return declare(
        name=f"atr_{sessions}",
        title=f"Average true range, {sessions} sessions",
        outputs=single(f"atr_{sessions}", "Average true range", Unit.MONEY),
        parameters=(("sessions", sessions),),
        warmup=sessions,
        shape=BarShape.OHLCV,
        source="TA-Lib ATR; Wilder (1978)",
        values=values,
    )


def natr(sessions: int = 14) -> Indicator:
    """Declare the average true range as a fraction of the close."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        return (talib.NATR(own.high, own.low, own.close, timeperiod=sessions) / 100.0,)

    return declare(
        name=f"natr_{sessions}",
        title=f"Average true range over the close, {sessions} sessions",
        outputs=single(f"natr_{sessions}", "Average true range over the close", Unit.FRACTION),
        parameters=(("sessions", sessions),),
        warmup=sessions,
        shape=BarShape.OHLCV,
        source="TA-Lib NATR; Forman (2006)",
        values=values,
    )


def bollinger(sessions: int = 20, deviations: float = 2.0) -> Indicator:
    """Declare Bollinger's bands, their width over the middle, and where the close lies in them."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        upper, middle, lower = talib.BBANDS(
            bars.close, timeperiod=sessions, nbdevup=deviations, nbdevdn=deviations
        )
        width = upper - lower
        return upper, middle, lower, width / middle, ratio(bars.close - lower, width)

    return declare(
        name="bollinger",
        title=f"Bollinger bands, {sessions} sessions, {deviations:g} deviations",
        outputs=(
            Output(name="bollinger_upper", title="Bollinger upper", unit=Unit.MONEY),
            Output(name="bollinger_middle", title="Bollinger middle", unit=Unit.MONEY),
            Output(name="bollinger_lower", title="Bollinger lower", unit=Unit.MONEY),
            Output(name="bollinger_width", title="Bollinger width", unit=Unit.FRACTION),
            Output(name="bollinger_percent_b", title="Bollinger %b", unit=Unit.RATIO),
        ),
        parameters=(("sessions", sessions), ("deviations", deviations)),
        warmup=sessions - 1,
        source="TA-Lib BBANDS, population deviation; Bollinger (1992)",
        values=values,
    )


def realised_volatility(bars: SymbolBars, *, sessions: int = 21) -> FloatArray:
    """Return the annualized sample deviation of log returns over a rolling window.

    Returns:
        T values, NaN for the first `sessions` bars.
    """
    change = np.full(len(bars), np.nan)
    change[1:] = np.diff(np.log(bars.close))
    sample = math.sqrt(bars.periods_per_year * sessions / (sessions - 1))
    deviation: FloatArray = talib.STDDEV(change, timeperiod=sessions) * sample
    return deviation


def realised(sessions: int = 21) -> Indicator:
    """Declare the annualized sample deviation of log returns."""
    return declare(
        name=f"realised_volatility_{sessions}",
        title=f"Realised volatility a year, {sessions} sessions",
        outputs=single(f"realised_volatility_{sessions}", "Realised volatility", Unit.FRACTION),
        parameters=(("sessions", sessions),),
        warmup=sessions,
        source="sample deviation of log returns, annualized",
        values=lambda bars: (realised_volatility(bars, sessions=sessions),),
    )


def keltner(sessions: int = 20, range_sessions: int = 10, ranges: float = 2.0) -> Indicator:
    """Declare an exponential average plus and minus true ranges."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        middle = talib.EMA(own.close, timeperiod=sessions)
        away = ranges * talib.ATR(own.high, own.low, own.close, timeperiod=range_sessions)
        return middle + away, middle - away

    return declare(
        name="keltner",
        title=f"Keltner channel, {sessions} sessions, {ranges:g} true ranges",
        outputs=(
            Output(name="keltner_upper", title="Keltner upper", unit=Unit.MONEY),
            Output(name="keltner_lower", title="Keltner lower", unit=Unit.MONEY),
        ),
        parameters=(
            ("sessions", sessions),
            ("range_sessions", range_sessions),
            ("ranges", ranges),
        ),
        warmup=max(sessions - 1, range_sessions),
        shape=BarShape.OHLCV,
        source="TA-Lib EMA and ATR; Keltner (1960) as changed by Raschke",
        values=values,
    )


def donchian(sessions: int = 20) -> Indicator:
    """Declare the highest high and the lowest low of a window, this bar included."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        return talib.MAX(own.high, timeperiod=sessions), talib.MIN(own.low, timeperiod=sessions)

    return declare(
        name=f"donchian_{sessions}",
        title=f"Donchian channel, {sessions} sessions",
        outputs=(
            Output(name=f"donchian_upper_{sessions}", title="Donchian upper", unit=Unit.MONEY),
            Output(name=f"donchian_lower_{sessions}", title="Donchian lower", unit=Unit.MONEY),
        ),
        parameters=(("sessions", sessions),),
        warmup=sessions - 1,
        shape=BarShape.OHLCV,
        source="TA-Lib MAX and MIN; Donchian (1960)",
        values=values,
    )


def zscore(sessions: int = 63) -> Indicator:
    """Declare how many population deviations the close lies from its mean."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        deviation = talib.STDDEV(bars.close, timeperiod=sessions)
        away = bars.close - talib.SMA(bars.close, timeperiod=sessions)
        moved = window_moved(bars.close, bars.close, sessions)
        return (defined(ratio(away, deviation), moved),)

    return declare(
        name=f"zscore_{sessions}",
        title=f"Deviations from the mean, {sessions} sessions",
        outputs=single(f"zscore_{sessions}", "Deviations from the mean", Unit.RATIO),
        parameters=(("sessions", sessions),),
        warmup=sessions - 1,
        source="TA-Lib SMA and STDDEV, population deviation",
        values=values,
    )


INDICATORS = (
    *(atr(), natr(), bollinger(), realised(), realised(63), keltner(), donchian(), zscore()),
)
