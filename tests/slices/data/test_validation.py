from __future__ import annotations

import datetime as dt
import time
from collections import Counter

import polars as pl
import pytest

from slices.data.sources import open_source
from slices.data.validation import ValidatedBars, validate
from slices.domain.bars import BarShape, check_bars
from slices.domain.errors import BadDataError, MissingColumnsError
from tests.support.frames import delivered, ohlcv, shared_data, with_value


def checked(bars: pl.DataFrame) -> ValidatedBars:
    return validate(delivered(bars), BarShape.OHLCV, "XNYS")


def test_good_bars_pass_untouched() -> None:
    bars = ohlcv()
    found = checked(bars)
    assert found.bars.equals(bars)
    assert found.quarantine.is_empty()
    assert found.quality.rows == 30
    assert (found.quality.first_session, found.quality.last_session) == (
        bars["session"][0],
        bars["session"][-1],
    )


def test_r02_unsorted_bars_are_sorted() -> None:
    bars = ohlcv()
    assert checked(bars.sample(fraction=1, shuffle=True, seed=3)).bars.equals(bars)


def test_r02_identical_duplicates_are_kept_once_and_counted() -> None:
    bars = ohlcv()
    found = checked(pl.concat([bars, bars.slice(4, 2)]))
    assert found.bars.equals(bars)
    assert found.quality.quarantined == (("identical duplicate", 2),)


def test_r02_conflicting_duplicates_are_all_set_aside() -> None:
    bars = ohlcv()
    other = with_value(bars.slice(4, 1), 0, volume=5.0)
    found = checked(pl.concat([bars, other, other]))
    assert found.quality.quarantined == (("conflicting duplicate", 3),)
    assert bars["session"][4] not in found.bars["session"]
    assert set(found.quarantine["session"]) == {bars["session"][4]}
    assert found.quality.missing_sessions == ()


def test_r03_weekends_and_holidays_are_refused() -> None:
    bars = ohlcv()
    weekend, holiday = dt.date(2024, 1, 6), dt.date(2024, 1, 15)
    strangers = bars.head(2).with_columns(session=pl.Series([weekend, holiday]))
    found = checked(pl.concat([bars, strangers]))
    assert found.bars.equals(bars)
    assert found.quarantine["session"].to_list() == [weekend, holiday]
    assert found.quality.quarantined == (("not a session of XNYS", 2),)


def test_r03_missing_sessions_are_listed_and_not_filled() -> None:
    bars = ohlcv()
    gone = [bars["session"][i] for i in (3, 4, 10, 20, 28)]
    found = checked(bars.filter(~pl.col("session").is_in(gone)))
    assert list(found.quality.missing_sessions) == gone
    assert found.bars.height == 25


def test_r03_a_quarantined_session_is_bad_and_not_missing() -> None:
    bars = ohlcv()
    found = checked(with_value(bars, 7, close=None))
    assert found.quality.missing_sessions == ()
    assert found.quarantine["session"].to_list() == [bars["session"][7]]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"open": None}, "missing price"),
        ({"close": float("nan")}, "missing price"),
        ({"high": float("inf")}, "infinite value"),
        ({"volume": float("inf")}, "infinite value"),
        ({"low": 0.0}, "price not positive"),
        ({"close": -1.0}, "price not positive"),
        ({"high": 1.0}, "high/low inconsistent"),
        ({"volume": 0.0}, "zero volume"),
        ({"volume": -5.0}, "negative volume"),
        ({"volume": None}, "missing volume"),
        ({"volume": float("nan")}, "missing volume"),
        ({"split_factor": 0.0}, "factor not positive"),
        ({"total_factor": float("nan")}, "factor not positive"),
        ({"open": None, "volume": 0.0}, "missing price, zero volume"),
    ],
)
def test_r01_each_defect_has_its_reason(values: dict[str, float | None], reason: str) -> None:
    bars = ohlcv()
    found = checked(with_value(bars, 12, **values))
    assert found.quality.quarantined == ((reason, 1),)
    assert found.quarantine["session"].to_list() == [bars["session"][12]]
    assert found.bars.height == 29


def test_unknown_factors_are_no_defect() -> None:
    bars = ohlcv().with_columns(split_factor=pl.lit(None), total_factor=pl.lit(None))
    assert checked(bars).quality.rows == 30


def test_a_row_without_a_session_is_set_aside() -> None:
    bars = ohlcv()
    nameless = bars.head(1).with_columns(session=pl.lit(None, pl.Date))
    assert checked(pl.concat([bars, nameless])).quality.quarantined == (("missing session", 1),)


def test_whole_numbers_are_accepted() -> None:
    assert checked(ohlcv().with_columns(pl.col("volume").cast(pl.Int64))).quality.rows == 30


def test_a_symbol_without_a_good_row_is_rejected_with_the_reasons() -> None:
    bars = ohlcv().with_columns(volume=pl.lit(0.0))
    with pytest.raises(BadDataError, match="AAA: no good row left; found 30 x zero volume"):
        checked(bars)
    with pytest.raises(BadDataError, match="no rows at all"):
        checked(bars.clear())


def test_a_column_of_the_wrong_type_rejects_the_symbol() -> None:
    with pytest.raises(BadDataError, match="wrong column types: open is String"):
        checked(ohlcv().with_columns(pl.col("open").cast(pl.String)))
    with pytest.raises(BadDataError, match="session is Datetime"):
        checked(ohlcv().with_columns(pl.col("session").cast(pl.Datetime)))


def test_an_absent_column_rejects_the_symbol() -> None:
    with pytest.raises(MissingColumnsError, match=r"AAA: needs columns .*volume"):
        checked(ohlcv().drop("volume"))


def test_every_delivered_row_is_kept_or_set_aside_and_the_input_is_not_changed() -> None:
    bars = with_value(pl.concat([ohlcv(), ohlcv(5)]), 9, close=None)
    before = bars.clone()
    found = checked(bars)
    assert found.bars.height + found.quarantine.height == bars.height
    assert bars.equals(before)


@pytest.mark.shared_data
def test_r01_golden_defect_counts_of_five_hundred_real_shares() -> None:
    feed = str(shared_data("sp500_505_2013_2018.parquet"))
    source = open_source("files", feed=feed)
    fetched = [source.fetch(symbol, start=None, end=None) for symbol in source.symbols()]
    checked(ohlcv())
    began = time.perf_counter()
    found = [validate(each, BarShape.OHLCV, "XNYS").quality for each in fetched]
    elapsed_seconds = time.perf_counter() - began
    counts: Counter[str] = Counter()
    for reasons, count in (pair for each in found for pair in each.quarantined):
        counts.update(dict.fromkeys(reasons.split(", "), count))
    assert counts == {"missing price": 11, "high/low inconsistent": 12, "zero volume": 4}
    missing = {each.symbol: len(each.missing_sessions) for each in found if each.missing_sessions}
    assert missing == {"DHR": 16, "O": 16, "ES": 10, "ICE": 5, "BMY": 2, "ORCL": 2}
    assert sum(missing.values()) == 51
    assert sum(len(each.large_moves) for each in found) == 11
    suspected = [(q.symbol, m.session) for q in found for m in q.suspected_splits]
    assert suspected == [("DISCA", dt.date(2014, 8, 7)), ("DISCK", dt.date(2014, 8, 7))]
    assert elapsed_seconds < 8, "a wide margin over the 1.1 s measured on an idle machine"


@pytest.mark.parametrize("feed", ["us_ohlcv5", "us_close20"])
def test_r01_embedded_bars_have_no_defect_but_real_moves(feed: str) -> None:
    source = open_source("embedded", feed=feed)
    shape = source.capabilities.shape
    found = [
        validate(source.fetch(symbol, start=None, end=None), shape, "XNYS")
        for symbol in source.symbols()
    ]
    assert [each.quality.symbol for each in found if each.quarantine.height] == []
    assert [each.quality.symbol for each in found if each.quality.missing_sessions] == []
    assert [each.quality.symbol for each in found if each.quality.suspected_splits] == []
    for each in found:
        check_bars(each.bars.with_columns(symbol=pl.lit(each.symbol)))


def test_r06_apples_real_crash_survives_beside_its_splits() -> None:
    source = open_source("embedded", feed="us_ohlcv5")
    found = validate(source.fetch("AAPL", start=None, end=None), BarShape.OHLCV, "XNYS")
    moves = {m.session.isoformat(): round(m.change, 3) for m in found.quality.large_moves}
    assert moves == {"2000-06-21": -0.451, "2000-09-29": -0.519, "2005-02-28": -0.496}
    crash = found.bars.filter(pl.col("session") == dt.date(2000, 9, 29))
    assert crash["close"].item() == 25.75
    around = found.bars.filter(
        pl.col("session").is_between(dt.date(2000, 9, 28), dt.date(2000, 10, 2))
    )
    assert around["split_factor"].n_unique() == 1
