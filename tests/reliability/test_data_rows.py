"""Rows 1 to 10 and 19 of the fault list, from a source to a dataset."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import textwrap
from pathlib import Path

import exchange_calendars
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.data.freshness import freshness
from slices.data.moves import check_sizing_allowed, sizing_block
from slices.data.sources import open_source
from slices.data.store import BarStore
from slices.data.validation import validate
from slices.domain.alerts import Level
from slices.domain.bars import Adjustment, BarShape, check_bars, row_defects
from slices.domain.calendar import last_completed_session
from slices.domain.clock import FixedClock
from slices.domain.dataset import read_bars
from slices.domain.errors import (
    IntegrityError,
    MalformedAnswerError,
    RateLimitedError,
    SourceError,
    StorageError,
    SuspectedSplitError,
    SymbolNotFoundError,
    TransientSourceError,
)
from slices.domain.ports import SourceBars
from tests.support.frames import (
    FrameSource,
    delivered,
    load,
    ohlcv,
    repository,
    scaled,
    sessions,
    with_value,
)
from tests.support.provider_server import KEY, SECRET, Listing, serving

VALUES = BarShape.OHLCV.values
BAD_NUMBERS = [None, float("nan"), float("inf"), float("-inf"), 0.0, -1.0, -1e9]


def shipped(count: int = 60) -> SourceBars:
    """Take the newest shipped bars of one real share."""
    source = open_source("embedded", feed="us_ohlcv5")
    return source.fetch("IBM", start=dt.date(2012, 11, 1), end=None)


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 79), st.sampled_from(VALUES)),
        st.sampled_from(BAD_NUMBERS),
        max_size=12,
    )
)
def test_r01_exactly_the_mutated_rows_of_shipped_bars_are_quarantined(
    mutations: dict[tuple[int, str], float | None],
) -> None:
    original = shipped().bars
    columns = {name: original[name].to_list() for name in original.columns}
    for (row, column), value in mutations.items():
        columns[column][row] = value
    mutated = pl.DataFrame(columns, schema=original.schema)
    found = validate(delivered(mutated, symbol="IBM"), BarShape.OHLCV, "XNYS")
    touched = {original["session"][row] for row, _ in mutations}
    assert set(found.quarantine["session"]) == touched
    assert found.bars.equals(original.filter(~pl.col("session").is_in(list(touched))))
    assert found.quality.missing_sessions == ()
    assert (found.quarantine["reason"] != "").all()


@given(st.integers(0, 79), st.floats(0.01, 0.99))
def test_r01_a_high_below_the_low_never_becomes_a_dataset_row(row: int, factor: float) -> None:
    bars = shipped().bars
    here = pl.int_range(pl.len()) == row
    twisted = bars.with_columns(
        high=pl.when(here).then(pl.col("low") * factor).otherwise(pl.col("high"))
    )
    found = validate(delivered(twisted), BarShape.OHLCV, "XNYS")
    assert found.quality.quarantined == (("high/low inconsistent", 1),)
    check_bars(found.bars.with_columns(symbol=pl.lit("IBM")))
    assert (
        not found.bars.select(pl.any_horizontal(row_defects(BarShape.OHLCV).values()))
        .to_series()
        .any()
    )


def test_r01_a_dataset_never_holds_a_quarantined_row(tmp_path: Path) -> None:
    bars = ohlcv().with_columns(
        close=pl.when(pl.int_range(pl.len()) == 7).then(float("nan")).otherwise("close")
    )
    ref = load(FrameSource({"AAA": bars}), tmp_path, "AAA")
    assert bars["session"][7] not in read_bars(ref)["session"]
    assert ref.quality[0].quarantined == (("missing price", 1),)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_r02_closing_times_in_any_zone_make_the_same_dataset(tmp_path: Path, zone: str) -> None:
    """The sessions span the Sunday in March 2024 on which New York's clocks went forward."""
    dates = sessions(10, first=dt.date(2024, 3, 5))
    closing = pl.datetime(
        pl.col("session").dt.year(),
        pl.col("session").dt.month(),
        pl.col("session").dt.day(),
        16,
        time_zone="America/New_York",
    )
    table = ohlcv(10, first=dates[0]).select("session", *VALUES)
    stamped = table.with_columns(session=closing.dt.convert_time_zone(zone).dt.to_string("iso"))
    stamped.sample(fraction=1, shuffle=True, seed=1).write_csv(tmp_path / "AAA.csv")
    ref = load(open_source("files", feed=str(tmp_path / "AAA.csv")), tmp_path, "AAA")
    assert read_bars(ref).drop("symbol").equals(table)


def test_r03_deleted_sessions_are_what_the_exchange_calendar_misses(tmp_path: Path) -> None:
    bars = ohlcv(200)
    gone = bars["session"].gather([3, 50, 51, 120, 198]).to_list()
    stranger = bars.head(1).with_columns(session=pl.lit(dt.date(2024, 1, 6)))
    source = FrameSource(
        {"AAA": pl.concat([bars.filter(~pl.col("session").is_in(gone)), stranger])}
    )
    ref = load(source, tmp_path, "AAA")
    held = read_bars(ref)["session"].to_list()
    exchange = exchange_calendars.get_calendar("XNYS")
    theirs = {
        stamp.date()
        for stamp in exchange.sessions_in_range(held[0].isoformat(), held[-1].isoformat())
    }
    assert sorted(theirs - set(held)) == gone == list(ref.quality[0].missing_sessions)
    assert set(held) <= theirs, "no weekend row, nothing filled"
    assert ref.quality[0].quarantined == (("not a session of XNYS", 1),)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", TransientSourceError),
        ("429", RateLimitedError),
        ("hang", TransientSourceError),
        ("reset", TransientSourceError),
        ("html", MalformedAnswerError),
        ("truncated", MalformedAnswerError),
    ],
)
def test_r04_a_source_in_trouble_gives_no_data_and_leaves_the_last_good_state(
    tmp_path: Path, fault: str, error: type[SourceError]
) -> None:
    listing = Listing(bars=ohlcv(40))
    with serving({"AAA": listing, "BBB": listing}) as provider:
        source = open_source(
            "alpaca",
            alpaca_key=KEY,
            alpaca_secret=SECRET,
            alpaca_url=provider.url,
            timeout_seconds=0.4,
        )
        good = load(source, tmp_path, "AAA", "BBB")
        before = BarStore(tmp_path / "store").manifest()
        provider.misbehave(fault)
        try:
            with pytest.raises(error):
                load(source, tmp_path, "AAA", "BBB")
        finally:
            source._client._session.close()  # type: ignore[attr-defined]
    assert BarStore(tmp_path / "store").manifest() == before
    assert read_bars(good).height == 80
    assert [each.name for each in (tmp_path / "datasets").iterdir()] == [Path(good.path).name]


def test_r05_stale_bars_block_entries_and_then_become_critical() -> None:
    last = dt.date(2024, 7, 3)
    found = []
    for day in range(3, 11):
        clock = FixedClock(dt.datetime(2024, 7, day, 21, tzinfo=dt.UTC))
        found.append(freshness(last, last_completed_session(clock.now())))
    assert [each.missing_sessions for each in found] == [0, 0, 1, 1, 1, 2, 3, 4]
    assert [each.level for each in found] == [
        None,
        None,
        Level.WARNING,
        Level.WARNING,
        Level.WARNING,
        Level.WARNING,
        Level.CRITICAL,
        Level.CRITICAL,
    ]
    assert [each.entries_allowed for each in found] == [True, True] + [False] * 6
    assert all(each.exits_allowed for each in found)


def test_r06_an_unadjusted_split_blocks_sizing_by_name(tmp_path: Path) -> None:
    split = scaled(ohlcv(40), 25, 0.5)
    ref = load(FrameSource({"AAA": ohlcv(40), "BBB": split}), tmp_path, "AAA", "BBB")
    assert sizing_block(ref, "AAA") is None
    block = sizing_block(ref, "BBB")
    assert block is not None
    assert block.session == split["session"][25]
    with pytest.raises(SuspectedSplitError, match=r"BBB: price changed -49\.[0-9]% on 2024-02-07"):
        check_sizing_allowed(ref)


def test_r06_the_same_jump_with_its_factor_is_no_jump(tmp_path: Path) -> None:
    table = scaled(ohlcv(40), 25, 0.5).with_columns(
        adj_close=pl.when(pl.int_range(pl.len()) < 25).then(0.5).otherwise(1.0) * pl.col("close")
    )
    table.select("session", *VALUES, "adj_close").write_csv(tmp_path / "AAA.csv")
    ref = load(open_source("files", feed=str(tmp_path / "AAA.csv")), tmp_path, "AAA")
    check_sizing_allowed(ref)
    assert (read_bars(ref)["close"].pct_change().abs().max() or 1) < 0.01


@pytest.mark.parametrize("basis", [None, Adjustment.RAW, Adjustment.SPLIT])
def test_r06_an_adjusted_close_that_is_a_copy_hides_no_split(
    tmp_path: Path, basis: Adjustment | None
) -> None:
    table = scaled(ohlcv(40), 25, 0.5).with_columns(adj_close=pl.col("close"))
    table.select("session", *VALUES, "adj_close").write_csv(tmp_path / "AAA.csv")
    ref = load(open_source("files", feed=str(tmp_path / "AAA.csv"), basis=basis), tmp_path, "AAA")
    with pytest.raises(SuspectedSplitError, match=r"AAA: price changed -49\.[0-9]% on 2024-02-07"):
        check_sizing_allowed(ref)


def test_r07_an_unknown_symbol_is_an_error_that_names_it_and_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(SymbolNotFoundError, match=r"^ZZZZ: not found .*; it has: AAPL, GOOGL"):
        open_source("embedded", symbols=["AAPL", "ZZZZ"])
    source = open_source("embedded", feed="us_ohlcv5")
    with pytest.raises(SymbolNotFoundError, match=r"^FB, ZZZZ: .*FB is named META today"):
        load(source, tmp_path, "AAPL", "FB", "ZZZZ")


def test_r09_one_changed_byte_is_another_dataset_under_the_same_name(tmp_path: Path) -> None:
    file = tmp_path / "AAA.csv"
    ohlcv().select("session", *VALUES).write_csv(file)
    first = load(open_source("files", feed=str(file)), tmp_path, "AAA")
    same = load(open_source("files", feed=str(file)), tmp_path, "AAA")
    versions = [BarStore(tmp_path / "store").manifest().version]
    content = file.read_bytes()
    file.write_bytes(content.replace(b"1000000.0", b"1000001.0", 1))
    changed = load(open_source("files", feed=str(file)), tmp_path, "AAA")
    versions.append(BarStore(tmp_path / "store").manifest().version)
    assert same == first
    assert changed.fingerprint != first.fingerprint
    assert versions == [1, 2]
    assert first.is_intact(), "the old dataset is still what its reference says"


def test_r10_a_half_written_dataset_is_never_read(tmp_path: Path) -> None:
    ref = load(FrameSource({"AAA": ohlcv(300)}), tmp_path, "AAA")
    whole = Path(ref.path).read_bytes()
    for percent in range(0, 100, 10):
        Path(ref.path).write_bytes(whole[: len(whole) * percent // 100])
        assert not ref.is_intact()
        with pytest.raises(IntegrityError):
            read_bars(ref)


def test_r10_lost_rows_in_quarantine_come_back_with_the_next_ingest(tmp_path: Path) -> None:
    source = FrameSource({"AAA": with_value(ohlcv(), 7, close=None)})
    ref = load(source, tmp_path, "AAA")
    (entry,) = BarStore(tmp_path / "store").manifest().entries
    (tmp_path / "store/objects" / entry.quarantine).unlink()
    assert not entry.is_intact(), "a cached fetch of it must count as absent"
    assert load(source, tmp_path, "AAA") == ref
    assert entry.is_intact()


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from slices.domain.errors import StorageError
    from tests.support.frames import FrameSource, load, ohlcv

    folder, limit, rows, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
    source = FrameSource({f"S{n:02}": ohlcv(rows, level=100 + n * step) for n in range(12)})
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        load(source, folder, *source.symbols())
    except StorageError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("limit_bytes", "rows", "step", "refused"),
    [(1_000, 40, 0, "objects"), (4_500, 40, 0, "manifests"), (17_000, 400, 7, "datasets")],
)
def test_r19_a_full_disk_is_a_clean_failure_and_the_old_state_stays(
    tmp_path: Path, limit_bytes: int, rows: int, step: int, refused: str
) -> None:
    """The limit stops an object, or the manifest of many, or the dataset of all."""
    good = load(FrameSource({"AAA": ohlcv(), "BBB": ohlcv(level=3)}), tmp_path, "AAA", "BBB")
    store = BarStore(tmp_path / "store")
    before = store.manifest()
    arguments = [str(each) for each in (tmp_path, limit_bytes, rows, step)]
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=repository(),
    )
    assert f"/{refused}/" in run.stdout
    assert run.stdout.endswith("file too large\n")
    assert store.verify() == ()
    assert (store.manifest() == before) is (refused != "datasets")
    assert read_bars(good).height == 60
    assert all(store.read(entry).height == 30 for entry in before.entries)
    assert list(tmp_path.rglob("*.unfinished")) == []


def test_r19_a_dataset_folder_in_the_way_is_a_clean_failure(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="datasets"):
        load(FrameSource({"AAA": ohlcv()}), tmp_path, "AAA")
    assert BarStore(tmp_path / "store").verify() == ()
