from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from slices.data.adapters.files import open_files
from slices.data.adjustment import adjusted
from slices.data.validation import validate
from slices.domain.bars import Adjustment, BarShape
from slices.domain.errors import (
    BadDataError,
    MalformedAnswerError,
    MissingColumnsError,
    ParameterError,
    SymbolNotFoundError,
)
from tests.support.frames import ohlcv, scaled, shared_data

VALUES = ["session", "open", "high", "low", "close", "volume"]


def long_table(*symbols: str) -> pl.DataFrame:
    return pl.concat(
        ohlcv(level=10.0 * (i + 1)).select(pl.lit(symbol).alias("symbol"), *VALUES)
        for i, symbol in enumerate(symbols)
    )


def closes(feed: Path, symbol: str, *, basis: Adjustment | None = None) -> pl.Series:
    return open_files(str(feed), basis=basis).fetch(symbol, start=None, end=None).bars["close"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_long_table_is_read(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"prices.{kind}"
    table = long_table("AAA", "BBB")
    table.write_csv(file) if kind == "csv" else table.write_parquet(file)
    source = open_files(str(file))
    assert source.symbols() == ("AAA", "BBB")
    assert source.capabilities.shape is BarShape.OHLCV
    fetched = source.fetch("BBB", start=None, end=None)
    assert fetched.bars.select(VALUES).equals(ohlcv(level=20.0).select(VALUES))
    assert validate(fetched, BarShape.OHLCV, "XNYS").quality.rows == 30


def test_column_names_are_matched_by_meaning(tmp_path: Path) -> None:
    theirs = ["Ticker", " Date", "OPEN", "High", "low", "Close", "Vol"]
    names = dict(zip(["symbol", *VALUES], theirs, strict=True))
    file = tmp_path / "prices.csv"
    long_table("aaa").rename(names).with_columns(
        (pl.col("Close") / 2).alias("Adj Close")
    ).write_csv(file)
    source = open_files(str(file))
    assert source.symbols() == ("AAA",)
    assert source.capabilities.adjustments == (Adjustment.SPLIT, Adjustment.TOTAL)


def test_a_wide_table_holds_closes(tmp_path: Path) -> None:
    wide = ohlcv().select("session", AAA="close", LOW=pl.col("close") * 2)
    wide = wide.with_columns(AAA=pl.when(pl.int_range(pl.len()) > 4).then("AAA"))
    wide.rename({"session": ""}).write_csv(tmp_path / "wide.csv")
    source = open_files(str(tmp_path / "wide.csv"))
    assert source.symbols() == ("AAA", "LOW")
    assert source.capabilities.shape is BarShape.CLOSE_ONLY
    assert closes(tmp_path / "wide.csv", "AAA").len() == 25, "an empty cell is no bar"
    assert closes(tmp_path / "wide.csv", "LOW").to_list() == wide["LOW"].to_list()


def test_a_folder_of_one_file_per_symbol_is_read(tmp_path: Path) -> None:
    ohlcv().select(VALUES).write_csv(tmp_path / "brk.b.csv")
    ohlcv(level=5).select(VALUES).write_parquet(tmp_path / "AAA.parquet")
    (tmp_path / "notes.txt").write_text("not a table")
    source = open_files(str(tmp_path))
    assert source.symbols() == ("AAA", "BRK.B")


def test_prices_without_volume_are_closes_only(tmp_path: Path) -> None:
    long_table("AAA").drop("volume").write_csv(tmp_path / "prices.csv")
    assert open_files(str(tmp_path / "prices.csv")).capabilities.shape is BarShape.CLOSE_ONLY


def test_undeclared_prices_count_as_split_adjusted_and_nothing_more(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    long_table("AAA").write_csv(file)
    source = open_files(str(file))
    fetched = source.fetch("AAA", start=None, end=None)
    assert source.capabilities.adjustments == (Adjustment.SPLIT,)
    assert (fetched.basis, fetched.actions_known) == (Adjustment.SPLIT, False)
    assert fetched.bars["total_factor"].null_count() == 30


@pytest.mark.parametrize("basis", list(Adjustment))
def test_a_declared_basis_is_believed(tmp_path: Path, basis: Adjustment) -> None:
    file = tmp_path / "prices.csv"
    long_table("AAA").write_csv(file)
    source = open_files(str(file), basis=basis)
    assert source.capabilities.adjustments == (basis,)
    assert source.fetch("AAA", start=None, end=None).basis is basis
    assert source.version() != open_files(str(file)).version()


def with_split(tmp_path: Path) -> Path:
    """Write raw bars of a 2:1 split with an adjusted close that knows of it."""
    raw = scaled(ohlcv(), 15, 0.5)
    factor = pl.when(pl.int_range(pl.len()) < 15).then(0.5).otherwise(1.0)
    table = raw.select(*VALUES).with_columns(adj_close=pl.col("close") * factor)
    table.write_csv(tmp_path / "AAA.csv")
    return tmp_path / "AAA.csv"


@pytest.mark.parametrize("basis", [None, Adjustment.RAW])
def test_an_adjusted_close_shows_the_splits_that_prices_contain(
    tmp_path: Path, basis: Adjustment | None
) -> None:
    fetched = open_files(str(with_split(tmp_path)), basis=basis).fetch("AAA", start=None, end=None)
    assert (fetched.basis, fetched.actions_known) == (Adjustment.RAW, False)
    smooth = adjusted(fetched.bars, fetched.basis, Adjustment.SPLIT)
    assert (smooth["close"].pct_change().abs().max() or 1) < 0.01


def test_steps_in_declared_split_adjusted_prices_are_dividends(tmp_path: Path) -> None:
    source = open_files(str(with_split(tmp_path)), basis=Adjustment.SPLIT)
    bars = source.fetch("AAA", start=None, end=None).bars
    assert bars["split_factor"].unique().to_list() == [1.0]
    assert bars["total_factor"][0] == pytest.approx(0.5)


def test_declared_total_prices_ignore_an_adjusted_close(tmp_path: Path) -> None:
    source = open_files(str(with_split(tmp_path)), basis=Adjustment.TOTAL)
    assert source.capabilities.adjustments == (Adjustment.TOTAL,)
    assert source.fetch("AAA", start=None, end=None).bars["total_factor"].unique().to_list() == [1]


def test_an_adjusted_close_without_steps_leaves_prices_split_adjusted(tmp_path: Path) -> None:
    table = long_table("AAA").with_columns(adj_close=pl.col("close") * 0.9)
    table.write_csv(tmp_path / "prices.csv")
    fetched = open_files(str(tmp_path / "prices.csv")).fetch("AAA", start=None, end=None)
    assert fetched.basis is Adjustment.SPLIT
    assert adjusted(fetched.bars, fetched.basis, Adjustment.TOTAL)["close"][-1] == pytest.approx(
        ohlcv(level=10)["close"][-1]
    )


def test_dates_limit_the_rows(tmp_path: Path) -> None:
    long_table("AAA").write_csv(tmp_path / "prices.csv")
    dates = ohlcv()["session"]
    source = open_files(str(tmp_path / "prices.csv"))
    bars = source.fetch("AAA", start=dates[3], end=dates[5]).bars
    assert bars["session"].to_list() == dates[3:6].to_list()


def test_r09_the_version_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    long_table("AAA").write_csv(file)
    before = open_files(str(file))
    assert open_files(str(file)).version() == before.version()
    content = file.read_bytes()
    file.write_bytes(content.replace(b"1000000", b"1000001", 1))
    after = open_files(str(file))
    assert after.version() != before.version()
    volumes = [s.fetch("AAA", start=None, end=None).bars["volume"][0] for s in (before, after)]
    assert volumes == [1e6, 1e6 + 1]


def test_r07_an_unknown_symbol_is_named_with_what_there_is(tmp_path: Path) -> None:
    long_table("AAA", "BBB").write_csv(tmp_path / "prices.csv")
    with pytest.raises(SymbolNotFoundError, match=r"ZZZZ: not found .*it has: AAA, BBB"):
        open_files(str(tmp_path / "prices.csv")).fetch("ZZZZ", start=None, end=None)


@pytest.mark.parametrize("feed", [None, "", "gone.csv", "empty"])
def test_a_feed_without_tables_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(ParameterError, match="feed: found"):
        open_files(feed)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"<html><body>Not Found</body></html>", "a.csv: an HTML or XML page"),
        ("a.csv", b"", "a.csv: not CSV"),
        ("a.csv", b"date,close\n2024-01-02,1,2,3\n", "a.csv: not CSV"),
        ("a.parquet", b"PAR1 and then nothing", "a.parquet: not Parquet"),
        ("a.parquet", b"", "a.parquet: not Parquet"),
    ],
)
def test_r04_a_file_that_is_not_a_table_is_named(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MalformedAnswerError) as raised:
        open_files(str(tmp_path / name))
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("percent", range(0, 100, 10))
def test_r10_a_truncated_parquet_file_is_refused(tmp_path: Path, percent: int) -> None:
    file = tmp_path / "prices.parquet"
    long_table("AAA").write_parquet(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * percent // 100])
    with pytest.raises(MalformedAnswerError, match=r"prices\.parquet: not Parquet"):
        open_files(str(file))


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("a,b\n1,2\n", "date"),
        ("date\n2024-01-02\n", "symbol, close"),
        ("date,comment\n2024-01-02,hello\n", "symbol, close"),
    ],
)
def test_a_table_without_prices_says_what_was_found(tmp_path: Path, text: str, needed: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(MissingColumnsError, match=rf"a\.csv: needs columns {needed}; found"):
        open_files(str(tmp_path / "a.csv"))


def test_text_among_numbers_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("date,symbol,close\n2024-01-02,AAA,1\n2024-01-03,AAA,one\n")
    with pytest.raises(BadDataError, match=r"a\.csv: column close holds 'one', not only numbers"):
        open_files(str(tmp_path / "a.csv"))


def test_no_value_is_a_missing_price_and_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "date,symbol,close\n2024-01-02,AAA,1\n2024-01-03,AAA,N/A\n2024-01-04,AAA,NaN\n"
    )
    assert closes(tmp_path / "a.csv", "AAA").to_list() == [1.0, None, None]


def test_tables_of_different_shape_do_not_mix(tmp_path: Path) -> None:
    ohlcv().select(VALUES).write_csv(tmp_path / "AAA.csv")
    ohlcv().select("session", "close").write_csv(tmp_path / "BBB.csv")
    with pytest.raises(BadDataError, match=r"BBB\.csv: has close_only columns, but AAA\.csv has"):
        open_files(str(tmp_path))


def test_r02_clock_times_without_a_zone_are_refused_by_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("date,symbol,close\n2024-01-02 16:00:00,AAA,1\n")
    with pytest.raises(BadDataError, match=r"a\.csv: '2024-01-02 16:00:00' is not a date"):
        open_files(str(tmp_path / "a.csv"))


@pytest.mark.shared_data
def test_shared_tables_are_read_as_they_are() -> None:
    wiki = open_files(str(shared_data("wiki_plotly.parquet")), basis=Adjustment.RAW)
    assert wiki.symbols() == ("AAPL", "COKE", "GOOGL", "TSLA", "YHOO")
    assert wiki.capabilities.adjustments == tuple(Adjustment)
    vix = open_files(str(shared_data("vix_1990_2026.parquet")))
    assert vix.capabilities.shape is BarShape.CLOSE_ONLY
    with pytest.raises(MissingColumnsError, match=r"lean_factors\.parquet"):
        open_files(str(shared_data("lean_factors.parquet")))
    assert dt.date(1990, 1, 2) == vix.fetch("^VIX", start=None, end=None).bars["session"].min()
