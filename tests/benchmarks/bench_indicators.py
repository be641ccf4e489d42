"""Indicators against plain TA-Lib loops: `python -m tests.benchmarks.bench_indicators`.

The peer is the plainest loop there is: for every symbol one call of TA-Lib per indicator, the
answers put into a matrix. Ours computes the same from a panel with holes and says what each
column is. Both run in one thread: calls on five years of bars are too short to gain from a second,
although TA-Lib releases the interpreter lock. The difference is the largest of any value, relative
to it.
"""

from __future__ import annotations

import sys

import numpy as np
import talib

from slices.analyze.indicators import indicators
from slices.quant.panel import Panel
from tests.benchmarks.harness import Contest, run
from tests.slices.quant.market import factor_returns, us_closes

PACKAGES = ("numpy", "polars", "TA-Lib")
SYMBOLS, SESSIONS = 500, 1_259
NAMES = (
    "sma_20", "sma_50", "sma_200", "ema_20", "ema_50", "wma_20", "dema_20", "tema_20", "kama_20",
    "t3_5", "macd", "parabolic_sar", "roc_21", "roc_63", "mom_10", "trix_15", "atr_14", "natr_14",
    "obv", "accumulation", "accumulation_oscillator", "donchian_20", "aroon_25", "bollinger",
    "rsi_14", "cmo_14", "cci_20", "williams_r_14", "mfi_14", "plus_di_14", "minus_di_14", "adx_14",
)  # fmt: skip


def made_up_panel() -> Panel:
    """Full bars of a factor market."""
    random = np.random.default_rng(11)
    close = 50.0 * np.cumprod(1.0 + factor_returns(SESSIONS, SYMBOLS), axis=0)
    opened = close * np.exp(random.normal(0.0, 0.004, close.shape))
    wide = np.exp(np.abs(random.normal(0.0, 0.005, close.shape)))
    return Panel(
        symbols=tuple(f"S{place:03}" for place in range(SYMBOLS)),
        sessions=us_closes()[0][-SESSIONS:],
        close=close,
        open=opened,
        high=np.maximum(opened, close) * wide,
        low=np.minimum(opened, close) / wide,
        volume=random.uniform(1e5, 1e7, close.shape),
        periods_per_year=252,
    )


def ours(panel: Panel) -> list[np.ndarray]:
    """One matrix for every symbol."""
    return [table.values.T for table in indicators(panel, names=NAMES)]


def plain_loop(panel: Panel) -> list[np.ndarray]:
    """What somebody writes with TA-Lib alone."""
    sides = (panel.open, panel.high, panel.low, panel.close, panel.volume)
    columns = [np.ascontiguousarray(side.T) for side in sides if side is not None]
    return [np.array(plain_calls(*each)) for each in zip(*columns, strict=True)]


def plain_calls(
    _: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray, volume: np.ndarray
) -> list[np.ndarray]:
    """The indicators of one symbol, in the order of `NAMES`."""
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    down, up = talib.AROON(high, low, 25)
    return [
        *(talib.SMA(close, 20), talib.SMA(close, 50), talib.SMA(close, 200)),
        *(talib.EMA(close, 20), talib.EMA(close, 50), talib.WMA(close, 20)),
        *(talib.DEMA(close, 20), talib.TEMA(close, 20), talib.KAMA(close, 20), talib.T3(close, 5)),
        *talib.MACD(close, 12, 26, 9),
        *(talib.SAR(high, low), talib.ROCP(close, 21), talib.ROCP(close, 63)),
        *(talib.MOM(close, 10), talib.TRIX(close, 15) / 100),
        *(talib.ATR(high, low, close, 14), talib.NATR(high, low, close, 14) / 100),
        *(talib.OBV(close, volume), talib.AD(high, low, close, volume)),
        talib.ADOSC(high, low, close, volume, 3, 10),
        *(talib.MAX(high, 20), talib.MIN(low, 20), up, down),
        *(upper, middle, lower, (upper - lower) / middle, (close - lower) / (upper - lower)),
        *(talib.RSI(close, 14), talib.CMO(close, 14), talib.CCI(high, low, close, 20)),
        *(talib.WILLR(high, low, close, 14), talib.MFI(high, low, close, volume, 14)),
        *(talib.PLUS_DI(high, low, close, 14), talib.MINUS_DI(high, low, close, 14)),
        talib.ADX(high, low, close, 14),
    ]


def largest_difference(mine: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest relative difference; infinite where one is undefined and the other not."""
    return max(difference(one, other) for one, other in zip(mine, theirs, strict=True))


def difference(mine: np.ndarray, theirs: np.ndarray) -> float:
    """The largest relative difference of one symbol's values."""
    if mine.shape != theirs.shape or (np.isnan(mine) != np.isnan(theirs)).any():
        return float("inf")
    scale = np.maximum(np.abs(np.nan_to_num(theirs)), 1.0)
    return float((np.abs(np.nan_to_num(mine - theirs)) / scale).max())


def contest(panel: Panel) -> Contest[list[np.ndarray]]:
    """The same values of all symbols by both."""
    return Contest(
        work=f"{len(NAMES)} indicators, {SYMBOLS} symbols x {SESSIONS:,}",
        ours=lambda: ours(panel),
        peer="TA-Lib, plain loop",
        needs="talib",
        theirs=lambda: plain_loop(panel),
        difference=largest_difference,
        tolerance=1e-12,
        target=1.0,
    )


def main() -> int:
    """Print the table; return 1 where answers disagree."""
    return run("Indicators", [contest(made_up_panel())], packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
