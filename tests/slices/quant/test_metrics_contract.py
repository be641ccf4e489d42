"""What holds for every metric."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slices.domain.report import Unit
from slices.quant.metrics import METRICS, Direction, Metric
from slices.quant.metrics.registry import metric, ratio
from tests.slices.quant.market import us_returns

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
YEAR = 252

daily = st.floats(-0.2, 0.2).map(lambda value: round(value, 6))


def value(metric: Metric, returns: np.ndarray, benchmark: np.ndarray | None = None) -> float:
    against = np.zeros_like(returns) + 0.001 if benchmark is None else benchmark
    return metric.value(returns, against, periods_per_year=YEAR)


def test_there_are_more_than_thirty_metrics_of_one_series() -> None:
    assert sum(not each.relative for each in METRICS.values()) >= 30
    assert sum(each.relative for each in METRICS.values()) >= 8


def test_the_registry_is_frozen() -> None:
    with pytest.raises(TypeError):
        METRICS["another"] = METRICS["beta"]  # type: ignore[index]


@every_metric
def test_a_metric_says_what_it_is(metric: Metric) -> None:
    assert metric.unit in {Unit.FRACTION, Unit.RATIO, Unit.SESSIONS}
    assert metric.direction in Direction
    assert metric.description.endswith(".")
    assert len(metric.description) > 10
    assert metric.reference


@every_metric
def test_an_empty_series_gives_nan(metric: Metric) -> None:
    assert math.isnan(value(metric, np.empty(0)))


@every_metric
@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_hole_in_the_series_gives_nan(metric: Metric, hole: float) -> None:
    returns = us_returns(60).mean(axis=1)
    returns[30] = hole
    assert math.isnan(value(metric, returns))


@every_metric
def test_a_hole_in_the_benchmark_gives_nan(metric: Metric) -> None:
    returns = us_returns(60)
    benchmark = returns.mean(axis=1)
    benchmark[3] = np.nan
    assert math.isnan(value(metric, returns[:, 0], benchmark)) == metric.relative


@every_metric
def test_real_returns_have_a_finite_value(metric: Metric) -> None:
    returns = us_returns(2520)
    assert math.isfinite(value(metric, returns[:, 0], returns.mean(axis=1)))


@every_metric
@pytest.mark.parametrize("constant", [0.0, 0.001, -0.001])
@pytest.mark.parametrize("length", [1, 2, 50])
def test_a_constant_series_gives_a_number_or_nan_but_no_warning(
    metric: Metric, constant: float, length: int
) -> None:
    result = value(metric, np.full(length, constant), np.full(length, 0.002))
    assert not math.isinf(result)
    assert abs(result) < 1e6 or math.isnan(result)


@every_metric
@settings(max_examples=20)
@given(returns=arrays(np.float64, st.integers(1, 40), elements=daily))
def test_any_series_gives_a_number_or_nan(metric: Metric, returns: np.ndarray) -> None:
    result = value(metric, returns, returns[::-1].copy())
    assert isinstance(result, float)
    assert not math.isinf(result)


@every_metric
def test_the_series_is_left_as_it_was(metric: Metric) -> None:
    returns = us_returns(60)[:, 0].copy()
    before = returns.copy()
    value(metric, returns)
    assert np.array_equal(returns, before)


def test_a_relative_metric_wants_a_benchmark() -> None:
    with pytest.raises(ValueError, match="beta compares with a benchmark; none was given"):
        METRICS["beta"].value(np.ones(3), periods_per_year=YEAR)


def test_series_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="series differ in length"):
        METRICS["beta"].value(np.ones(3), np.ones(4), periods_per_year=YEAR)


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="a metric named hit_rate is registered already"):

        @metric(unit=Unit.RATIO, direction=Direction.NEUTRAL)
        def hit_rate(returns: np.ndarray) -> float:
            """Another one."""
            return ratio(1.0, 1.0)
