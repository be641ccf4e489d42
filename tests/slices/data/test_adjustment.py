from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.data.adjustment import adjusted, available_adjustments
from slices.domain.bars import PRICES, Adjustment
from slices.domain.errors import AdjustmentUnavailableError
from tests.support.frames import ohlcv

BARS = ohlcv(4).with_columns(
    split_factor=pl.Series([0.5, 0.5, 1.0, 1.0]), total_factor=pl.Series([0.4, 0.45, 0.9, 1.0])
)
UNKNOWN = BARS.with_columns(
    split_factor=pl.lit(None, pl.Float64), total_factor=pl.lit(None, pl.Float64)
)


def test_one_factor_multiplies_all_prices() -> None:
    split = adjusted(BARS, Adjustment.RAW, Adjustment.SPLIT)
    total = adjusted(BARS, Adjustment.RAW, Adjustment.TOTAL)
    for price in PRICES:
        assert (split[price] / BARS[price]).to_list() == pytest.approx([0.5, 0.5, 1, 1])
        assert (total[price] / BARS[price]).to_list() == pytest.approx([0.4, 0.45, 0.9, 1])


def test_volume_follows_the_split_factor_only() -> None:
    for adjustment in (Adjustment.SPLIT, Adjustment.TOTAL):
        volume = adjusted(BARS, Adjustment.RAW, adjustment)["volume"]
        assert volume.to_list() == [2e6, 2e6, 1e6, 1e6]


def test_money_traded_is_the_same_before_and_after_a_split() -> None:
    split = adjusted(BARS, Adjustment.RAW, Adjustment.SPLIT)
    before, after = BARS["close"] * BARS["volume"], split["close"] * split["volume"]
    assert after.to_list() == pytest.approx(before.to_list())


@given(st.floats(0.001, 1000))
def test_scaling_prices_scales_adjusted_prices(scale: float) -> None:
    scaled = BARS.with_columns(pl.col(PRICES) * scale)
    one, other = (adjusted(b, Adjustment.RAW, Adjustment.TOTAL) for b in (BARS, scaled))
    assert other["close"].to_list() == pytest.approx((one["close"] * scale).to_list())


def test_prices_as_delivered_are_always_available() -> None:
    for basis in Adjustment:
        assert available_adjustments(UNKNOWN, basis) == (basis,)
        assert adjusted(UNKNOWN, basis, basis).columns == BARS.columns[:-2]


def test_an_unknown_factor_on_one_row_makes_an_adjustment_unavailable() -> None:
    hole = BARS.with_columns(total_factor=pl.Series([0.4, None, 0.9, 1.0]))
    assert available_adjustments(hole, Adjustment.RAW) == (Adjustment.RAW, Adjustment.SPLIT)
    with pytest.raises(AdjustmentUnavailableError, match=r"AAA: no 'total' prices; .*raw, split"):
        adjusted(hole, Adjustment.RAW, Adjustment.TOTAL, dataset="AAA")


def test_a_split_cannot_be_undone() -> None:
    with pytest.raises(AdjustmentUnavailableError, match="no 'raw' prices"):
        adjusted(BARS, Adjustment.SPLIT, Adjustment.RAW)


def test_volume_without_a_split_factor_makes_total_prices_unavailable() -> None:
    half = BARS.with_columns(split_factor=pl.lit(None, pl.Float64))
    assert Adjustment.TOTAL not in available_adjustments(half, Adjustment.RAW)
    closes = half.select("session", "close", "split_factor", "total_factor")
    assert Adjustment.TOTAL in available_adjustments(closes, Adjustment.RAW)
