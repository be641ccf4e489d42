from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from slices.domain.bars import BarShape, check_bars
from slices.domain.errors import BadDataError, MissingColumnsError

GOOD = pl.DataFrame(
    {
        "symbol": ["A", "A", "B"],
        "session": [dt.date(2024, 1, 2), dt.date(2024, 1, 3), dt.date(2024, 1, 2)],
        "open": [10.0, 11.0, 5.0],
        "high": [12.0, 12.0, 6.0],
        "low": [9.0, 10.0, 4.0],
        "close": [11.0, 10.5, 5.5],
        "volume": [100.0, 200.0, 300.0],
    }
)


def changed(column: str, value: float | None) -> pl.DataFrame:
    at_first = pl.int_range(pl.len()) == 0
    return GOOD.with_columns(pl.when(at_first).then(pl.lit(value)).otherwise(column).alias(column))


def test_good_bars_pass_and_tell_their_shape() -> None:
    assert check_bars(GOOD) is BarShape.OHLCV
    assert check_bars(GOOD.select("symbol", "session", "close")) is BarShape.CLOSE_ONLY


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("close", None, "missing price"),
        ("open", float("nan"), "missing price"),
        ("close", float("inf"), "infinite"),
        ("low", 0.0, "not positive"),
        ("close", -1.0, "not positive"),
        ("high", 8.0, "inconsistent"),
        ("low", 11.5, "inconsistent"),
        ("volume", None, "missing volume"),
        ("volume", -5.0, "negative volume"),
        ("volume", 0.0, "zero volume"),
    ],
)
def test_r01_a_bad_value_is_refused_by_name(column: str, value: float | None, problem: str) -> None:
    with pytest.raises(BadDataError, match=problem):
        check_bars(changed(column, value))


def test_order_duplicates_and_types_are_checked() -> None:
    with pytest.raises(BadDataError, match="not sorted"):
        check_bars(GOOD.reverse())
    with pytest.raises(BadDataError, match="two bars"):
        check_bars(pl.concat([GOOD, GOOD.head(1)]))
    with pytest.raises(BadDataError, match="volume is Int64"):
        check_bars(GOOD.cast({"volume": pl.Int64}))
    with pytest.raises(MissingColumnsError, match="volume"):
        check_bars(GOOD.drop("volume"))
