from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import InfeasibleError
from slices.quant.allocation.bounds import (
    check_bounds,
    filled_in_order,
    proportional_within,
    uniform_bounds,
    without_rounding,
)
from slices.quant.allocation.naive import equal_weight, inverse_volatility


@st.composite
def bounded(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wanted weights and bounds that leave room for a sum of 1."""
    count = draw(st.integers(1, 12))
    share = st.lists(st.floats(0.01, 1.0), min_size=count, max_size=count)
    lower = np.array(draw(share))
    lower *= draw(st.floats(0.0, 0.999)) / lower.sum()
    upper = lower + np.array(draw(share)) + (1.0 - lower.sum()) / count
    return np.array(draw(share)), lower, upper


@given(bounded())
def test_water_filling_keeps_bounds_and_sum(problem: tuple[np.ndarray, ...]) -> None:
    wanted, lower, upper = problem
    weights = proportional_within(wanted, lower, upper)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(weights >= lower)
    assert np.all(weights <= upper)


@given(bounded())
def test_water_filling_is_proportional_where_no_bound_binds(
    problem: tuple[np.ndarray, ...],
) -> None:
    wanted, lower, upper = problem
    weights = proportional_within(wanted, lower, upper)
    free = (weights > lower + 1e-9) & (weights < upper - 1e-9)
    levels = weights[free] / wanted[free]
    if levels.size:
        assert np.allclose(levels, levels[0], rtol=1e-9)
        assert np.all(
            weights[~free & (weights <= lower)]
            >= levels[0] * wanted[~free & (weights <= lower)] - 1e-9
        )


@given(bounded())
def test_filling_in_order_reaches_a_vertex(problem: tuple[np.ndarray, ...]) -> None:
    wanted, lower, upper = problem
    weights = filled_in_order(np.argsort(wanted), lower, upper)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    strictly_inside = (weights > lower + 1e-12) & (weights < upper - 1e-12)
    assert strictly_inside.sum() <= 1


@given(bounded(), st.integers(0, 10_000))
def test_rounding_is_removed_exactly(problem: tuple[np.ndarray, ...], seed: int) -> None:
    wanted, lower, upper = problem
    noise = np.random.default_rng(seed).normal(0.0, 1e-15, wanted.size)
    rounded = proportional_within(wanted, lower, upper) + noise
    weights = without_rounding(rounded, lower, upper)
    assert np.all((weights >= lower) & (weights <= upper))
    assert weights == pytest.approx(rounded, abs=1e-13)
    assert abs(weights.sum() - 1.0) <= max(1e-15, 1.0 - upper.sum())


def test_equal_weight_is_one_over_n() -> None:
    assert equal_weight(*uniform_bounds(8)) == pytest.approx(np.full(8, 0.125), abs=1e-15)


def test_inverse_volatility_by_hand() -> None:
    weights = inverse_volatility(np.diag([1.0, 4.0, 16.0]), *uniform_bounds(3, largest=0.5))
    assert weights == pytest.approx([0.5, 1 / 3, 1 / 6], abs=1e-15)


def test_risk_cannot_be_shared_with_a_symbol_without_any() -> None:
    with pytest.raises(InfeasibleError, match="1 of 2 symbols have no variance in this window"):
        inverse_volatility(np.diag([1.0, 0.0]), *uniform_bounds(2))


@pytest.mark.parametrize(
    ("lower", "upper", "sentence"),
    [
        ([0.6, 0.6], [1, 1], "the smallest weights of 2 symbols sum to 120.00%, above 100%"),
        ([0, 0], [0.4, 0.4], "the largest weights of 2 symbols sum to 80.00%, below 100%"),
        ([0.5, 0], [0.4, 1], "a smallest weight exceeds the largest of the same symbol"),
        ([-0.1, 0], [1, 1], "weight bounds must be finite and not below 0"),
        ([0, 0], [1, np.inf], "weight bounds must be finite and not below 0"),
        ([0], [1, 1], r"bounds need one value per symbol, found \(1,\) and \(2,\)"),
        ([], [], "bounds need one value per symbol"),
    ],
)
def test_bounds_that_exclude_each_other_are_refused_in_one_line(
    lower: list[float], upper: list[float], sentence: str
) -> None:
    with pytest.raises(InfeasibleError, match=sentence):
        check_bounds(np.array(lower, dtype=float), np.array(upper, dtype=float))
