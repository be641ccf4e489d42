from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slices.domain.errors import BadDataError, InsufficientHistoryError
from slices.quant.returns import (
    complete_rows,
    compounded,
    shared_rows,
    simple_returns,
)
from tests.slices.quant.market import us_closes

prices = arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(1, 1e4)
)


@given(prices)
def test_compounded_returns_rebuild_the_prices(price: np.ndarray) -> None:
    wealth = compounded(simple_returns(price))
    assert np.allclose(wealth, price[1:] / price[0], rtol=1e-12)


def test_a_missing_price_makes_the_returns_on_both_sides_missing() -> None:
    returns = simple_returns(np.array([1.0, 2.0, np.nan, 4.0, 5.0]))
    assert np.isnan(returns).tolist() == [False, True, True, False]


@pytest.mark.parametrize("length", [0, 1])
def test_too_few_prices_give_no_returns(length: int) -> None:
    assert simple_returns(np.ones(length)).size == 0


def test_only_sessions_with_every_close_are_complete() -> None:
    closes = us_closes()[2][:5].copy()
    closes[2, 3] = np.nan
    assert complete_rows(closes).tolist() == [True, True, False, True, True]


def two_symbols(*, sessions: int, missing: dict[int, list[int]]) -> np.ndarray:
    price = np.ones((sessions, 2))
    for column, rows in missing.items():
        price[rows, column] = np.nan
    return price


@pytest.mark.parametrize("gaps", [[], [50], [50, 51]])
def test_two_percent_of_incomplete_sessions_are_left_out(gaps: list[int]) -> None:
    price = two_symbols(sessions=100, missing={1: gaps})
    assert np.flatnonzero(~shared_rows(price, ("AAA", "BBB"))).tolist() == gaps


def test_more_incomplete_sessions_are_refused_with_the_worst_symbol() -> None:
    price = two_symbols(sessions=100, missing={0: [10], 1: [20, 30]})
    sentence = (
        r"bars: 3\.0% of the sessions from the first to the last that all symbols share lack a bar "
        r"of some symbol, at most 2% may; most lacks BBB \(2\.0%\): leave it out"
    )
    with pytest.raises(BadDataError, match=sentence):
        shared_rows(price, ("AAA", "BBB"))


def test_sessions_before_and_after_the_shared_ones_do_not_count() -> None:
    price = two_symbols(sessions=100, missing={0: list(range(40)), 1: list(range(90, 100))})
    assert np.flatnonzero(shared_rows(price, ("AAA", "BBB"))).tolist() == list(range(40, 90))


def test_the_two_symbols_that_share_no_session_are_named() -> None:
    price = np.ones((30, 3))
    price[:15, 0] = price[15:, 2] = np.nan
    with pytest.raises(BadDataError, match="bars: AAA and CCC share 0 sessions"):
        shared_rows(price, ("AAA", "BBB", "CCC"))


def test_too_few_shared_sessions_are_counted() -> None:
    price = two_symbols(sessions=30, missing={0: list(range(16)), 1: list(range(17, 30))})
    sentence = "AAA and BBB, in the sessions they share: needs 2 sessions of bars, found 1"
    with pytest.raises(InsufficientHistoryError, match=sentence):
        shared_rows(price, ("AAA", "BBB"))
    with pytest.raises(InsufficientHistoryError, match=r"^AAA: needs 2 sessions of bars, found 1"):
        shared_rows(np.ones((1, 1)), ("AAA",))


def test_all_are_named_where_every_pair_shares_sessions_but_all_together_do_not() -> None:
    price = np.ones((30, 3))
    for column in range(3):
        price[10 * column : 10 * column + 10, column] = np.nan
    with pytest.raises(BadDataError, match="bars: AAA, BBB, CCC share 0 sessions"):
        shared_rows(price, ("AAA", "BBB", "CCC"))


def test_prices_are_left_as_they_were() -> None:
    price = np.array([1.0, 2.0, 3.0])
    simple_returns(price)
    assert price.tolist() == [1.0, 2.0, 3.0]
