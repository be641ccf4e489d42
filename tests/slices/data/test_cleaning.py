from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from slices.data.adapters.embedded import open_embedded
from slices.data.assemble import assemble
from slices.data.cleaning import clean
from slices.data.ingest import ingest
from slices.data.store import BarStore
from slices.domain.bars import Adjustment
from slices.domain.clock import FixedClock
from slices.domain.dataset import DatasetRef

NOW = dt.datetime(2030, 1, 31, tzinfo=dt.UTC)


@pytest.fixture
def ref(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DatasetRef:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    store = BarStore(tmp_path / "store")
    source = open_embedded(None, ["IBM"])
    outcomes = ingest(source, ["IBM"], start=None, end=None, store=store, clock=FixedClock(NOW))
    return assemble(
        outcomes,
        source=source,
        store=store,
        start=None,
        end=None,
        adjustment=Adjustment.TOTAL,
        datasets_dir=tmp_path / "datasets",
    )


def test_what_is_new_stays(ref: DatasetRef) -> None:
    written = dt.datetime.fromtimestamp(Path(ref.path).stat().st_mtime, dt.UTC)
    cleaned = clean(older_than_days=30, clock=FixedClock(written + dt.timedelta(days=29)))
    assert {each.files for each in cleaned} == {0}
    assert ref.is_intact()


def test_old_datasets_go_and_bars_that_the_store_names_stay(ref: DatasetRef) -> None:
    size = Path(ref.path).stat().st_size
    os.utime(ref.path, (0, 0))
    stray = Path(ref.path).parents[1] / "store" / "objects" / "stray.parquet"
    stray.write_bytes(b"left by nobody")
    os.utime(stray, (0, 0))
    bars, datasets, results = clean(older_than_days=30, clock=FixedClock(NOW))
    assert (datasets.files, datasets.freed_bytes) == (1, size)
    assert (bars.files, bars.freed_bytes) == (1, len(b"left by nobody"))
    assert results.files == 0
    assert not ref.is_intact()
    assert BarStore(Path(ref.path).parents[1] / "store").verify() == ()


def test_old_features_go_too(ref: DatasetRef) -> None:
    features = Path(ref.path).parents[1] / "features" / f"{'0' * 32}.parquet"
    features.parent.mkdir()
    features.write_bytes(b"of an older run")
    os.utime(features, (0, 0))
    _, datasets, _ = clean(older_than_days=30, clock=FixedClock(NOW))
    assert datasets.files == 2
    assert not features.exists()


def test_an_empty_home_has_nothing_to_clean(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    assert {each.files for each in clean(older_than_days=0, clock=FixedClock(NOW))} == {0}


def test_a_dataset_that_a_kept_result_stands_on_stays(ref: DatasetRef, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    recent, old = results / "recent", results / "old"
    recent.write_text(f'{{"path": "{ref.path}"}}')
    old.write_text("{}")
    for file in (Path(ref.path), old):
        os.utime(file, (0, 0))
    written = dt.datetime.fromtimestamp(recent.stat().st_mtime, dt.UTC)
    clock = FixedClock(written + dt.timedelta(days=1))
    _, datasets, gone = clean(older_than_days=30, clock=clock)
    assert (datasets.files, gone.files) == (0, 1)
    assert ref.is_intact()


def test_nothing_of_the_last_hour_is_removed(ref: DatasetRef) -> None:
    written = dt.datetime.fromtimestamp(Path(ref.path).stat().st_mtime, dt.UTC)
    clean(older_than_days=0, clock=FixedClock(written + dt.timedelta(minutes=59)))
    assert ref.is_intact()
    clean(older_than_days=0, clock=FixedClock(written + dt.timedelta(minutes=61)))
    assert not Path(ref.path).exists()
