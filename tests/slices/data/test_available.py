from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from prefect import flow

from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.dataset import LoadedBars
from slices.domain.errors import DataError, SymbolNotFoundError
from tests.support.frames import ohlcv, scaled

pytestmark = pytest.mark.server


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A folder of four symbols: good, half as long, no good at all, and one with a jump."""
    good = ohlcv(120)
    frames = {
        "GOOD": good,
        "SHORT": good.tail(40),
        "BROKEN": good.with_columns(close=-good["close"]),
        "SPLIT": scaled(good, 60, 0.5),
    }
    for name, frame in frames.items():
        bars = frame.drop("split_factor", "total_factor")
        bars.write_csv(tmp_path / f"{name}.csv")
    return tmp_path


def loaded(symbols: list[str], feed: Path, **dates: dt.date) -> LoadedBars:
    @flow
    def loading() -> LoadedBars:
        return data.load_available(
            symbols,
            source="files",
            feed=str(feed),
            start=dates.get("start"),
            end=dates.get("end"),
            adjustment=Adjustment.SPLIT,
        )

    return loading()


@pytest.fixture(autouse=True)
def server(api_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOWS_FILES_BASIS", "split")


def test_r07_what_cannot_be_had_is_named_and_the_rest_is_loaded(feed: Path) -> None:
    found = loaded(["GOOD", "ZZZZ", "BROKEN", "SPLIT", "SHORT"], feed)
    assert found.bars.symbols == ("GOOD", "SHORT")
    reasons = {each.symbol: each.reason for each in found.left_out}
    assert set(reasons) == {"ZZZZ", "BROKEN", "SPLIT"}
    assert "not found" in reasons["ZZZZ"]
    assert "split" in reasons["SPLIT"]


def test_a_symbol_without_bars_between_the_dates_is_left_out(feed: Path) -> None:
    found = loaded(["GOOD", "SHORT"], feed, end=dt.date(2024, 3, 1))
    assert found.bars.symbols == ("GOOD",)
    assert [each.symbol for each in found.left_out] == ["SHORT"]
    assert "2024" in found.left_out[0].reason


def test_the_others_are_as_if_the_bad_ones_had_not_been_asked_for(feed: Path) -> None:
    asked = loaded(["GOOD", "ZZZZ", "SHORT"], feed).bars
    assert asked.fingerprint == loaded(["GOOD", "SHORT"], feed).bars.fingerprint


def test_nothing_left_is_an_error(feed: Path) -> None:
    with pytest.raises(SymbolNotFoundError, match="ZZZZ"):
        loaded(["ZZZZ"], feed)
    with pytest.raises(DataError, match="SPLIT"):
        loaded(["SPLIT"], feed)


def test_the_embedded_source_chooses_the_feed_that_has_most() -> None:
    @flow
    def loading() -> LoadedBars:
        return data.load_available(
            ["AAPL", "XOM", "NOPE", "KO"],
            source="embedded",
            feed=None,
            start=dt.date(2020, 1, 1),
            end=None,
            adjustment=Adjustment.TOTAL,
        )

    found = loading()
    assert found.bars.symbols == ("AAPL", "XOM", "KO")
    assert [each.symbol for each in found.left_out] == ["NOPE"]
