from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.report import Unit
from slices.monitor.scales import Scale, date_ticks, value_range, value_ticks


@given(
    low=st.floats(-1e9, 1e9),
    span=st.floats(1e-6, 1e9),
    most=st.integers(2, 12),
)
def test_ticks_are_inside_the_range_and_few(low: float, span: float, most: int) -> None:
    high = low + max(span, abs(low) * 1e-9)
    ticks = value_ticks(low, high, most=most, unit=Unit.RATIO, log=False)
    room = (high - low) * 1e-6
    assert all(low - room <= tick.value <= high + room for tick in ticks)
    assert len(ticks) <= most + 1


@given(low=st.floats(1e-3, 1e6), factor=st.floats(1.01, 1e9))
def test_logarithmic_ticks_are_positive_and_inside(low: float, factor: float) -> None:
    ticks = value_ticks(low, low * factor, most=7, unit=Unit.MONEY, log=True)
    assert all(low * 0.999 <= tick.value <= low * factor * 1.001 for tick in ticks)


@pytest.mark.parametrize("days", [1, 5, 20, 60, 200, 800, 4000, 12000, 40000])
def test_dates_are_marked_with_few_distinct_labels(days: int) -> None:
    start = dt.date(1990, 1, 2).toordinal()
    labels = [tick.label for tick in date_ticks(start, start + days, most=8)]
    assert 1 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)


def test_years_are_marked_at_their_first_day() -> None:
    low, high = dt.date(2000, 3, 1).toordinal(), dt.date(2006, 3, 1).toordinal()
    days = [dt.date.fromordinal(int(t.value)) for t in date_ticks(low, high, most=8)]
    assert days == [dt.date(year, 1, 1) for year in range(2001, 2007)]


def test_constant_and_empty_values_still_have_a_range() -> None:
    for values in (np.array([5.0, 5.0]), np.array([0.0]), np.array([math.nan]), np.array([])):
        low, high = value_range(values, log=False)
        assert low < high


def test_a_logarithmic_scale_has_no_place_for_zero() -> None:
    scale = Scale(low=1.0, high=100.0, start=0.0, end=200.0, log=True)
    placed = scale.at(np.array([1.0, 10.0, 100.0, 0.0, -5.0]))
    np.testing.assert_allclose(placed[:3], [0.0, 100.0, 200.0])
    assert np.isnan(placed[3:]).all()
