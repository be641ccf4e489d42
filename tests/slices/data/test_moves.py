from __future__ import annotations

import polars as pl
import pytest

from slices.data.adjustment import FACTORS
from slices.data.moves import large_moves
from slices.data.sources import open_source
from slices.data.validation import validate
from slices.domain.bars import BarShape
from slices.domain.dataset import LargeMove
from tests.support.frames import delivered, ohlcv, scaled, shared_data, with_value


def moves(bars: pl.DataFrame, *, actions_known: bool = False) -> tuple[LargeMove, ...]:
    return large_moves(bars, bars, actions_known=actions_known)


@pytest.mark.parametrize("ratio", [2, 3, 4, 10, 0.05])
def test_r06_a_jump_by_a_split_ratio_with_steady_turnover_looks_like_a_split(ratio: float) -> None:
    bars = scaled(ohlcv(40), 25, 1 / ratio)
    (move,) = moves(bars)
    assert move.session == bars["session"][25]
    assert move.change == pytest.approx(1.005 / ratio - 1)
    assert (move.explained, move.looks_like_split) == (False, True)


def test_r06_a_crash_in_which_everyone_trades_does_not_look_like_a_split() -> None:
    bars = scaled(ohlcv(40), 25, 0.5)
    (move,) = moves(with_value(bars, 25, volume=4e7))
    assert not move.looks_like_split


def test_r06_a_fall_to_no_common_ratio_does_not_look_like_a_split() -> None:
    (move,) = moves(scaled(ohlcv(40), 25, 0.43))
    assert not move.looks_like_split


def test_r06_a_source_that_says_where_splits_are_explains_its_jumps() -> None:
    (move,) = moves(scaled(ohlcv(40), 25, 0.5), actions_known=True)
    assert (move.explained, move.looks_like_split) == (True, False)


def stepping(bars: pl.DataFrame, row: int, step: float, *factors: str) -> pl.DataFrame:
    before = pl.int_range(pl.len()) < row
    return bars.with_columns(
        **{each: pl.when(before).then(1 / step).otherwise(1.0) for each in factors}
    )


@pytest.mark.parametrize("factors", [FACTORS, FACTORS[:1], FACTORS[1:]])
def test_r06_a_factor_that_steps_with_the_jump_explains_it(factors: tuple[str, ...]) -> None:
    (move,) = moves(stepping(scaled(ohlcv(40), 25, 0.5), 25, 2.0, *factors))
    assert (move.explained, move.looks_like_split) == (True, False)


@pytest.mark.parametrize(("row", "step"), [(24, 2.0), (26, 2.0), (25, 1.05), (25, 0.5)])
def test_r06_a_factor_that_steps_elsewhere_or_otherwise_explains_nothing(
    row: int, step: float
) -> None:
    (move,) = moves(stepping(scaled(ohlcv(40), 25, 0.5), row, step, *FACTORS))
    assert (move.explained, move.looks_like_split) == (False, True)


@pytest.mark.parametrize("factor", [None, float("nan")])
def test_r06_an_unknown_factor_explains_nothing(factor: float | None) -> None:
    unknown = (pl.lit(factor, dtype=pl.Float64).alias(each) for each in FACTORS)
    (move,) = moves(scaled(ohlcv(40), 25, 0.5).with_columns(unknown))
    assert (move.explained, move.looks_like_split) == (False, True)


def test_closes_alone_are_judged_by_the_ratio() -> None:
    closes = scaled(ohlcv(40), 25, 0.5).select("session", "close", *FACTORS)
    (move,) = moves(closes)
    assert move.looks_like_split


def test_a_move_within_the_session_is_no_split() -> None:
    bars = ohlcv(40)
    half = bars["close"][25] / 2
    crashed = with_value(bars, 25, close=half, low=half)
    found = moves(crashed)
    assert [each.session for each in found] == bars["session"][25:27].to_list()
    assert not found[0].looks_like_split


def test_a_quarantined_row_is_listed_but_blocks_nothing() -> None:
    bars = with_value(ohlcv(40), 25, close=50.0)
    quality = validate(delivered(bars), BarShape.OHLCV, "XNYS").quality
    assert quality.quarantined == (("high/low inconsistent", 1),)
    assert len(quality.large_moves) == 2
    assert quality.suspected_splits == ()


def test_a_split_hidden_behind_a_quarantined_row_is_found() -> None:
    bars = scaled(ohlcv(40), 26, 0.5)
    hidden = with_value(bars, 25, open=None, close=bars["close"][24] * 0.7)
    (split,) = validate(delivered(hidden), BarShape.OHLCV, "XNYS").quality.suspected_splits
    assert split.session == bars["session"][26]


@pytest.mark.shared_data
def test_r06_real_splits_are_found_and_real_crashes_are_not() -> None:
    source = open_source("files", feed=str(shared_data("lean_daily_raw.parquet")))
    suspected = {
        (symbol, move.session.isoformat())
        for symbol in ("AAPL", "AIG", "BAC", "EEM", "IBM", "IWM", "QQQ", "SPY")
        for move in validate(
            source.fetch(symbol, start=None, end=None), BarShape.OHLCV, "XNYS"
        ).quality.suspected_splits
    }
    assert suspected == {
        ("AAPL", "2000-06-21"),
        ("AAPL", "2005-02-28"),
        ("AAPL", "2014-06-09"),
        ("AAPL", "2020-08-31"),
        ("BAC", "2004-08-30"),
        ("EEM", "2005-06-09"),
        ("EEM", "2008-07-24"),
        ("IBM", "1999-05-27"),
        ("IWM", "2005-06-09"),
        ("QQQ", "2000-03-20"),
    }
