from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slices.domain.dataset import DatasetRef, read_bars, wide_values
from slices.quant.panel import read_panel
from tests.support.frames import FrameSource, load, ohlcv


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    """Three symbols: whole, with a hole, and a late one."""
    whole = ohlcv(60)
    hole = ohlcv(60, level=50.0).filter(pl.int_range(pl.len()) != 30)
    frames = {"WHOLE": whole, "HOLE": hole, "LATE": ohlcv(60, level=20.0).tail(25)}
    source = FrameSource(dict(frames))
    return load(source, tmp_path_factory.mktemp("bars"), "LATE", "WHOLE", "HOLE")


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
def test_a_panel_is_the_bars_side_by_side(bars: DatasetRef, field: str) -> None:
    panel = read_panel(bars)
    wide = wide_values(read_bars(bars), field, bars.symbols)
    assert panel.symbols == ("LATE", "WHOLE", "HOLE")
    assert panel.sessions == tuple(wide["session"].to_list())
    np.testing.assert_array_equal(getattr(panel, field), wide.select(bars.symbols).to_numpy())


def test_what_is_missing_is_never_filled(bars: DatasetRef) -> None:
    panel = read_panel(bars)
    assert np.isnan(panel.close).sum(axis=0).tolist() == [35, 0, 1]
    assert np.isnan(panel.close[30, 2])


def test_parts_of_a_panel(bars: DatasetRef) -> None:
    panel = read_panel(bars)
    early = panel.until(10)
    assert early.sessions == panel.sessions[:10]
    assert early.volume is not None
    assert early.volume.shape == (10, 3)
    middle = panel.between(20, 30)
    assert middle.sessions[0] == panel.sessions[20]
    np.testing.assert_array_equal(middle.close, panel.close[20:30])
    turned = panel.columns([2, 0])
    assert turned.symbols == ("HOLE", "LATE")
    np.testing.assert_array_equal(turned.close, panel.close[:, [2, 0]])
    assert isinstance(panel.sessions[0], dt.date)


def test_decisions_fill_at_opens_where_there_are_any(bars: DatasetRef, tmp_path: Path) -> None:
    panel = read_panel(bars)
    assert panel.fill_prices is panel.open
