"""Indicators of momentum: how far and how one-sidedly prices have moved.

An oscillator is undefined while the prices of its window do not move; TA-Lib says 0 there, which
would read as oversold or, of Williams' %R, as overbought.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.indicator import Indicator, IndicatorGroup, Output, defined, single
from slices.analyze.native import talib
from slices.analyze.series import full
from slices.analyze.trend import has_moved
from slices.domain.bars import BarShape
from slices.domain.report import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.analyze.series import Full, SymbolBars
    from slices.quant.types import BoolArray, FloatArray

declare = functools.partial(Indicator, group=IndicatorGroup.MOMENTUM)


def closing(
    name: str,
    title: str,
    function: Callable[[FloatArray], FloatArray],
    *,
    unit: Unit,
    warmup: int,
    parameters: tuple[tuple[str, float], ...],
    source: str,
) -> Indicator:
    """Declare an indicator of closes."""
    return declare(
        name=name,
        title=title,
        outputs=single(name, title.partition(",")[0], unit),
        parameters=parameters,
        warmup=warmup,
        source=source,
        values=lambda bars: (function(bars.close),),
    )


def ranging(
    name: str,
    title: str,
    function: Callable[[Full], FloatArray],
    *,
    warmup: int,
    parameters: tuple[tuple[str, float], ...] = (),
    source: str,
) -> Indicator:
    """Declare an oscillator of full bars."""
    return declare(
        name=name,
        title=title,
        outputs=single(name, title.partition(",")[0], Unit.RATIO),
        parameters=parameters,
        warmup=warmup,
        shape=BarShape.OHLCV,
        source=source,
        values=lambda bars: (function(full(bars)),),
    )


def window_moved(high: FloatArray, low: FloatArray, sessions: int) -> BoolArray:
    """Mark bars whose window has a range; before a full window there is no rule to answer."""
    if np.count_nonzero(low[1:] == high[:-1]) < sessions - 1:
        return np.ones(high.size, dtype=np.bool_)
    moved: BoolArray = talib.MAX(high, timeperiod=sessions) > talib.MIN(low, timeperiod=sessions)
    return moved


def all_of(marks: BoolArray, count: int) -> BoolArray:
    """Mark bars where this one and those before it are all marked, `count` in total."""
    return np.asarray(talib.SUM(marks.astype(np.float64), timeperiod=count) == count)


def rsi(sessions: int = 14) -> Indicator:
    """Declare the relative strength index, 0 to 100; undefined until the close has moved."""
    return closing(
        f"rsi_{sessions}", f"Relative strength index, {sessions} sessions",
        lambda close: defined(talib.RSI(close, timeperiod=sessions), has_moved(close)),
        unit=Unit.RATIO, warmup=sessions, parameters=(("sessions", sessions),),
        source="TA-Lib RSI; Wilder (1978)",
    )  # fmt: skip


def stochastic(fast_k: int = 14, slow_k: int = 3, slow_d: int = 3) -> Indicator:
    """Declare the slow stochastic, 0 to 100: where the close lies in the range of a window."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        own = full(bars)
        windows = window_moved(own.high, own.low, fast_k)
        k, d = talib.STOCH(
            own.high, own.low, own.close,
            fastk_period=fast_k, slowk_period=slow_k, slowd_period=slow_d,
        )  # fmt: skip
        has_k = all_of(windows, slow_k)
        return defined(k, has_k), defined(d, all_of(has_k, slow_d))

    return declare(
        name="stochastic",
        title=f"Stochastic oscillator ({fast_k}, {slow_k}, {slow_d})",
        outputs=(
            Output(name="stochastic_k", title="Stochastic %K", unit=Unit.RATIO),
            Output(name="stochastic_d", title="Stochastic %D", unit=Unit.RATIO),
        ),
        parameters=(("fast_k", fast_k), ("slow_k", slow_k), ("slow_d", slow_d)),
        warmup=fast_k + slow_k + slow_d - 3,
        shape=BarShape.OHLCV,
        source="TA-Lib STOCH; Lane (1984)",
        values=values,
    )


def stochastic_rsi(sessions: int = 14, smoothing: int = 3) -> Indicator:
    """Declare where the relative strength index lies in the range of its window, 0 to 100."""

    def values(bars: SymbolBars) -> tuple[FloatArray, ...]:
        k, d = talib.STOCHRSI(
            bars.close, timeperiod=sessions, fastk_period=sessions, fastd_period=smoothing
        )
        strength = defined(talib.RSI(bars.close, timeperiod=sessions), has_moved(bars.close))
        known = all_of(np.isfinite(strength), sessions)
        has_k = known & window_moved(strength, strength, sessions)
        return defined(k, has_k), defined(d, all_of(has_k, smoothing))

    return declare(
        name=f"stochastic_rsi_{sessions}",
        title=f"Stochastic of the relative strength index, {sessions} sessions",
        outputs=(
            Output(name="stochastic_rsi_k", title="Stochastic RSI %K", unit=Unit.RATIO),
            Output(name="stochastic_rsi_d", title="Stochastic RSI %D", unit=Unit.RATIO),
        ),
        parameters=(("sessions", sessions), ("smoothing", smoothing)),
        warmup=2 * sessions + smoothing - 2,
        source="TA-Lib STOCHRSI; Chande, Kroll (1994)",
        values=values,
    )


def cci(sessions: int = 20) -> Indicator:
    """Declare the commodity channel index, in units of 1.5 % of a mean deviation."""
    return ranging(
        f"cci_{sessions}", f"Commodity channel index, {sessions} sessions",
        lambda own: defined(
            talib.CCI(own.high, own.low, own.close, timeperiod=sessions),
            _typical_moved(own, sessions),
        ),
        warmup=sessions - 1, parameters=(("sessions", sessions),),
        source="TA-Lib CCI; Lambert (1980)",
    )  # fmt: skip


def _typical_moved(own: Full, sessions: int) -> BoolArray:
    typical = talib.TYPPRICE(own.high, own.low, own.close)
    return window_moved(typical, typical, sessions)


def roc(sessions: int) -> Indicator:
    """Declare the simple return over a window."""
    return closing(
        f"roc_{sessions}", f"Return over {sessions} sessions",
        lambda close: talib.ROCP(close, timeperiod=sessions),
        unit=Unit.FRACTION, warmup=sessions, parameters=(("sessions", sessions),),
        source="TA-Lib ROCP",
    )  # fmt: skip


def mom(sessions: int = 10) -> Indicator:
    """Declare the change of the close over a window, in money."""
    return closing(
        f"mom_{sessions}", f"Price change over {sessions} sessions",
        lambda close: talib.MOM(close, timeperiod=sessions),
        unit=Unit.MONEY, warmup=sessions, parameters=(("sessions", sessions),),
        source="TA-Lib MOM",
    )  # fmt: skip


def williams_r(sessions: int = 14) -> Indicator:
    """Declare Williams' %R: how far the close lies below the window's high, -100 to 0."""
    return ranging(
        f"williams_r_{sessions}", f"Williams %R, {sessions} sessions",
        lambda own: defined(
            talib.WILLR(own.high, own.low, own.close, timeperiod=sessions),
            window_moved(own.high, own.low, sessions),
        ),
        warmup=sessions - 1, parameters=(("sessions", sessions),),
        source="TA-Lib WILLR; Williams (1973)",
    )  # fmt: skip


def mfi(sessions: int = 14) -> Indicator:
    """Declare the money flow index: a relative strength index weighted by money, 0 to 100."""
    return ranging(
        f"mfi_{sessions}", f"Money flow index, {sessions} sessions",
        lambda own: defined(
            talib.MFI(own.high, own.low, own.close, own.volume, timeperiod=sessions),
            _typical_moved(own, sessions + 1),
        ),
        warmup=sessions, parameters=(("sessions", sessions),),
        source="TA-Lib MFI; Quong, Soudack (1989)",
    )  # fmt: skip


def ultimate(short: int = 7, middle: int = 14, long: int = 28) -> Indicator:
    """Declare buying pressure over three windows, 0 to 100."""
    return ranging(
        "ultimate", f"Ultimate oscillator, {short}, {middle} and {long} sessions",
        lambda own: defined(
            talib.ULTOSC(
                own.high, own.low, own.close,
                timeperiod1=short, timeperiod2=middle, timeperiod3=long,
            ),
            talib.SUM(talib.TRANGE(own.high, own.low, own.close), timeperiod=short) > 0,
        ),
        warmup=long, parameters=(("short", short), ("middle", middle), ("long", long)),
        source="TA-Lib ULTOSC; Williams (1985)",
    )  # fmt: skip


def trix(sessions: int = 15) -> Indicator:
    """Declare the change, in percent, of a three-fold exponential average."""
    return closing(
        f"trix_{sessions}", f"TRIX, {sessions} sessions",
        lambda close: talib.TRIX(close, timeperiod=sessions) / 100.0,
        unit=Unit.FRACTION, warmup=3 * (sessions - 1) + 1, parameters=(("sessions", sessions),),
        source="TA-Lib TRIX; Hutson (1983)",
    )  # fmt: skip


def ppo(fast: int = 12, slow: int = 26) -> Indicator:
    """Declare the fast over the slow exponential average, minus 1, as a fraction."""
    return closing(
        "ppo", f"Percentage price oscillator, {fast} and {slow} sessions",
        lambda close: talib.EMA(close, timeperiod=fast) / talib.EMA(close, timeperiod=slow) - 1.0,
        unit=Unit.FRACTION, warmup=slow - 1, parameters=(("fast", fast), ("slow", slow)),
        source="TA-Lib EMA of both; Appel (1979)",
    )  # fmt: skip


def cmo(sessions: int = 14) -> Indicator:
    """Declare Chande's momentum, -100 to 100; undefined until the close has moved."""
    return closing(
        f"cmo_{sessions}", f"Chande momentum oscillator, {sessions} sessions",
        lambda close: defined(talib.CMO(close, timeperiod=sessions), has_moved(close)),
        unit=Unit.RATIO, warmup=sessions, parameters=(("sessions", sessions),),
        source="TA-Lib CMO, smoothed as Wilder's; Chande, Kroll (1994)",
    )  # fmt: skip


def bop() -> Indicator:
    """Declare the balance of power: the bar's change over its range, -1 to 1."""
    return ranging(
        "bop", "Balance of power",
        lambda own: defined(
            talib.BOP(own.open, own.high, own.low, own.close), own.high > own.low
        ),
        warmup=0, source="TA-Lib BOP; Livshin (2001)",
    )  # fmt: skip


INDICATORS = (
    *(rsi(), stochastic(), stochastic_rsi(), cci(), roc(21), roc(63), mom(), williams_r(), mfi()),
    *(ultimate(), trix(), ppo(), cmo(), bop()),
)
