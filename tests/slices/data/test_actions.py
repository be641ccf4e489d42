from __future__ import annotations

import polars as pl
import pytest

from slices.data.actions import factor_steps, rounding_unit, with_factors
from tests.support.frames import sessions


def priced(closes: list[float], adjusted: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"session": sessions(len(closes)), "close": closes, "adj_close": adjusted})


def splits_and_dividends(bars: pl.DataFrame) -> tuple[list[float], list[float]]:
    """List the ratios, and the cash per share."""
    steps = factor_steps(bars)
    paid = (steps["dividend_step"] - 1) * steps["close"]
    return steps["split_step"].to_list(), paid.to_list()


def test_a_jump_of_the_factor_by_two_is_a_split() -> None:
    bars = priced([100.0, 102.0, 52.0, 53.0], [50.0, 51.0, 52.0, 53.0])
    assert splits_and_dividends(bars) == ([1.0, 1.0, 2.0, 1.0], [0.0] * 4)
    factors = with_factors(bars, basis_is_split=False)
    assert factors["split_factor"].to_list() == [0.5, 0.5, 1.0, 1.0]
    assert factors["total_factor"].to_list() == [0.5, 0.5, 1.0, 1.0]


def test_a_reverse_split_is_found() -> None:
    bars = priced([1.0, 1.0, 20.0, 20.0], [20.0, 20.0, 20.0, 20.0])
    assert splits_and_dividends(bars) == ([1.0, 1.0, pytest.approx(1 / 20), 1.0], [0.0] * 4)


def test_a_small_jump_of_the_factor_is_a_dividend_of_that_cash() -> None:
    factor = 1 / (1 + 0.5 / 50)
    bars = priced([50.0, 50.5, 50.0, 51.0], [50.0 * factor, 50.5 * factor, 50.0, 51.0])
    splits, dividends = splits_and_dividends(bars)
    assert splits == [1.0] * 4
    assert dividends == pytest.approx([0.0, 0.0, 0.5, 0.0])
    factors = with_factors(bars, basis_is_split=False)
    assert factors["split_factor"].to_list() == [1.0] * 4
    assert factors["total_factor"].to_list() == pytest.approx([factor, factor, 1, 1])


def test_a_split_and_a_dividend_of_one_session_are_told_apart() -> None:
    factor = 0.5 / (1 + 0.25 / 50)
    bars = priced([100.0, 101.0, 50.0, 50.0], [100 * factor, 101 * factor, 50.0, 50.0])
    splits, dividends = splits_and_dividends(bars)
    assert splits == [1.0, 1.0, 2.0, 1.0]
    assert dividends == pytest.approx([0.0, 0.0, 0.25, 0.0])


def test_in_split_adjusted_prices_every_step_is_a_dividend() -> None:
    bars = priced([100.0, 100.0, 80.0, 80.0], [80.0, 80.0, 80.0, 80.0])
    factors = with_factors(bars, basis_is_split=True)
    assert factors["split_factor"].to_list() == [1.0] * 4
    assert factors["total_factor"].to_list() == [0.8, 0.8, 1.0, 1.0]


def test_steps_within_the_rounding_of_the_adjusted_close_are_no_actions() -> None:
    closes = [4.19, 4.23, 4.11, 4.17, 4.27] * 4
    bars = priced(closes, [round(close * 0.7654, 2) for close in closes])
    assert rounding_unit(bars["adj_close"]) == 0.01
    assert splits_and_dividends(bars) == ([1.0] * 20, [0.0] * 20)
    assert rounding_unit(pl.Series([1 / 3, 2.5])) == 0.0


def test_rows_without_an_adjusted_close_have_no_factors() -> None:
    bars = priced([10.0, 10.0, 10.0], [10.0, 10.0, 10.0]).with_columns(
        adj_close=pl.Series([10.0, None, 10.0])
    )
    factors = with_factors(bars, basis_is_split=False)
    assert factors["total_factor"].to_list() == [1.0, None, 1.0]
    assert "adj_close" not in factors.columns
