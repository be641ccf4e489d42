"""Indicators of trend: averages, directional movement and fitted lines.

Exponential averages and Wilder's smoothing start from the first bars of a symbol, so that their
first values depend on where its history begins.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.indicator import Indicator, IndicatorGroup, Output, defined, single
from slices.analyze.native import talib
from slices.analyze.series import full
from slices.domain.bars import BarShape
from slices.domain.report import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.analyze.series import SymbolBars
    from slices.quant.types import BoolArray, FloatArray

declare = functools.partial(Indicator, group=IndicatorGroup.TREND)


def average(
    name: str,
    title: str,
    function: Callable[..., FloatArray],
    sessions: int,
    *,
    warmup: int,
    source: str,
) -> Indicator:
    """Declare a moving average of closes."""
    return declare(
        name=f"{name}_{sessions}",
        title=f"{title}, {sessions} sessions",
        outputs=single(f"{name}_{sessions}", f"{name.upper()} {sessions}", Unit.MONEY),
        parameters=(("sessions", sessions),),
        warmup=warmup,
        source=source,
        values=lambda bars: (function(bars.close, timeperiod=sessions),),
    )


def sma(sessions: int = 20) -> Indicator:
    """Declare the simple moving average."""
    return average(
        "sma", "Simple moving average", talib.SMA, sessions,
        warmup=sessions - 1, source="TA-Lib SMA",
    )  # fmt: skip


def ema(sessions: int = 20) -> Indicator:
    """Declare the exponential moving average, started by a simple one."""
    return average(
        "ema", "Exponential moving average", talib.EMA, sessions,
        warmup=sessions - 1, source="TA-Lib EMA",
    )  # fmt: skip


def wma(sessions: int = 20) -> Indicator:
    """Declare the linearly weighted moving average."""
    return average(
        "wma", "Weighted moving average", talib.WMA, sessions,
        warmup=sessions - 1, source="TA-Lib WMA",
    )  # fmt: skip


def dema(sessions: int = 20) -> Indicator:
    """Declare the double exponential moving average."""
    return average(
        "dema", "Double exponential moving average", talib.DEMA, sessions,
        warmup=2 * (sessions - 1), source="TA-Lib DEMA; Mulloy (1994)",
    )  # fmt: skip


def tema(sessions: int = 20) -> Indicator:
    """Declare the triple exponential moving average."""
    return average(
        "tema", "Triple exponential moving average", talib.TEMA, sessions,
        warmup=3 * (sessions - 1), source="TA-Lib TEMA; Mulloy (1994)",
    )  # fmt: skip


def kama(sessions: int = 20) -> Indicator:
    """Declare the adaptive moving average."""
    return average(
        "kama", "Adaptive moving average", talib.KAMA, sessions,
        warmup=sessions, source="TA-Lib KAMA; Kaufman (1995)",
    )  # fmt: skip


def t3(sessions: int = 5) -> Indicator:
    """Declare Tillson's six-fold exponential average with volume factor 0.7."""
    return average(
        "t3", "T3 moving average", talib.T3, sessions,
        warmup=6 * (sessions - 1), source="TA-Lib T3; Tillson (1998)",
    )  # fmt: skip


def macd(fast: int = 12, slow: int = 26, signal: int = 9) -> Indicator:
    """Declare convergence and divergence of two exponential averages."""
    return declare(
        name="macd",
        title=f"Moving average convergence divergence ({fast}, {slow}, {signal})",
        outputs=(
            Output(name="macd", title="MACD", unit=Unit.MONEY),
            Output(name="macd_signal", title="MACD signal", unit=Unit.MONEY),
            Output(name="macd_histogram", title="MACD histogram", unit=Unit.MONEY),
        ),
        parameters=(("fast", fast), ("slow", slow), ("signal", signal)),
        warmup=slow + signal - 2,
        source="TA-Lib MACD; Appel (1979)",
        values=lambda bars: talib.MACD(bars.close, fast, slow, signal),
    )


def directional(
    name: str, title: str, function: Callable[..., FloatArray], sessions: int, *, warmup: int
) -> Indicator:
    """Declare a measure of Wilder's directional movement, 0 to 100."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        found = function(own.high, own.low, own.close, timeperiod=sessions)
        return (defined(found, has_moved(own.high) | has_moved(own.low)),)

    return declare(
        name=f"{name}_{sessions}",
        title=f"{title}, {sessions} sessions",
        outputs=single(f"{name}_{sessions}", title, Unit.RATIO),
        parameters=(("sessions", sessions),),
        warmup=warmup,
        shape=BarShape.OHLCV,
        source="TA-Lib; Wilder (1978)",
        values=values,
    )


def adx(sessions: int = 14) -> Indicator:
    """Declare the average directional index: the strength of a trend, 0 to 100."""
    return directional(
        "adx", "Average directional index", talib.ADX, sessions, warmup=2 * sessions - 1
    )


def plus_di(sessions: int = 14) -> Indicator:
    """Declare the positive directional indicator, 0 to 100."""
    return directional("plus_di", "+DI", talib.PLUS_DI, sessions, warmup=sessions)


def minus_di(sessions: int = 14) -> Indicator:
    """Declare the negative directional indicator, 0 to 100."""
    return directional("minus_di", "−DI", talib.MINUS_DI, sessions, warmup=sessions)


def aroon(sessions: int = 25) -> Indicator:
    """Declare how recent the newest high and low of a window are, 0 to 100."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        down, up = talib.AROON(own.high, own.low, timeperiod=sessions)
        return up, down

    return declare(
        name=f"aroon_{sessions}",
        title=f"Aroon, {sessions} sessions",
        outputs=(
            Output(name=f"aroon_up_{sessions}", title="Aroon up", unit=Unit.RATIO),
            Output(name=f"aroon_down_{sessions}", title="Aroon down", unit=Unit.RATIO),
        ),
        parameters=(("sessions", sessions),),
        warmup=sessions,
        shape=BarShape.OHLCV,
        source="TA-Lib AROON; Chande (1995)",
        values=values,
    )


def parabolic_sar(acceleration: float = 0.02, maximum: float = 0.2) -> Indicator:
    """Declare the parabolic stop and reverse price."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        return (talib.SAR(own.high, own.low, acceleration=acceleration, maximum=maximum),)

    return declare(
        name="parabolic_sar",
        title="Parabolic stop and reverse",
        outputs=single("parabolic_sar", "Parabolic SAR", Unit.MONEY),
        parameters=(("acceleration", acceleration), ("maximum", maximum)),
        warmup=1,
        shape=BarShape.OHLCV,
        source="TA-Lib SAR; Wilder (1978)",
        values=values,
    )


def regression_slope(sessions: int = 63) -> Indicator:
    """Declare the slope of a line fitted to log closes: growth a session, as a fraction."""
    return declare(
        name=f"regression_slope_{sessions}",
        title=f"Slope of the log close, {sessions} sessions",
        outputs=single(f"regression_slope_{sessions}", "Regression slope a session", Unit.FRACTION),
        parameters=(("sessions", sessions),),
        warmup=sessions - 1,
        source="TA-Lib LINEARREG_SLOPE of log closes, least squares",
        values=lambda bars: (
            np.expm1(talib.LINEARREG_SLOPE(np.log(bars.close), timeperiod=sessions)),
        ),
    )


def has_moved(values: FloatArray) -> BoolArray:
    """Mark bars from the first one on whose value is not that of the first.

    A series whose second value differs is marked from its start: no rule answers at one bar.
    """
    if values.size > 1 and values[1] != values[0]:
        return np.ones(values.size, dtype=np.bool_)
    moved = values != (values[0] if values.size else math.nan)
    return np.logical_or.accumulate(moved)


INDICATORS = (
    *(sma(20), sma(50), sma(200), ema(20), ema(50), wma(), dema(), tema(), kama(), t3(), macd()),
    *(adx(), plus_di(), minus_di(), aroon(), parabolic_sar(), regression_slope()),
)
