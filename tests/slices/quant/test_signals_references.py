"""Every strategy against an independent one: pandas, TA-Lib and plain loops on real prices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from slices.data.sources import open_source
from slices.domain.bars import Adjustment
from slices.quant.averages import averages
from slices.quant.panel import Panel, read_panel
from slices.quant.signals.catalogue import STRATEGIES, checked_parameters, default_parameters
from slices.quant.signals.volatility import volatility_scaled
from tests.slices.quant.market import us_closes
from tests.slices.quant.signal_panels import changed, panel_of, us_panel
from tests.support.frames import load

Prices = dict[str, np.ndarray]
THOUSANDTHS = 1000
"""The 20 names' closes have three decimals: times this they are whole numbers."""


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    folder: Path = tmp_path_factory.mktemp("google")
    source = open_source("embedded", feed="us_ohlcv5")
    return read_panel(load(source, folder, "GOOGL", adjustment=Adjustment.RAW))


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    folder: Path = tmp_path_factory.mktemp("shares")
    source = open_source("embedded", feed="us_ohlcv5")
    return read_panel(load(source, folder, "AAPL", "IBM", "META", adjustment=Adjustment.SPLIT))


def decided(name: str, panel: Panel, **given: float | str) -> np.ndarray:
    return STRATEGIES[name].signals(panel, checked_parameters(name, given))


def own(panel: Panel, place: int) -> Prices:
    present = ~np.isnan(panel.close[:, place])
    return {
        name: np.ascontiguousarray(getattr(panel, name)[present, place])
        for name in ("close", "high", "low")
    }


def agree(name: str, panel: Panel, reference: Iterable[np.ndarray], **given: float | str) -> None:
    """Compare the signals on each symbol's own bars with a reference's."""
    signals = decided(name, panel, **given)
    acted = 0
    for place, expected in enumerate(reference):
        present = ~np.isnan(panel.close[:, place])
        assert np.array_equal(signals[present, place], np.asarray(expected, dtype=float))
        acted += np.count_nonzero(np.diff(expected))
    assert acted > 10


def followed(higher: np.ndarray, lower: np.ndarray, *, short: bool) -> list[float]:
    """1 where one series is above the other, -1 or 0 where below, 0 where undefined."""
    below = -1.0 if short else 0.0
    defined = ~(np.isnan(higher) | np.isnan(lower))
    assert np.min(np.abs(higher - lower)[defined]) > 1e-11
    return np.where(defined, np.where(higher > lower, 1.0, below), 0.0)


def test_the_golden_cross_of_google(google: Panel) -> None:
    signals = decided("sma_cross", google, fast=10, slow=50)[:, 0]
    steps = np.diff(signals, prepend=0.0)
    assert google.close.shape == (2148, 1)
    assert (np.count_nonzero(steps > 0), np.count_nonzero(steps < 0)) == (21, 20)
    assert np.flatnonzero(signals)[0] == 49


def test_exact_ties_of_33_years_keep_the_state() -> None:
    sessions, symbols, closes = us_closes()
    thousandths = pd.DataFrame(np.rint(closes * THOUSANDTHS))
    assert np.array_equal(thousandths.to_numpy() / THOUSANDTHS, closes)
    fast, slow = (thousandths.rolling(each).sum() for each in (10, 50))
    gaps = (5 * fast - slow).to_numpy()[49:]
    ties = 0
    panel = Panel(symbols=symbols, sessions=sessions, close=closes, periods_per_year=252)
    found = decided("sma_cross", panel, fast=10, slow=50)
    assert not found[:49].any()
    for place in range(20):
        state, expected = 0.0, []
        for gap in gaps[:, place]:
            ties += gap == 0
            state = state if gap == 0 else float(gap > 0)
            expected.append(state)
        assert found[49:, place].tolist() == expected
    assert ties == 50


def test_ties_are_seen_by_the_table_of_the_sweep() -> None:
    ties = 0
    for closes in us_closes()[2].T:
        fast, slow = averages(np.ascontiguousarray(closes), np.array([10, 50]))
        ties += np.count_nonzero(np.abs(fast - slow) <= 1e-12 * slow)
    assert ties == 50


@pytest.mark.parametrize("short", [False, True])
def test_exponential_cross(shares: Panel, *, short: bool) -> None:
    closes = [own(shares, place)["close"] for place in range(3)]
    expected = (followed(talib.EMA(each, 10), talib.EMA(each, 50), short=short) for each in closes)
    agree("ema_cross", shares, expected, short=short)


@pytest.mark.parametrize("windows", [(12, 26, 9), (5, 40, 20)])
@pytest.mark.parametrize("short", [False, True])
def test_convergence_and_divergence(
    shares: Panel, windows: tuple[int, int, int], *, short: bool
) -> None:
    fast, slow, signal = windows
    lines = [talib.MACD(own(shares, place)["close"], fast, slow, signal) for place in range(3)]
    expected = (followed(line, average, short=short) for line, average, _ in lines)
    agree("macd", shares, expected, fast=fast, slow=slow, signal=signal, short=short)


def reverted(
    values: np.ndarray,
    levels: tuple[float, float, float, float],
    *,
    short: bool,
    stop: float = math.inf,
    most: int = 10**9,
) -> list[float]:
    """Walk an oscillator: entries beyond the outer levels, exits beyond the inner ones."""
    lower, upper, long_exit, short_exit = levels
    state, since, waiting, walked = 0, 0, 0, []
    for t, value in enumerate(values):
        cheap, dear = value < lower, short and value > upper
        late, usual, lost = t - since >= most, False, False
        if state == 1:
            usual, lost = value > long_exit, value < -stop
        elif state == -1:
            usual, lost = value < short_exit, value > stop
        if state and (late or usual or lost):
            waiting, state = state, 0
        if (waiting == 1 and not cheap) or (waiting == -1 and not dear):
            waiting = 0
        if state == 0 and cheap and waiting != 1:
            state, since = 1, t
        elif state == 0 and dear and waiting != -1:
            state, since = -1, t
        walked.append(float(state))
    return walked


@pytest.mark.parametrize("short", [False, True])
def test_relative_strength(shares: Panel, *, short: bool) -> None:
    strengths = [talib.RSI(own(shares, place)["close"], 10) for place in range(3)]
    expected = (reverted(each, (35, 72, 55, 55), short=short) for each in strengths)
    agree("rsi_reversal", shares, expected, window=10, lower=35, upper=72, exit=55, short=short)


@pytest.mark.parametrize("short", [False, True])
def test_bollinger_bands(shares: Panel, *, short: bool) -> None:
    def walked(closes: np.ndarray) -> list[float]:
        upper, middle, lower = talib.BBANDS(closes, 20, 1.8, 1.8, 0)
        place = np.select(
            [closes < lower, closes > upper, closes > middle, closes < middle],
            [-2.0, 2.0, 0.5, -0.5],
            default=np.nan,
        )
        return reverted(place, (-1, 1, 0, 0), short=short)

    expected = (walked(own(shares, place)["close"]) for place in range(3))
    agree("bollinger_reversal", shares, expected, deviations=1.8, short=short)


@pytest.mark.parametrize("short", [False, True])
def test_standardized_prices(shares: Panel, *, short: bool) -> None:
    def walked(closes: np.ndarray) -> list[float]:
        rolling = pd.Series(closes).rolling(30)
        apart = ((closes - rolling.mean()) / rolling.std(ddof=1)).to_numpy()
        return reverted(apart, (-1.5, 1.5, -0.3, 0.3), short=short, stop=3.6, most=12)

    expected = [walked(own(shares, place)["close"]) for place in range(3)]
    given = {"window": 30, "entry": 1.5, "exit": 0.3, "stop": 3.6, "most_sessions": 12}
    agree("zscore_reversal", shares, expected, **given, short=short)


def test_stops_and_times_out_do_happen(shares: Panel) -> None:
    given = {"window": 30, "entry": 1.5, "exit": 0.3, "stop": 3.6, "most_sessions": 12}
    base = decided("zscore_reversal", shares, **given)
    assert not np.array_equal(base, decided("zscore_reversal", shares, **{**given, "stop": 10}))
    patient = decided("zscore_reversal", shares, **{**given, "most_sessions": 120})
    assert not np.array_equal(base, patient)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("close_only", [False, True])
def test_breakouts(shares: Panel, *, short: bool, close_only: bool) -> None:
    def walked(prices: Prices) -> list[float]:
        close, (high, low) = prices["close"], (pd.Series(prices[each]) for each in ("high", "low"))
        if close_only:
            high = low = pd.Series(close)
        top, bottom = high.rolling(20).max().shift(1), low.rolling(20).min().shift(1)
        near_top, near_bottom = high.rolling(8).max().shift(1), low.rolling(8).min().shift(1)
        state, states = 0.0, []
        for t in range(close.size):
            left = close[t] < near_bottom[t] if state > 0 else close[t] > near_top[t]
            if close[t] > top[t]:
                state = 1.0
            elif short and close[t] < bottom[t]:
                state = -1.0
            elif left:
                state = 0.0
            states.append(state)
        return states

    expected = [walked(own(shares, place)) for place in range(3)]
    panel = panel_of(shares.close) if close_only else shares
    agree("donchian_breakout", panel, expected, entry=20, exit=8, short=short)


@pytest.mark.parametrize("short", [False, True])
def test_time_series_momentum(shares: Panel, *, short: bool) -> None:
    def walked(closes: np.ndarray) -> np.ndarray:
        series = pd.Series(closes)
        states = np.sign(series.shift(5) - series.shift(60)).replace(0.0, np.nan)
        return states.ffill().fillna(0.0).clip(lower=-1.0 if short else 0.0).to_numpy()

    expected = (walked(own(shares, place)["close"]) for place in range(3))
    agree("time_series_momentum", shares, expected, lookback=60, skip=5, short=short)


@pytest.mark.parametrize("short", [False, True])
def test_cross_sectional_momentum(*, short: bool) -> None:
    sessions, symbols, closes = us_closes()
    chosen = slice(-1500, None)
    frame = pd.DataFrame(closes[chosen], index=pd.DatetimeIndex(sessions[chosen]), columns=symbols)
    ranks = (frame.shift(21) / frame.shift(252)).rank(axis=1, ascending=False)
    expected = (ranks <= 4).astype(float) - float(short) * (ranks > 16).astype(float)
    months = frame.index.to_period("M")
    opens = np.r_[False, months[1:] != months[:-1]]
    expected = expected.where(np.repeat(opens[:, None], 20, axis=1)).ffill().fillna(0.0)
    panel = Panel(
        symbols=symbols, sessions=sessions[chosen], close=closes[chosen], periods_per_year=252
    )
    found = decided("cross_sectional_momentum", panel, share=0.2, short=short)
    assert np.array_equal(found, expected.to_numpy())
    held = STRATEGIES["cross_sectional_momentum"].target_weights(
        panel, checked_parameters("cross_sectional_momentum", {"short": short})
    )
    assert set(np.abs(held[300:]).sum(axis=1).round(12)) == {1.0}


def test_equal_growth_keeps_what_is_held() -> None:
    steps = np.arange(80)
    closes = np.column_stack([100 * 1.01**steps, 50 * 1.01**steps, 1.005**steps, 2 * 1.005**steps])
    given = {"lookback": 20, "skip": 0, "share": 0.25}
    tied = decided("cross_sectional_momentum", panel_of(closes), **given)
    assert not tied.any()
    ahead = closes.copy()
    ahead[:40, 1] *= np.linspace(0.8, 1.0, 40)
    found = decided("cross_sectional_momentum", panel_of(ahead), **given)
    assert found[-1].tolist() == [0, 1, 0, 0]
    both = decided("cross_sectional_momentum", panel_of(closes), **{**given, "share": 0.5})
    assert both[-1].tolist() == [1, 1, 0, 0]


def test_the_share_is_one_of_the_symbols_with_enough_history() -> None:
    panel = us_panel(400)
    late = changed(panel, lambda values: values.copy())
    for values in (late.close, late.open, late.high, late.low):
        values[:300, :4] = np.nan
    found = decided("cross_sectional_momentum", late, lookback=60, share=0.5)
    assert set(found[90:360].sum(axis=1)) == {1.0}
    assert found[-1].sum() == 3.0
    alone = decided("cross_sectional_momentum", late.columns([0, 4]), lookback=60, share=0.5)
    assert not alone[:360].any()
    assert alone[-1].sum() == 1.0


def test_a_symbol_absent_when_the_month_opens_keeps_its_signal() -> None:
    panel = us_panel(900)
    signals = decided("cross_sectional_momentum", panel, share=0.35)
    months = np.array([each.month for each in panel.sessions])
    opens = np.flatnonzero(np.diff(months)) + 1
    row = next(t for t in opens if (signals[t] != signals[t - 1]).any() and signals[t - 1].any())
    place = int(np.flatnonzero(signals[row] != signals[row - 1])[0])
    gone = changed(panel, lambda values: values.copy())
    for values in (gone.close, gone.open, gone.high, gone.low):
        values[row, place] = np.nan
    found = decided("cross_sectional_momentum", gone, share=0.35)
    following = next(t for t in (*opens, 900) if t > row)
    assert np.all(found[row:following, place] == signals[row - 1, place])


@pytest.mark.parametrize("weighting", ["exponential", "equal"])
def test_volatility_target(shares: Panel, weighting: str) -> None:
    def walked(closes: np.ndarray) -> list[float]:
        returns = pd.Series(closes).pct_change()
        if weighting == "equal":
            deviation = returns.rolling(60).std(ddof=1)
        else:
            squares = returns**2
            seeded = squares.where(squares.index > 60)
            seeded[60] = squares[1:61].mean()
            deviation = seeded[60:].ewm(span=60, adjust=False).mean().pow(0.5)
            deviation = deviation.reindex(squares.index)
        wanted = (0.2 / (deviation * math.sqrt(252))).clip(upper=1.0)
        held, states = 0.0, []
        for t, each in enumerate(wanted):
            if t >= 60 and (t == 60 or abs(each - held) > 0.05):
                held = each
            states.append(held)
        return states

    signals = decided("volatility_target", shares, target=0.2, band=0.05, weighting=weighting)
    for place in range(3):
        present = ~np.isnan(shares.close[:, place])
        expected = walked(own(shares, place)["close"])
        assert signals[present, place] == pytest.approx(expected, rel=1e-9)
        assert len(set(expected)) > 5


def test_any_signals_can_be_scaled_to_a_volatility(shares: Panel) -> None:
    parameters = default_parameters("volatility_target")
    crosses = decided("sma_cross", shares, short=True)
    scaled = volatility_scaled(crosses, shares, parameters)
    scale = decided("volatility_target", shares)
    assert np.array_equal(scaled, crosses * scale)
    returns = shares.close[1:] / shares.close[:-1] - 1
    held = returns[:, 0] * scale[:-1, 0]
    wild, calm = np.nanstd(returns[:, 0]), np.std(held[61:])
    assert calm * math.sqrt(252) < 0.16 < wild * math.sqrt(252)


def test_holding_is_being_long_from_the_first_bar(shares: Panel) -> None:
    signals = decided("buy_and_hold", shares)
    assert np.array_equal(signals, ~np.isnan(shares.close))
    assert 0 < np.count_nonzero(np.isnan(shares.close[:, 2])) < shares.close.shape[0]
