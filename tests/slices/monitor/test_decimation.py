from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slices.monitor.decimation import decimated, finite_runs


@given(
    y=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=600),
    bucket=st.floats(0.5, 50.0),
)
def test_extremes_and_ends_survive(y: list[float], bucket: float) -> None:
    values = np.array(y)
    x = np.linspace(0, 300, values.size)
    kept_x, kept_y = decimated(x, values, bucket=bucket)
    assert kept_y.min() == values.min()
    assert kept_y.max() == values.max()
    assert (kept_x[0], kept_y[0]) == (x[0], values[0])
    assert (kept_x[-1], kept_y[-1]) == (x[-1], values[-1])
    assert (np.diff(kept_x) >= 0).all()


def test_a_single_spike_among_thousands_survives() -> None:
    y = np.zeros(8313)
    y[4321] = 7.0
    _, kept = decimated(np.linspace(0, 700, y.size), y, bucket=2.0)
    assert 7.0 in kept
    assert kept.size <= 2 * 351 + 2


def test_few_points_are_left_alone() -> None:
    x, y = np.arange(10.0), np.arange(10.0) ** 2
    kept = decimated(x, y, bucket=1.0)
    np.testing.assert_array_equal(kept, (x, y))


def test_what_is_undefined_splits_a_line() -> None:
    y = np.array([1.0, 2.0, math.nan, 4.0, math.inf, 6.0])
    runs = finite_runs(np.arange(6.0), y)
    assert [run[1].tolist() for run in runs] == [[1.0, 2.0], [4.0], [6.0]]
