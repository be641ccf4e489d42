from __future__ import annotations

import datetime as dt
import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from slices.data.actions import factor_steps
from slices.data.adapters import embedded
from slices.data.adapters.embedded import (
    US_CLOSE20,
    US_OHLCV5,
    EmbeddedSource,
    open_embedded,
)
from slices.data.adjustment import adjusted
from slices.domain.bars import Adjustment, BarShape
from slices.domain.errors import (
    AdjustmentUnavailableError,
    IntegrityError,
    ParameterError,
    SourceNotInstalledError,
    SymbolNotFoundError,
)


@pytest.mark.parametrize(
    ("symbols", "feed"),
    [
        (["AAPL"], "us_ohlcv5"),
        (["META", "GOOGL", "AAPL", "MSFT", "IBM"], "us_ohlcv5"),
        (["AAPL", "JPM"], "us_close20"),
        (["XOM"], "us_close20"),
        ([], "us_ohlcv5"),
    ],
)
def test_the_first_feed_that_has_all_symbols_is_chosen(symbols: list[str], feed: str) -> None:
    assert open_embedded(None, symbols).feed == feed


def test_r07_the_best_match_names_what_it_lacks_and_which_feed_has_what() -> None:
    with pytest.raises(SymbolNotFoundError) as raised:
        open_embedded(None, ["AAPL", "ZZZZ", "META"])
    assert raised.value.symbols == ("ZZZZ",)
    assert raised.value.available == US_OHLCV5.symbols
    message = str(raised.value)
    assert message.startswith("ZZZZ: not found in source 'embedded/us_ohlcv5'")
    assert "feed us_close20 has: AAPL, AMD" in message


def test_r07_feeds_are_never_spliced() -> None:
    with pytest.raises(SymbolNotFoundError, match="JPM: not found"):
        open_embedded(None, ["META", "MSFT", "JPM"])
    source = open_embedded("us_ohlcv5", ["AAPL"])
    with pytest.raises(SymbolNotFoundError, match=r"feed us_close20 has: .*JPM"):
        source.fetch("JPM", start=None, end=None)


@pytest.mark.parametrize(("old", "new"), [("FB", "META"), ("GOOG", "GOOGL")])
def test_r07_a_renamed_symbol_is_told_its_name_today(old: str, new: str) -> None:
    with pytest.raises(SymbolNotFoundError, match=f"{old} is named {new} today"):
        open_embedded(None, [old])


def test_an_unknown_feed_is_refused() -> None:
    with pytest.raises(ParameterError, match="feed: found 'nope'; allowed: us_ohlcv5, us_close20"):
        open_embedded("nope", ["AAPL"])


def test_raw_bars_are_those_of_the_file() -> None:
    fetched = open_embedded("us_ohlcv5", []).fetch("AAPL", start=None, end=None)
    first = fetched.bars.row(0, named=True)
    assert (first["session"], first["open"], first["close"], first["volume"]) == (
        dt.date(2000, 3, 1),
        118.56,
        130.31,
        9616100.0,
    )
    assert fetched.bars.height == 3270
    assert (fetched.basis, fetched.actions_known) == (Adjustment.RAW, True)


def test_totally_adjusted_closes_move_like_the_files_adjusted_close() -> None:
    for symbol in US_OHLCV5.symbols:
        bars = open_embedded("us_ohlcv5", []).fetch(symbol, start=None, end=None).bars
        ours = adjusted(bars, Adjustment.RAW, Adjustment.TOTAL)["close"].pct_change()
        theirs = embedded._stocks().filter(pl.col("symbol") == symbol)["adj_close"].pct_change()
        assert (ours - theirs).abs().max() < 1e-9


def test_factors_change_on_actions_only_and_end_at_one() -> None:
    for symbol in US_OHLCV5.symbols:
        bars = open_embedded("us_ohlcv5", []).fetch(symbol, start=None, end=None).bars
        changed = bars.filter(pl.col("total_factor") != pl.col("total_factor").shift(1))
        acted = {session for each in splits_and_dividends(symbol) for session in each}
        assert changed["session"].cast(pl.String).to_list() == sorted(acted)
        assert bars.row(-1)[-2:] == (1.0, 1.0)


def splits_and_dividends(symbol: str) -> tuple[dict[str, float], dict[str, float]]:
    """Map sessions to ratios, and to cash per share."""
    steps = factor_steps(embedded._stocks().filter(pl.col("symbol") == symbol))
    named = steps.select(
        pl.col("session").cast(pl.String),
        split="split_step",
        cash=((pl.col("dividend_step") - 1) * pl.col("close")).round(6),
    )
    splits = named.filter(pl.col("split") != 1).select("session", "split")
    dividends = named.filter(pl.col("cash") != 0).select("session", "cash")
    return dict(splits.iter_rows()), dict(dividends.iter_rows())


def test_actions_are_the_ones_that_happened() -> None:
    assert splits_and_dividends("AAPL") == (
        {"2000-06-21": 2.0, "2005-02-28": 2.0},
        {"2012-08-09": 2.65, "2012-11-07": 2.65, "2013-02-07": 2.65},
    )
    splits, dividends = splits_and_dividends("MSFT")
    assert splits == {"2003-02-18": 2.0}
    assert dividends["2004-11-15"] == 3.08
    assert [len(each) for each in splits_and_dividends("IBM")] == [0, 52]
    assert splits_and_dividends("GOOGL") == splits_and_dividends("META") == ({}, {})


def test_dates_limit_rows_but_not_factors() -> None:
    source = open_embedded("us_ohlcv5", [])
    whole = source.fetch("AAPL", start=None, end=None).bars
    part = source.fetch("AAPL", start=dt.date(2001, 1, 1), end=dt.date(2001, 12, 31)).bars
    inside = pl.col("session").is_between(dt.date(2001, 1, 1), dt.date(2001, 12, 31))
    assert part.equals(whole.filter(inside))


def test_close_only_bars_are_never_completed() -> None:
    source = open_embedded("us_close20", [])
    fetched = source.fetch("JPM", start=None, end=None)
    assert fetched.bars.columns == ["session", "close", "split_factor", "total_factor"]
    assert (fetched.basis, source.capabilities.shape) == (Adjustment.TOTAL, BarShape.CLOSE_ONLY)
    assert source.capabilities.adjustments == (Adjustment.TOTAL,)
    with pytest.raises(AdjustmentUnavailableError):
        adjusted(fetched.bars, fetched.basis, Adjustment.SPLIT)


@pytest.mark.parametrize("feed", [US_OHLCV5, US_CLOSE20])
def test_each_feed_says_that_survivorship_is_not_controlled(
    feed: embedded.EmbeddedFeed,
) -> None:
    source = EmbeddedSource(feed)
    assert "Survivorship is not controlled" in source.universe_note
    assert "hindsight" in source.universe_note
    assert source.symbols() == tuple(sorted(feed.symbols))
    assert source.version() == feed.sha256


def test_r09_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "changed_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "prices.csv.gz").write_bytes(gzip.compress(b"Ticker,Date\n"))
    monkeypatch.syspath_prepend(tmp_path)
    changed = replace(US_OHLCV5, package="changed_package", file="prices.csv.gz")
    with pytest.raises(IntegrityError, match="not the file this was written for"):
        embedded._file_bytes(changed)
    with pytest.raises(IntegrityError):
        embedded._file_bytes(replace(changed, file="gone.csv.gz"))


def test_a_missing_package_is_named() -> None:
    absent = replace(US_OHLCV5, package="no_such_package")
    with pytest.raises(SourceNotInstalledError, match="bokeh-sampledata is not installed"):
        embedded._file_bytes(absent)


def test_reading_embedded_bars_imports_neither_package() -> None:
    code = (
        "import sys; from slices.data.sources import open_source\n"
        "for feed, symbol in (('us_ohlcv5', 'META'), ('us_close20', 'XOM')):\n"
        "    open_source('embedded', feed=feed).fetch(symbol, start=None, end=None)\n"
        "assert not {'skfolio', 'bokeh_sampledata', 'yfinance', 'alpaca'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(embedded.__file__).parents[3])
