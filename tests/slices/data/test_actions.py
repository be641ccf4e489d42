from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from slices.data.actions import (
    ActionKind,
    CorporateAction,
    corporate_actions,
    rounding_unit,
    with_factors,
)
from tests.support.frames import sessions


def priced(closes: list[float], adjusted: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"session": sessions(len(closes)), "close": closes, "adj_close": adjusted})


def test_a_jump_of_the_factor_by_two_is_a_split() -> None:
    bars = priced([100.0, 102.0, 52.0, 53.0], [50.0, 51.0, 52.0, 53.0])
    split = CorporateAction(session=bars["session"][2], kind=ActionKind.SPLIT, value=2.0)
    assert corporate_actions(bars) == (split,)
    factors = with_factors(bars, basis_is_split=False)
    assert factors["split_factor"].to_list() == [0.5, 0.5, 1.0, 1.0]
    assert factors["total_factor"].to_list() == [0.5, 0.5, 1.0, 1.0]


def test_a_reverse_split_is_found() -> None:
    bars = priced([1.0, 1.0, 20.0, 20.0], [20.0, 20.0, 20.0, 20.0])
    (action,) = corporate_actions(bars)
    assert (action.kind, action.value) == (ActionKind.SPLIT, pytest.approx(1 / 20))


def test_a_small_jump_of_the_factor_is_a_dividend_of_that_cash() -> None:
    factor = 1 / (1 + 0.5 / 50)
    bars = priced([50.0, 50.5, 50.0, 51.0], [50.0 * factor, 50.5 * factor, 50.0, 51.0])
    (action,) = corporate_actions(bars)
    assert (action.session, action.kind) == (bars["session"][2], ActionKind.DIVIDEND)
    assert action.value == pytest.approx(0.5)
    factors = with_factors(bars, basis_is_split=False)
    assert factors["split_factor"].to_list() == [1.0] * 4
    assert factors["total_factor"].to_list() == pytest.approx([factor, factor, 1, 1])


def test_a_split_and_a_dividend_of_one_session_are_told_apart() -> None:
    factor = 0.5 / (1 + 0.25 / 50)
    bars = priced([100.0, 101.0, 50.0, 50.0], [100 * factor, 101 * factor, 50.0, 50.0])
    dividend, split = corporate_actions(bars)
    assert (dividend.kind, dividend.value) == (ActionKind.DIVIDEND, pytest.approx(0.25))
    assert (split.kind, split.value) == (ActionKind.SPLIT, 2.0)


def test_in_split_adjusted_prices_every_step_is_a_dividend() -> None:
    bars = priced([100.0, 100.0, 80.0, 80.0], [80.0, 80.0, 80.0, 80.0])
    factors = with_factors(bars, basis_is_split=True)
    assert factors["split_factor"].to_list() == [1.0] * 4
    assert factors["total_factor"].to_list() == [0.8, 0.8, 1.0, 1.0]


def test_steps_within_the_rounding_of_the_adjusted_close_are_no_actions() -> None:
    closes = [4.19, 4.23, 4.11, 4.17, 4.27] * 4
    bars = priced(closes, [round(close * 0.7654, 2) for close in closes])
    assert rounding_unit(bars["adj_close"]) == 0.01
    assert corporate_actions(bars) == ()
    assert rounding_unit(pl.Series([1 / 3, 2.5])) == 0.0


def test_rows_without_an_adjusted_close_have_no_factors() -> None:
    bars = priced([10.0, 10.0, 10.0], [10.0, 10.0, 10.0]).with_columns(
        adj_close=pl.Series([10.0, None, 10.0])
    )
    factors = with_factors(bars, basis_is_split=False)
    assert factors["total_factor"].to_list() == [1.0, None, 1.0]
    assert "adj_close" not in factors.columns


def test_actions_come_in_order_of_sessions() -> None:
    bars = priced([100.0, 50.0, 50.5, 50.0], [49.5, 49.5, 50.0, 50.0])
    found = [each.session for each in corporate_actions(bars)]
    assert found == sorted(found)
    assert all(isinstance(each, dt.date) for each in found)
