"""Housekeeping: what nothing refers to any more, and what can be made again, is removed by age."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.data.store import BarStore
from slices.domain.errors import StorageError
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.clock import Clock

LEAST_GRACE = dt.timedelta(hours=1)
DATASET_NAME = re.compile(r"([0-9a-f]{32})\.parquet")


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """How many files of one kind were removed, and how many bytes that freed."""

    kind: str
    files: int
    freed_bytes: int


def clean(*, older_than_days: int, clock: Clock) -> tuple[Cleaned, ...]:
    """Remove cached results written some days ago, and datasets and bars that nothing names.

    Everything removed can be computed or fetched again; reports are never touched. Nothing is
    removed within an hour of its writing, so that a run in progress keeps what it stands on.

    Args:
        older_than_days: How long a file must not have been written.
        clock: Tells the current time.

    Raises:
        StorageError: Where the disk refuses.
    """
    settings = load_settings()
    now = clock.now()
    grace = max(dt.timedelta(days=older_than_days), LEAST_GRACE)
    oldest = (now - grace).timestamp()
    objects = settings.store_folder / "objects"
    before = _size(objects)
    results = _removed("results", _old(settings.results_folder, oldest))
    named = _named_datasets(settings.results_folder)
    made = [settings.datasets_folder, settings.features_folder]
    unnamed = [each for folder in made for each in _old(folder, oldest) if each.stem not in named]
    gone = BarStore(settings.store_folder).gc(now=now, grace=grace) if objects.is_dir() else ()
    return (
        Cleaned(kind="bars", files=len(gone), freed_bytes=before - _size(objects)),
        _removed("datasets", unnamed),
        results,
    )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*"))


def _old(folder: Path, oldest: float) -> list[Path]:
    return [each for each in folder.glob("*") if each.stat().st_mtime < oldest]


def _named_datasets(results: Path) -> set[str]:
    """Collect the fingerprints of the datasets and features that some cached result stands on."""
    return {
        found
        for file in results.glob("*")
        for found in DATASET_NAME.findall(file.read_text(encoding="ascii", errors="replace"))
    }


def _removed(kind: str, files: list[Path]) -> Cleaned:
    freed = sum(each.stat().st_size for each in files)
    for each in files:
        try:
            each.unlink(missing_ok=True)
        except OSError as refused:
            raise StorageError(path=str(each), problem=str(refused.strerror)) from refused
    return Cleaned(kind=kind, files=len(files), freed_bytes=freed)
