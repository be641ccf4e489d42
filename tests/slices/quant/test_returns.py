from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slices.quant.returns import complete_rows, compounded, log_returns, simple_returns
from tests.slices.quant.market import us_closes

prices = arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(1, 1e4)
)


@given(prices)
def test_compounded_returns_rebuild_the_prices(price: np.ndarray) -> None:
    wealth = compounded(simple_returns(price))
    assert np.allclose(wealth, price[1:] / price[0], rtol=1e-12)


@given(prices)
def test_log_returns_are_the_logarithm_of_growth(price: np.ndarray) -> None:
    assert np.allclose(np.expm1(log_returns(price)), simple_returns(price), atol=1e-12)


def test_a_missing_price_makes_the_returns_on_both_sides_missing() -> None:
    returns = simple_returns(np.array([1.0, 2.0, np.nan, 4.0, 5.0]))
    assert np.isnan(returns).tolist() == [False, True, True, False]


@pytest.mark.parametrize("length", [0, 1])
def test_too_few_prices_give_no_returns(length: int) -> None:
    assert simple_returns(np.ones(length)).size == 0
    assert log_returns(np.ones(length)).size == 0


def test_only_sessions_with_every_close_are_complete() -> None:
    closes = us_closes()[2][:5].copy()
    closes[2, 3] = np.nan
    assert complete_rows(closes).tolist() == [True, True, False, True, True]


def test_prices_are_left_as_they_were() -> None:
    price = np.array([1.0, 2.0, 3.0])
    simple_returns(price)
    assert price.tolist() == [1.0, 2.0, 3.0]
