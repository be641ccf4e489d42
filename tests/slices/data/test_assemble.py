from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from slices.data.assemble import assemble
from slices.data.ingest import ingest
from slices.data.sources import open_source
from slices.data.store import BarStore
from slices.domain.bars import Adjustment, BarShape
from slices.domain.clock import FixedClock
from slices.domain.dataset import read_bars, read_closes
from slices.domain.errors import (
    AdjustmentUnavailableError,
    BadDataError,
    IntegrityError,
    ParameterError,
    SymbolNotFoundError,
)
from tests.support.frames import INSTANT, FrameSource, load, ohlcv, scaled, sessions, with_value


@pytest.fixture
def source() -> FrameSource:
    return FrameSource({"AAA": ohlcv(), "BBB": ohlcv(20, level=7), "CCC": ohlcv(30, level=9)})


def test_a_dataset_holds_the_symbols_asked_for(source: FrameSource, tmp_path: Path) -> None:
    ref = load(source, tmp_path, "BBB", "AAA")
    bars = read_bars(ref)
    assert ref.symbols == ("BBB", "AAA")
    assert bars["symbol"].unique().sort().to_list() == ["AAA", "BBB"]
    assert (ref.rows, ref.shape) == (50, BarShape.OHLCV)
    assert (ref.first_session, ref.last_session) == (sessions(30)[0], sessions(30)[-1])
    assert read_closes(ref).columns == ["session", "BBB", "AAA"]
    assert read_closes(ref)["BBB"].null_count() == 10, "nothing is filled"
    assert dict(bars.schema) == ref.shape.schema
    assert Path(ref.path).parent == tmp_path / "datasets"


def test_dates_are_included_and_limit_rows_and_quality(tmp_path: Path) -> None:
    dates = sessions(30)
    bars = with_value(scaled(ohlcv(), 20, 0.5), 2, close=None)
    bars = with_value(bars, 8, volume=0.0).filter(pl.col("session") != dates[9])
    source = FrameSource({"AAA": bars})
    whole = load(source, tmp_path, "AAA").quality[0]
    assert whole.quarantined == (("missing price", 1), ("zero volume", 1))
    assert (whole.missing_sessions, len(whole.large_moves)) == ((dates[9],), 1)
    ref = load(source, tmp_path, "AAA", start=dates[4], end=dates[15])
    part = ref.quality[0]
    assert (ref.first_session, ref.last_session, ref.rows) == (dates[4], dates[15], 10)
    assert (part.rows, part.first_session, part.last_session) == (10, dates[4], dates[15])
    assert part.quarantined == (("zero volume", 1),)
    assert (part.missing_sessions, part.large_moves) == ((dates[9],), ())


def test_equal_content_has_an_equal_fingerprint_and_is_written_once(
    source: FrameSource, tmp_path: Path
) -> None:
    first = load(source, tmp_path / "one", "AAA", "BBB")
    other = load(source, tmp_path / "two", "AAA", "BBB")
    assert (first.fingerprint, first.checksum) == (other.fingerprint, other.checksum)
    written = Path(first.path).stat().st_mtime_ns
    assert load(source, tmp_path / "one", "AAA", "BBB") == first
    assert Path(first.path).stat().st_mtime_ns == written


def test_r09_any_difference_is_another_fingerprint(source: FrameSource, tmp_path: Path) -> None:
    dates = sessions(30)
    refs = [
        load(source, tmp_path, "AAA", "BBB"),
        load(source, tmp_path, "BBB", "AAA"),
        load(source, tmp_path, "AAA"),
        load(source, tmp_path, "AAA", start=dates[1]),
        load(source, tmp_path, "AAA", end=dates[-2]),
        load(source, tmp_path, "AAA", adjustment=Adjustment.TOTAL),
        load(FrameSource(source.answers, feed="another"), tmp_path, "AAA"),
        load(FrameSource({"AAA": with_value(ohlcv(), 5, volume=1e6 + 1)}), tmp_path, "AAA"),
    ]
    assert len({each.fingerprint for each in refs}) == len(refs)
    assert all(each.is_intact() for each in refs)


def test_r07_every_missing_symbol_is_named_with_what_there_is(
    source: FrameSource, tmp_path: Path
) -> None:
    with pytest.raises(SymbolNotFoundError) as raised:
        load(source, tmp_path, "AAA", "ZZZZ", "YYYY")
    assert raised.value.symbols == ("ZZZZ", "YYYY")
    assert raised.value.available == ("AAA", "BBB", "CCC")
    assert str(raised.value).startswith("ZZZZ, YYYY: not found in source 'test/frames'")
    assert not (tmp_path / "datasets").exists()


def test_r07_an_empty_universe_is_refused(source: FrameSource, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="symbols: found none"):
        load(source, tmp_path)


def test_a_rejected_symbol_is_never_dropped(tmp_path: Path) -> None:
    source = FrameSource({"AAA": ohlcv(), "BAD": ohlcv().with_columns(volume=0.0)})
    with pytest.raises(BadDataError, match=r"BAD: no good row left; found 30 x zero volume"):
        load(source, tmp_path, "AAA", "BAD")


def test_dates_without_bars_are_refused_with_the_dates_there_are(
    source: FrameSource, tmp_path: Path
) -> None:
    with pytest.raises(BadDataError, match=r"no bars from 2030-01-01 to the last session") as late:
        load(source, tmp_path, "AAA", "BBB", start=dt.date(2030, 1, 1))
    assert "AAA has 2024-01-02 to " in str(late.value)
    with pytest.raises(BadDataError, match=r"to 2020-01-01: AAA has"):
        load(source, tmp_path, "AAA", end=dt.date(2020, 1, 1))
    with pytest.raises(ParameterError, match="start: found 2024-02-01; allowed: a date up to"):
        load(source, tmp_path, "AAA", start=dt.date(2024, 2, 1), end=dt.date(2024, 1, 31))


def test_an_adjustment_the_source_cannot_give_is_refused(tmp_path: Path) -> None:
    source = open_source("embedded", symbols=["JPM"])
    with pytest.raises(AdjustmentUnavailableError, match=r"JPM: no 'raw' prices; .*: total"):
        load(source, tmp_path, "JPM", adjustment=Adjustment.RAW)


def test_adjustments_of_real_bars_agree_with_their_splits(tmp_path: Path) -> None:
    source = open_source("embedded", symbols=["AAPL"])
    raw, split, total = (
        read_bars(load(source, tmp_path, "AAPL", adjustment=each)) for each in Adjustment
    )
    split_day = raw["session"].to_list().index(dt.date(2005, 2, 28))
    ratio = raw["close"] / split["close"]
    assert ratio[split_day - 1] == pytest.approx(2)
    assert ratio[split_day] == pytest.approx(1)
    assert split["volume"][split_day - 1] == pytest.approx(2 * raw["volume"][split_day - 1])
    assert raw["close"][-1] == split["close"][-1] == total["close"][-1]
    assert total["volume"].equals(split["volume"])


@pytest.mark.parametrize("percent", range(0, 100, 10))
def test_r10_a_truncated_dataset_is_refused_and_rebuilt(
    source: FrameSource, tmp_path: Path, percent: int
) -> None:
    ref = load(source, tmp_path, "AAA")
    file = Path(ref.path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * percent // 100])
    with pytest.raises(IntegrityError, match="changed since written"):
        read_bars(ref)
    assert load(source, tmp_path, "AAA") == ref
    assert file.read_bytes() == whole


def test_r10_a_damaged_object_never_becomes_a_dataset(source: FrameSource, tmp_path: Path) -> None:
    store = BarStore(tmp_path / "store")
    outcomes = ingest(source, ["AAA"], start=None, end=None, store=store, clock=FixedClock(INSTANT))
    assert outcomes[0].stored is not None
    Path(outcomes[0].stored.path).write_bytes(b"PAR1 but not much more")
    with pytest.raises(IntegrityError):
        assemble(
            outcomes,
            source=source,
            store=store,
            start=None,
            end=None,
            adjustment=Adjustment.SPLIT,
            datasets_dir=tmp_path / "datasets",
        )
    assert not (tmp_path / "datasets").exists()
