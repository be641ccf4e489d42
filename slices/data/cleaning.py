"""Housekeeping: what nothing refers to any more, and what can be made again, is removed by age."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.data.store import BarStore
from slices.domain.errors import StorageError
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """How many files of one kind were removed, and how many bytes that freed."""

    kind: str
    files: int
    freed_bytes: int


def clean(*, older_than_days: int, clock: Clock) -> tuple[Cleaned, ...]:
    """Remove unreachable bars, and datasets, cached results and locks not used for some days.

    Everything removed can be computed or fetched again; reports are never touched.

    Args:
        older_than_days: How long a file must not have been written.
        clock: Tells the current time.

    Raises:
        StorageError: Where the disk refuses.
    """
    settings = load_settings()
    now = clock.now()
    oldest = now - dt.timedelta(days=older_than_days)
    objects = settings.store_folder / "objects"
    before = _size(objects)
    grace = max(dt.timedelta(days=older_than_days), dt.timedelta(hours=1))
    gone = BarStore(settings.store_folder).gc(now=now, grace=grace) if objects.is_dir() else ()
    return (
        Cleaned(kind="bars", files=len(gone), freed_bytes=before - _size(objects)),
        _clean_folder("datasets", settings.datasets_folder, oldest),
        _clean_folder("results", settings.results_folder, oldest),
    )


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*"))


def _clean_folder(kind: str, folder: Path, oldest: dt.datetime) -> Cleaned:
    old = [each for each in folder.glob("*") if each.stat().st_mtime < oldest.timestamp()]
    freed = sum(each.stat().st_size for each in old)
    for each in old:
        try:
            each.unlink(missing_ok=True)
        except OSError as refused:
            raise StorageError(path=str(each), problem=str(refused.strerror)) from refused
    return Cleaned(kind=kind, files=len(old), freed_bytes=freed)
