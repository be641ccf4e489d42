"""Indicators of volume, and of where a symbol stands: against the market and its own year."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.indicator import Indicator, IndicatorGroup, defined, ratio, single
from slices.analyze.momentum import window_moved
from slices.analyze.native import talib
from slices.analyze.series import full
from slices.domain.bars import BarShape
from slices.domain.report import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.analyze.series import Full, SymbolBars
    from slices.quant.types import FloatArray

position = functools.partial(Indicator, group=IndicatorGroup.POSITION)


def flow(
    name: str,
    title: str,
    function: Callable[[Full], FloatArray],
    *,
    unit: Unit = Unit.COUNT,
    warmup: int = 0,
    parameters: tuple[tuple[str, float], ...] = (),
    source: str,
) -> Indicator:
    """Declare an indicator of volume."""
    return Indicator(
        group=IndicatorGroup.VOLUME,
        name=name,
        title=title,
        outputs=single(name, title.partition(",")[0], unit),
        parameters=parameters,
        warmup=warmup,
        shape=BarShape.OHLCV,
        source=source,
        values=lambda bars: (function(full(bars)),),
    )


def obv() -> Indicator:
    """Declare on-balance volume: volume added in rises, taken away in falls, from the start."""
    return flow(
        "obv", "On-balance volume", lambda own: talib.OBV(own.close, own.volume),
        source="TA-Lib OBV; Granville (1963)",
    )  # fmt: skip


def accumulation() -> Indicator:
    """Declare accumulation and distribution: volume by where the close lies in its bar."""
    return flow(
        "accumulation", "Accumulation and distribution",
        lambda own: talib.AD(own.high, own.low, own.close, own.volume),
        source="TA-Lib AD; Chaikin",
    )  # fmt: skip


def accumulation_oscillator(fast: int = 3, slow: int = 10) -> Indicator:
    """Declare the fast less the slow average of accumulation and distribution."""
    return flow(
        "accumulation_oscillator", f"Chaikin oscillator, {fast} and {slow} sessions",
        lambda own: talib.ADOSC(
            own.high, own.low, own.close, own.volume, fastperiod=fast, slowperiod=slow
        ),
        warmup=slow - 1, parameters=(("fast", fast), ("slow", slow)),
        source="TA-Lib ADOSC; Chaikin",
    )  # fmt: skip


def volume_ratio(volume: FloatArray, *, sessions: int = 20) -> FloatArray:
    """Return volume over its mean of the sessions before; NaN for the first `sessions` bars."""
    before = np.full(volume.size, np.nan)
    before[1:] = talib.SMA(volume, timeperiod=sessions)[:-1]
    return ratio(volume, before)


def relative_volume(sessions: int = 20) -> Indicator:
    """Declare volume over its mean of the sessions before."""
    return flow(
        f"relative_volume_{sessions}", f"Relative volume, over the {sessions} sessions before",
        lambda own: volume_ratio(own.volume, sessions=sessions),
        unit=Unit.RATIO, warmup=sessions, parameters=(("sessions", sessions),),
        source="volume over TA-Lib SMA of the sessions before",
    )  # fmt: skip


def beta(sessions: int = 63) -> Indicator:
    """Declare the slope of the symbol's returns on the market's.

    The market is the equal-weighted mean of all symbols of the data; both returns are from one of
    the symbol's own bars to the next.
    """

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        market = np.full(len(bars), np.nan) if bars.market is None else bars.market
        slope = talib.BETA(market, bars.close, timeperiod=sessions)
        return (defined(slope, window_moved(market, market, sessions + 1)),)

    return position(
        name=f"beta_{sessions}",
        title=f"Beta to the mean of all symbols, {sessions} sessions",
        outputs=single(f"beta_{sessions}", "Beta to the mean of all symbols", Unit.RATIO),
        parameters=(("sessions", sessions),),
        warmup=sessions,
        needs_market=True,
        source="TA-Lib BETA: least squares of simple returns",
        values=values,
    )


def distance_from_high(sessions: int) -> Indicator:
    """Declare how far the close lies from the highest close of a window: 0 or below."""
    return position(
        name=f"distance_from_high_{sessions}",
        title=f"Distance from the highest close of {sessions} sessions",
        outputs=single(f"distance_from_high_{sessions}", "From the year's high", Unit.FRACTION),
        parameters=(("sessions", sessions),),
        warmup=sessions - 1,
        source="close over TA-Lib MAX, minus 1",
        values=lambda bars: (bars.close / talib.MAX(bars.close, timeperiod=sessions) - 1.0,),
    )


def distance_from_low(sessions: int) -> Indicator:
    """Declare how far the close lies from the lowest close of a window: 0 or above."""
    return position(
        name=f"distance_from_low_{sessions}",
        title=f"Distance from the lowest close of {sessions} sessions",
        outputs=single(f"distance_from_low_{sessions}", "From the year's low", Unit.FRACTION),
        parameters=(("sessions", sessions),),
        warmup=sessions - 1,
        source="close over TA-Lib MIN, minus 1",
        values=lambda bars: (bars.close / talib.MIN(bars.close, timeperiod=sessions) - 1.0,),
    )


def skip_month_return(sessions: int, *, skipped: int = 21) -> Indicator:
    """Declare the return over a window without its last sessions."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        found = np.full(len(bars), np.nan)
        if len(bars) > sessions:
            found[sessions:] = bars.close[sessions - skipped : -skipped] / bars.close[:-sessions]
        return (found - 1.0,)

    return position(
        name=f"skip_month_return_{sessions}",
        title=f"Return over {sessions} sessions without the last {skipped}",
        outputs=single(f"skip_month_return_{sessions}", "Return without last month", Unit.FRACTION),
        parameters=(("sessions", sessions), ("skipped", skipped)),
        warmup=sessions,
        source="Jegadeesh, Titman (1993)",
        values=values,
    )


INDICATORS = (obv(), accumulation(), accumulation_oscillator(), relative_volume(), beta())
