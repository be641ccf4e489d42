"""Rolling kernels against exact arithmetic, TA-Lib and plain definitions."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from slices.quant import averages as module
from slices.quant.averages import (
    averages,
    cross_states,
    exponential_average,
    gap_states,
    moving_average,
)
from slices.quant.compiled import compiled
from slices.quant.rolling import (
    relative_strength,
    rolling_deviation,
    rolling_highest,
    rolling_lowest,
)
from slices.quant.signals.states import banded, breakout_states, reversal_states
from tests.slices.quant.market import us_closes
from tests.slices.quant.test_kernels import interpreted

WINDOWS = [1, 2, 3, 10, 50, 400]
NEVER = math.inf


def apple() -> np.ndarray:
    return np.ascontiguousarray(us_closes()[2][:, 0])


def windows_of(values: np.ndarray, window: int) -> list[list[float]]:
    return [list(values[end - window : end]) for end in range(window, values.size + 1)]


@pytest.mark.parametrize("window", WINDOWS)
def test_an_average_is_exact_to_a_few_bits_at_the_end_of_33_years(window: int) -> None:
    values = apple()
    average = moving_average(values, window)
    exact = [math.fsum(each) / window for each in windows_of(values, window)]
    assert np.isnan(average[: window - 1]).all()
    assert average[window - 1 :] == pytest.approx(exact, rel=4e-15)


@given(
    st.lists(st.floats(1e-3, 1e6), max_size=60),
    st.integers(1, 25),
)
def test_windows_of_any_series(values: list[float], window: int) -> None:
    series = np.array(values, dtype=np.float64)
    parts = windows_of(series, window)
    nothing = [math.nan] * min(window - 1, series.size)
    expected = {
        moving_average: [math.fsum(each) / window for each in parts],
        rolling_highest: [max(each) for each in parts],
        rolling_lowest: [min(each) for each in parts],
    }
    for kernel, plain in expected.items():
        assert kernel(series, window) == pytest.approx(nothing + plain, rel=1e-13, nan_ok=True)
    spreads = [statistics.pstdev(each) for each in parts]
    largest = max(values, default=1.0)
    found = rolling_deviation(series, window, 0)
    assert found == pytest.approx(nothing + spreads, rel=1e-9, abs=1e-13 * largest, nan_ok=True)


def test_a_window_depends_on_nothing_but_itself() -> None:
    values = apple()[:300]
    other = values.copy()
    other[:140] *= 1e9
    for kernel in (moving_average, rolling_highest, rolling_lowest):
        assert np.array_equal(kernel(values, 20)[159:], kernel(other, 20)[159:])
    found, expected = rolling_deviation(other, 20, 1), rolling_deviation(values, 20, 1)
    assert np.array_equal(found[159:], expected[159:])


def test_a_deviation_survives_a_large_level() -> None:
    steps = np.tile([0.0, 1.0, 3.0], 40)
    found = rolling_deviation(1e9 + steps, 9, 1)
    assert found[8:] == pytest.approx(rolling_deviation(steps, 9, 1)[8:], rel=1e-7)
    assert np.all(rolling_deviation(np.full(50, 0.1), 7, 1)[6:] == 0.0)


def test_one_missing_high_makes_its_windows_undefined() -> None:
    values = np.arange(12.0)
    values[5] = np.nan
    for kernel in (rolling_highest, rolling_lowest):
        assert np.flatnonzero(np.isnan(kernel(values, 3))).tolist() == [0, 1, 5, 6, 7]


@pytest.mark.parametrize("window", [2, 5, 14, 100])
def test_the_definitions_are_ta_libs(window: int) -> None:
    values = apple()
    exact = {"rel": 1e-13, "nan_ok": True}
    assert exponential_average(values, window) == pytest.approx(talib.EMA(values, window), **exact)
    assert relative_strength(values, window) == pytest.approx(
        talib.RSI(values, window), rel=1e-11, nan_ok=True
    )
    assert rolling_highest(values, window) == pytest.approx(talib.MAX(values, window), **exact)
    assert rolling_lowest(values, window) == pytest.approx(talib.MIN(values, window), **exact)


def test_no_movement_has_no_relative_strength() -> None:
    assert np.isnan(relative_strength(np.full(30, 5.0), 5)).all()
    assert np.isnan(relative_strength(np.arange(5.0), 5)).all()
    assert relative_strength(np.arange(6.0), 5)[5] == 100.0


def test_a_table_of_averages_runs_over_the_bars_there_are() -> None:
    closes = apple()[:100].copy()
    closes[[0, 1, 40, 41, 60]] = np.nan
    present = ~np.isnan(closes)
    table = averages(closes, np.array([1, 5, 95, 96, 200]))
    assert table.shape == (5, 100)
    assert np.array_equal(table[1, present], moving_average(closes[present], 5), equal_nan=True)
    assert np.isnan(table[:, ~present]).all()
    assert np.flatnonzero(~np.isnan(table[2])).tolist() == [99]
    assert np.isnan(table[3:]).all()
    assert averages(np.empty(0), np.array([3])).shape == (1, 0)


def test_a_table_row_is_the_strategys_own_average_bit_for_bit() -> None:
    closes = apple()
    table = averages(closes, np.arange(2, 60))
    for window in (2, 10, 50, 59):
        own = moving_average(closes, window)
        assert np.array_equal(table[window - 2], own, equal_nan=True)


def test_a_tie_keeps_the_state() -> None:
    slow = np.full(9, 100.0)
    fast = np.array([np.nan, 100.0, 101.0, 100.0, 100 * (1 + 5e-13), 99.0, 100.0, np.nan, 100.1])
    assert cross_states(fast, slow).tolist() == [0, 0, 1, 1, 1, -1, -1, -1, 1]
    assert gap_states(fast - slow, slow).tolist() == [0, 0, 1, 1, 1, -1, -1, -1, 1]


def test_a_difference_beyond_rounding_is_no_tie() -> None:
    slow = np.full(3, 100.0)
    fast = slow * (1 + np.array([1e-11, -1e-13, -1e-11]))
    assert cross_states(fast, slow).tolist() == [1, 1, -1]


def test_the_compiled_table_is_the_written_one(monkeypatch: pytest.MonkeyPatch) -> None:
    closes = apple()[:150].copy()
    closes[[3, 70]] = np.nan
    windows = np.array([1, 7, 50, 149])
    table = module.averages(closes, windows)
    interpreted(module, monkeypatch)
    assert np.array_equal(module.averages(closes, windows), table, equal_nan=True)
    assert np.isnan(module.exponential_average(closes[:2], 3)).all()


@compiled
def crossings(closes: np.ndarray, windows: np.ndarray) -> float:
    table = averages(closes, windows)
    return np.abs(np.diff(cross_states(table[0], table[1]))).sum()


@pytest.mark.slow  # compiles
def test_the_kernels_can_be_called_from_another_kernel() -> None:
    windows = np.array([10, 50])
    table = averages(apple(), windows)
    expected = np.abs(np.diff(cross_states(table[0], table[1]))).sum()
    assert crossings(apple(), windows) == expected > 100


def test_a_reversal_is_left_where_it_is_usual_again() -> None:
    values = np.array([0.0, -2.0, -2.1, -0.4, -0.5, -2.0, 2.5, 0.5, 0.4, 2.1])
    long = reversal_states(values, -1.9, NEVER, -0.5, 0.5, NEVER, 99)
    assert long.tolist() == [0, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    both = reversal_states(values, -1.9, 1.9, -0.5, 0.5, NEVER, 99)
    assert both.tolist() == [0, 1, 1, 0, 0, 1, -1, -1, 0, -1]


def test_a_value_at_a_level_is_a_tie() -> None:
    values = np.array([-2.0, -2.0 - 1e-12, -2.1, -0.5, -0.5 + 5e-13, -0.4])
    states = reversal_states(values, -2.0, NEVER, -0.5, 0.5, NEVER, 99)
    assert states.tolist() == [0, 0, 1, 1, 1, 0]


def test_after_a_stop_a_side_waits_until_the_value_was_back_inside() -> None:
    values = np.array([-2.5, -4.5, -3.0, -2.5, -1.5, -2.5, -4.0])
    states = reversal_states(values, -2.0, NEVER, -0.5, 0.5, 4.0, 99)
    assert states.tolist() == [1, 0, 0, 0, 0, 1, 1]


def test_the_longest_time_held_counts_bars_that_decide_nothing() -> None:
    values = np.array([-2.5, -2.5, np.nan, -2.5, np.nan, -2.5, 0.0, -2.5])
    states = reversal_states(values, -2.0, NEVER, -0.5, 0.5, NEVER, 3)
    assert states.tolist() == [1, 1, 1, 0, 0, 0, 0, 1]


def test_a_breakout_turns_where_selling_short_is_allowed() -> None:
    closes = np.array([5.0, 7.0, 6.5, 4.5, 3.0, 4.5, 5.5, 8.0, 4.0, np.nan])
    high, low, near_high, near_low = (np.full(10, each) for each in (6.0, 4.0, 5.0, 5.0))
    both = breakout_states(closes, high, low, near_high, near_low)
    assert both.tolist() == [0, 1, 1, 0, -1, -1, 0, 1, 0, 0]
    never = np.full(10, np.nan)
    long = breakout_states(closes, high, never, near_high, near_low)
    assert long.tolist() == [0, 1, 1, 0, 0, 0, 0, 1, 0, 0]


def test_a_band_leaves_small_differences_alone() -> None:
    wanted = np.array([np.nan, 0.5, 0.55, 0.6, 0.61, np.nan, 0.52, 0.5])
    assert banded(wanted, 0.1).tolist() == [0, 0.5, 0.5, 0.5, 0.61, 0.61, 0.61, 0.5]
