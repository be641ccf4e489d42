from __future__ import annotations

import datetime as dt
import os
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from filelock import FileLock

from slices.data.manifest import Origin, StoredBars
from slices.data.store import BarStore, parquet_bytes
from slices.data.validation import ValidatedBars, validate
from slices.domain.bars import BarShape
from slices.domain.errors import IntegrityError, StorageError
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.runtime.atomic import write_whole
from tests.support.frames import INSTANT, delivered, ohlcv, with_value

ORIGIN = Origin(provider="test", feed="frames", start=None, end=None)


def checked(symbol: str = "AAA", *, count: int = 30, level: float = 100.0) -> ValidatedBars:
    return validate(delivered(ohlcv(count, level=level), symbol=symbol), BarShape.OHLCV, "XNYS")


def put(store: BarStore, *batch: ValidatedBars) -> tuple[StoredBars, ...]:
    return store.put(batch, origin=ORIGIN, ingested_at=INSTANT)


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore(tmp_path / "store")


def test_an_empty_store_has_an_empty_manifest_and_makes_no_folder(store: BarStore) -> None:
    assert (store.manifest().version, store.manifest().entries) == (0, ())
    assert store.verify() == ()
    assert not store.root.exists()


def test_bars_come_back_as_they_were_put(store: BarStore) -> None:
    good = checked()
    (entry,) = put(store, good)
    assert store.read(entry).equals(good.bars)
    assert entry.content == fingerprint(good.bars)
    assert entry.quality == good.quality
    assert entry.ingested_at == INSTANT
    assert entry.is_intact()


def test_the_manifest_says_what_put_said(store: BarStore) -> None:
    entries = put(store, checked("BBB"), checked("AAA"))
    manifest = store.manifest()
    assert manifest.version == 1
    assert manifest.entries == tuple(reversed(entries)), "sorted by symbol"
    assert manifest.find("BBB", ORIGIN) == entries[0]
    assert manifest.find("BBB", replace(ORIGIN, feed="other")) is None


def test_equal_bars_of_two_symbols_share_one_object(store: BarStore) -> None:
    first, second = put(store, checked("AAA"), checked("BBB"))
    assert first.content == second.content
    assert len(list((store.root / "objects").iterdir())) == 1


def test_r09_identical_ingest_changes_nothing(store: BarStore) -> None:
    (first,) = put(store, checked())
    before = {each: each.stat().st_mtime_ns for each in store.root.rglob("*") if each.is_file()}
    later = INSTANT + dt.timedelta(days=3)
    (again,) = store.put([checked()], origin=ORIGIN, ingested_at=later)
    assert again == first
    after = {each: each.stat().st_mtime_ns for each in store.root.rglob("*") if each.is_file()}
    before.pop(store.root / "writer.lock")
    after.pop(store.root / "writer.lock")
    assert after == before


def test_r09_changed_bars_are_a_new_version_and_the_old_one_stays_readable(
    store: BarStore,
) -> None:
    put(store, checked("AAA"), checked("BBB", level=7))
    pinned = store.manifest()
    put(store, checked("AAA", level=101))
    assert store.manifest().version == pinned.version + 1
    old, new = (each.find("AAA", ORIGIN) for each in (pinned, store.manifest()))
    assert old is not None
    assert new is not None
    assert store.read(old)["close"][0] == 100
    assert store.read(new)["close"][0] == 101
    assert store.manifest().find("BBB", ORIGIN) == pinned.find("BBB", ORIGIN)


def test_rows_in_quarantine_are_kept_with_their_reason(store: BarStore) -> None:
    bars = with_value(ohlcv(), 3, close=None)
    (entry,) = put(store, validate(delivered(bars), BarShape.OHLCV, "XNYS"))
    aside = store.quarantined(entry)
    assert aside is not None
    assert aside["reason"].to_list() == ["missing price"]
    (clean,) = put(store, checked("BBB"))
    assert store.quarantined(clean) is None


@pytest.mark.parametrize("content", [None, b"PAR1 but not much more"])
def test_r10_lost_rows_in_quarantine_make_the_entry_absent_and_are_written_again(
    store: BarStore, content: bytes | None
) -> None:
    bars = validate(delivered(with_value(ohlcv(), 3, close=None)), BarShape.OHLCV, "XNYS")
    (entry,) = put(store, bars)
    lost = store.root / "objects" / entry.quarantine
    lost.unlink() if content is None else lost.write_bytes(content)
    assert not entry.is_intact()
    assert [each.name for each in store.verify()] == [entry.quarantine]
    (again,) = put(store, bars)
    assert again == entry
    assert again.is_intact()
    aside = store.quarantined(again)
    assert aside is not None
    assert aside.equals(bars.quarantine)


@pytest.mark.parametrize("percent", range(0, 100, 10))
def test_r10_a_truncated_object_is_refused_and_rebuilt(store: BarStore, percent: int) -> None:
    (entry,) = put(store, checked())
    file = Path(entry.path)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * percent // 100])
    assert not entry.is_intact()
    with pytest.raises(IntegrityError, match="not what was written"):
        store.read(entry)
    assert [each.name for each in store.verify()] == [entry.object_name]
    (rebuilt,) = put(store, checked())
    assert file.read_bytes() == whole
    assert store.read(rebuilt).equals(checked().bars)
    assert store.verify() == ()


def test_r10_one_flipped_bit_is_refused(store: BarStore) -> None:
    (entry,) = put(store, checked())
    content = bytearray(Path(entry.path).read_bytes())
    content[len(content) // 2] ^= 1
    Path(entry.path).write_bytes(content)
    with pytest.raises(IntegrityError):
        store.read(entry)


def test_r10_an_object_that_is_gone_is_named(store: BarStore) -> None:
    (entry,) = put(store, checked())
    Path(entry.path).unlink()
    assert not entry.is_intact()
    with pytest.raises(IntegrityError, match="gone; load the bars again"):
        store.read(entry)
    (bad,) = store.verify()
    assert (bad.name, bad.problem) == (entry.object_name, "gone")


def damage(file: Path, percent: int = 50) -> str:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * percent // 100])
    return file.name


@pytest.mark.parametrize("percent", range(0, 100, 10))
def test_r10_a_damaged_manifest_gives_way_to_the_newest_sound_one_and_is_named(
    store: BarStore, percent: int, caplog: pytest.LogCaptureFixture
) -> None:
    (first,) = put(store, checked("AAA"))
    put(store, checked("BBB"))
    newest = max((store.root / "manifests").iterdir())
    name = damage(newest, percent)
    assert store.manifest().entries == (first,)
    assert str(newest) in caplog.text
    assert [each.name for each in store.verify()] == [name]
    put(store, checked("CCC", level=7))
    assert [each.symbol for each in store.manifest().entries] == ["AAA", "CCC"]
    assert [each.name for each in store.verify()] == [f"{name}.damaged"]
    assert f"kept as {newest}.damaged" in caplog.text
    (again,) = put(store, checked("BBB"))
    assert store.manifest().find("BBB", ORIGIN) == again


def test_r10_a_store_whose_every_manifest_is_damaged_starts_anew(store: BarStore) -> None:
    put(store, checked("AAA"))
    put(store, checked("BBB"))
    names = [damage(each) for each in sorted((store.root / "manifests").iterdir())]
    assert store.manifest().entries == ()
    (entry,) = put(store, checked("AAA"))
    assert store.read(entry).equals(checked().bars)
    assert [each.name for each in store.verify()] == [f"{each}.damaged" for each in names]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_r10_gc_sets_a_damaged_manifest_aside_and_spares_every_object_for_the_grace(
    store: BarStore, place: int
) -> None:
    entries = [put(store, checked(level=100 + i))[0] for i in range(3)]
    age(store, 7200)
    name = damage(sorted((store.root / "manifests").iterdir())[place])
    age(store, 7200)
    hour = dt.timedelta(hours=1)
    assert store.gc(now=dt.datetime.now(dt.UTC), grace=hour) == ()
    assert all(each.is_intact() for each in entries)
    assert [each.name for each in store.verify()] == [f"{name}.damaged"]
    age(store, 7200)
    removed = store.gc(now=dt.datetime.now(dt.UTC), grace=hour)
    assert set(removed) == {f"{name}.damaged", entries[place].object_name}
    assert store.verify() == ()


def test_r10_a_manifest_with_other_fields_is_refused(store: BarStore) -> None:
    text = b'{"version": 1, "contents": []}'
    write_whole(store.root / f"manifests/00000001-{bytes_digest(text)}.json", text)
    assert store.manifest().entries == ()
    text = b'{"version": "one"}'
    write_whole(store.root / f"manifests/00000002-{bytes_digest(text)}.json", text)
    with pytest.raises(IntegrityError, match="not a manifest: 1 errors in its fields"):
        store.manifest()


def test_r10_an_unfinished_file_is_invisible(store: BarStore) -> None:
    put(store, checked())
    (store.root / "manifests/00000009-x.json.ab12.unfinished").write_bytes(b"half")
    (store.root / "objects/x-y.parquet.ab12.unfinished").write_bytes(b"half")
    assert store.manifest().version == 1
    assert store.verify() == ()


def test_a_store_can_be_moved(store: BarStore, tmp_path: Path) -> None:
    put(store, checked())
    moved = BarStore(shutil.move(store.root, tmp_path / "elsewhere"))
    (entry,) = moved.manifest().entries
    assert moved.read(entry).equals(checked().bars)
    assert entry.is_intact()
    assert fingerprint(entry) == fingerprint(replace(entry, root="anywhere"))


def age(store: BarStore, seconds: float) -> None:
    for file in store.root.rglob("*"):
        os.utime(file, (file.stat().st_atime, file.stat().st_mtime - seconds))


def test_gc_removes_only_what_no_kept_version_names(store: BarStore) -> None:
    entries = [put(store, checked(level=100 + i))[0] for i in range(4)]
    age(store, 3600)
    now = dt.datetime.now(dt.UTC)
    removed = store.gc(now=now, keep_versions=2, grace=dt.timedelta(minutes=5))
    assert {each.object_name for each in entries[:2]} < set(removed)
    assert len(removed) == 4, "two objects and two manifests"
    assert [each.is_intact() for each in entries] == [False, False, True, True]
    assert store.verify() == ()
    assert store.gc(now=now, keep_versions=2, grace=dt.timedelta(minutes=5)) == ()


def test_gc_spares_what_a_recent_reader_may_have_pinned(store: BarStore) -> None:
    entries = [put(store, checked(level=100 + i))[0] for i in range(4)]
    now = dt.datetime.now(dt.UTC)
    assert store.gc(now=now, keep_versions=1, grace=dt.timedelta(hours=1)) == ()
    assert all(each.is_intact() for each in entries)


def test_gc_keeps_an_old_object_that_the_newest_version_names_again(store: BarStore) -> None:
    put(store, checked(level=100))
    put(store, checked(level=101))
    age(store, 7200)
    (again,) = put(store, checked(level=100))
    removed = store.gc(now=dt.datetime.now(dt.UTC), keep_versions=1, grace=dt.timedelta(hours=1))
    assert again.object_name not in removed
    assert store.read(again)["close"][0] == 100


def test_gc_removes_what_a_crash_left_unfinished(store: BarStore) -> None:
    put(store, checked())
    left = store.root / "objects/x-y.parquet.ab12.unfinished"
    left.write_bytes(b"half")
    age(store, 7200)
    now = dt.datetime.now(dt.UTC)
    assert store.gc(now=now, grace=dt.timedelta(hours=1)) == (left.name,)


def test_a_writer_waits_for_another_and_then_gives_up_by_name(tmp_path: Path) -> None:
    store = BarStore(tmp_path, lock_timeout_seconds=0.1)
    with (
        FileLock(tmp_path / "writer.lock"),
        pytest.raises(StorageError, match=r"another writer held the lock for 0\.1 seconds"),
    ):
        put(store, checked())
    assert put(store, checked())[0].is_intact()


def test_r19_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="file"):
        put(BarStore(tmp_path / "file" / "store"), checked())


def test_equal_frames_are_written_as_equal_bytes() -> None:
    bars = ohlcv(500)
    chunked = pl.concat([bars.head(100), bars.tail(400)], rechunk=False)
    assert parquet_bytes(bars) == parquet_bytes(chunked) == parquet_bytes(ohlcv(500))
