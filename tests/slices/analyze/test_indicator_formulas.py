"""Indicators against formulas written anew in pandas, polars, numpy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm

from slices.analyze.indicators import catalogue
from slices.analyze.series import SymbolBars, full


def value(bars: SymbolBars, name: str) -> np.ndarray:
    for each in catalogue(252):
        for output, series in zip(each.outputs, each.values(bars), strict=True):
            if output.name == name:
                return series
    raise KeyError(name)


def same(found: np.ndarray, expected: object, *, skip: int = 0, rtol: float = 1e-7) -> None:
    """Compare where both are defined, which must be nearly everywhere."""
    wanted = np.asarray(expected, dtype=np.float64)
    both = np.isfinite(found) & np.isfinite(wanted)
    both[:skip] = False
    assert both.sum() > found.size - 300 - skip
    np.testing.assert_allclose(found[both], wanted[both], rtol=rtol, atol=1e-8)


def seeded_average(values: np.ndarray, period: int, factor: float) -> np.ndarray:
    """An exponential average that starts from the mean of its first values."""
    found = np.full(values.size, np.nan)
    first = int(np.flatnonzero(np.isfinite(values))[0])
    start = first + period - 1
    found[start] = values[first : start + 1].mean()
    for i in range(start + 1, values.size):
        found[i] = found[i - 1] + factor * (values[i] - found[i - 1])
    return found


def ema(values: np.ndarray, period: int) -> np.ndarray:
    return seeded_average(values, period, 2.0 / (period + 1))


def wilder(values: np.ndarray, period: int) -> np.ndarray:
    return seeded_average(values, period, 1.0 / period)


def test_simple_and_weighted_averages(ibm: SymbolBars) -> None:
    close = pl.Series(ibm.close)
    same(value(ibm, "sma_200"), close.rolling_mean(200).to_numpy())
    weights = np.arange(1, 21) / np.arange(1, 21).sum()
    same(value(ibm, "wma_20"), pd.Series(ibm.close).rolling(20).apply(lambda x: x @ weights))


def test_exponential_averages(ibm: SymbolBars) -> None:
    close = ibm.close
    same(value(ibm, "ema_20"), ema(close, 20))
    once = ema(close, 20)
    twice = ema(once, 20)
    same(value(ibm, "dema_20"), 2 * once - twice)
    same(value(ibm, "tema_20"), 3 * once - 3 * twice + ema(twice, 20))


def test_macd_settles_to_its_averages(ibm: SymbolBars) -> None:
    line = ema(ibm.close, 12) - ema(ibm.close, 26)
    same(value(ibm, "macd"), line, skip=300)
    same(value(ibm, "macd_signal"), ema(line, 9), skip=300)
    gap = value(ibm, "macd") - value(ibm, "macd_signal")
    same(value(ibm, "macd_histogram"), gap)
    same(value(ibm, "ppo"), ema(ibm.close, 12) / ema(ibm.close, 26) - 1)


def test_kaufmans_average(ibm: SymbolBars) -> None:
    close, period = ibm.close, 20
    path = pd.Series(np.abs(np.diff(close, prepend=np.nan))).rolling(period).sum().to_numpy()
    travel = np.abs(close[period:] - close[:-period])
    rate = np.concatenate([np.full(period, np.nan), travel / path[period:]])
    factor = (rate * (2 / 3 - 2 / 31) + 2 / 31) ** 2
    found = np.full(close.size, np.nan)
    found[period - 1] = close[period - 1]
    for i in range(period, close.size):
        found[i] = found[i - 1] + factor[i] * (close[i] - found[i - 1])
    same(value(ibm, "kama_20"), found)


def test_relative_strength(ibm: SymbolBars) -> None:
    change = np.diff(ibm.close, prepend=np.nan)
    rise = np.where(np.isnan(change), np.nan, np.maximum(change, 0))
    fall = np.where(np.isnan(change), np.nan, np.maximum(-change, 0))
    up, down = wilder(rise, 14), wilder(fall, 14)
    same(value(ibm, "rsi_14"), 100 * up / (up + down))
    same(value(ibm, "cmo_14"), 100 * (up - down) / (up + down))


def test_ranges_of_a_window(ibm: SymbolBars) -> None:
    own = full(ibm)
    top, bottom = pl.Series(own.high).rolling_max(14), pl.Series(own.low).rolling_min(14)
    place = ((pl.Series(own.close) - bottom) / (top - bottom)).to_numpy()
    same(value(ibm, "williams_r_14"), 100 * (place - 1))
    slow = pl.Series(100 * place).rolling_mean(3)
    same(value(ibm, "stochastic_k"), slow.to_numpy())
    same(value(ibm, "donchian_upper_20"), pl.Series(own.high).rolling_max(20).to_numpy())
    same(value(ibm, "donchian_lower_20"), pl.Series(own.low).rolling_min(20).to_numpy())


def test_commodity_channel(ibm: SymbolBars) -> None:
    own = full(ibm)
    typical = pd.Series((own.high + own.low + own.close) / 3)
    deviation = typical.rolling(20).apply(lambda x: np.abs(x - x.mean()).mean(), raw=True)
    same(value(ibm, "cci_20"), (typical - typical.rolling(20).mean()) / (0.015 * deviation))


def true_range(bars: SymbolBars) -> np.ndarray:
    own = full(bars)
    before = np.concatenate([[np.nan], own.close[:-1]])
    return np.maximum(own.high, before) - np.minimum(own.low, before)


def test_true_ranges(ibm: SymbolBars) -> None:
    average = wilder(true_range(ibm), 14)
    same(value(ibm, "atr_14"), average)
    same(value(ibm, "natr_14"), average / ibm.close)
    same(value(ibm, "keltner_upper"), ema(ibm.close, 20) + 2 * wilder(true_range(ibm), 10))


def test_directional_movement_settles_to_wilders(ibm: SymbolBars) -> None:
    own = full(ibm)
    up, down = np.diff(own.high, prepend=np.nan), -np.diff(own.low, prepend=np.nan)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    plus[0] = minus[0] = np.nan
    spread = wilder(true_range(ibm), 14)
    plus_di, minus_di = 100 * wilder(plus, 14) / spread, 100 * wilder(minus, 14) / spread
    same(value(ibm, "plus_di_14"), plus_di, skip=400)
    same(value(ibm, "minus_di_14"), minus_di, skip=400)
    index = 100 * np.abs(plus_di - minus_di) / (plus_di + minus_di)
    same(value(ibm, "adx_14"), wilder(index, 14), skip=600)


def test_money_flow(ibm: SymbolBars) -> None:
    own = full(ibm)
    typical = (own.high + own.low + own.close) / 3
    change = np.diff(typical, prepend=np.nan)
    up = pd.Series(np.where(change > 0, typical * own.volume, 0.0)).rolling(14).sum()
    down = pd.Series(np.where(change < 0, typical * own.volume, 0.0)).rolling(14).sum()
    same(value(ibm, "mfi_14"), 100 * up / (up + down), skip=15)


def test_volume(ibm: SymbolBars) -> None:
    own = full(ibm)
    flow = own.volume * np.sign(np.diff(own.close, prepend=own.close[0]))
    flow[0] = own.volume[0]
    same(value(ibm, "obv"), np.cumsum(flow))
    spread = own.high - own.low
    place = np.divide(
        2 * own.close - own.high - own.low, spread, out=np.zeros_like(spread), where=spread > 0
    )
    same(value(ibm, "accumulation"), np.cumsum(place * own.volume), rtol=1e-6)
    before = pl.Series(own.volume).rolling_mean(20).shift(1)
    same(value(ibm, "relative_volume_20"), (pl.Series(own.volume) / before).to_numpy())


def test_bands_and_deviations(ibm: SymbolBars) -> None:
    close = pd.Series(ibm.close)
    middle, deviation = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    same(value(ibm, "bollinger_upper"), middle + 2 * deviation)
    same(value(ibm, "bollinger_width"), 4 * deviation / middle, rtol=1e-6)
    inside = (close - middle + 2 * deviation) / (4 * deviation)
    same(value(ibm, "bollinger_percent_b"), inside, rtol=1e-5)
    score = (close - close.rolling(63).mean()) / close.rolling(63).std(ddof=0)
    same(value(ibm, "zscore_63"), score, rtol=1e-5)


def test_realised_volatility_is_the_sample_deviation_of_a_year(ibm: SymbolBars) -> None:
    change = pd.Series(np.log(ibm.close)).diff()
    same(value(ibm, "realised_volatility_21"), change.rolling(21).std() * math.sqrt(252), rtol=1e-6)


def test_beta_is_the_least_squares_slope_on_the_market(ibm: SymbolBars) -> None:
    assert ibm.market is not None
    own = ibm.close[1:] / ibm.close[:-1] - 1
    market = ibm.market[1:] / ibm.market[:-1] - 1
    found = value(ibm, "beta_63")
    for end in (63, 500, len(own)):
        window = slice(end - 63, end)
        fit = sm.OLS(own[window], sm.add_constant(market[window])).fit()
        assert found[end] == pytest.approx(fit.params[1], rel=1e-6)


def test_the_slope_is_that_of_a_fitted_line(ibm: SymbolBars) -> None:
    found = value(ibm, "regression_slope_63")
    for end in (63, 1000, len(ibm)):
        slope = np.polyfit(np.arange(63), np.log(ibm.close[end - 63 : end]), 1)[0]
        assert found[end - 1] == pytest.approx(math.expm1(slope), rel=1e-6)


def test_returns_and_the_years_extremes(ibm: SymbolBars) -> None:
    close = pd.Series(ibm.close)
    same(value(ibm, "roc_21"), close.pct_change(21))
    same(value(ibm, "mom_10"), close.diff(10))
    same(value(ibm, "distance_from_high_252"), close / close.rolling(252).max() - 1)
    same(value(ibm, "distance_from_low_252"), close / close.rolling(252).min() - 1)
    same(value(ibm, "skip_month_return_252"), close.shift(21) / close.shift(252) - 1)


def test_aroon_counts_sessions_since_the_extremes(ibm: SymbolBars) -> None:
    own = full(ibm)
    ages = pd.Series(own.high).rolling(26).apply(lambda x: x[::-1].argmax(), raw=True)
    same(value(ibm, "aroon_up_25"), 100 * (25 - ages) / 25)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sma_200", 196.58704999999975),
        ("rsi_14", 57.18723617122834),
        ("adx_14", 21.998543564813456),
        ("parabolic_sar", 205.37213653072735),
        ("t3_5", 200.36083971419143),
    ],
)
def test_values_of_the_newest_session(ibm: SymbolBars, name: str, expected: float) -> None:
    assert value(ibm, name)[-1] == pytest.approx(expected, rel=1e-6)
