"""The bar store: immutable Parquet objects named by their content, and numbered manifests.

::

    root/
      objects/<content>-<checksum>.parquet   bars, or rows in quarantine; never changed
      manifests/00000042-<checksum>.json     what version 42 holds; the highest number counts
      manifests/<name>.json.damaged          a manifest that no longer proves itself
      writer.lock                            held by whoever writes or collects garbage

A manifest appears by a rename after every object it names is on the disk. So a reader, who never
locks, sees one whole version or another, and a crash between any two steps loses nothing that was
acknowledged.

A manifest damaged afterwards is passed over, with a warning in the log, in favour of the newest
that proves itself; the next writer sets it aside and `verify` names it. Its objects stay for the
grace of the garbage collection, and bars that only it named are loaded again when they are wanted.
"""

from __future__ import annotations

import datetime as dt
import io
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from filelock import FileLock, Timeout

from slices.data.manifest import (
    NO_OBJECT,
    OBJECTS,
    Manifest,
    Origin,
    StoredBars,
    proves_itself,
)
from slices.data.versions import Versions
from slices.domain.errors import IntegrityError, StorageError
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.runtime.atomic import read_whole, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slices.data.validation import ValidatedBars


@dataclass(frozen=True, kw_only=True)
class BadObject:
    """A stored file that is not what was written, or that a manifest names and nobody has."""

    name: str
    problem: str


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Write a frame as Parquet; equal frames give equal bytes with one version of polars."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()


class BarStore:
    """Keeps validated bars.

    Args:
        root: Folder of the store; made on the first write.
        lock_timeout_seconds: How long a writer waits for another.
    """

    def __init__(self, root: Path, *, lock_timeout_seconds: float = 60.0) -> None:
        self.root = Path(root)
        self._objects = self.root / OBJECTS
        self._versions = Versions(self.root)
        self._lock_timeout_seconds = lock_timeout_seconds

    def manifest(self) -> Manifest:
        """Pin the newest sound version: what it names stays readable whatever is written after.

        Raises:
            IntegrityError: Where it is of a form that is not known here.
        """
        return self._versions.newest()

    def put(
        self, batch: Sequence[ValidatedBars], *, origin: Origin, ingested_at: dt.datetime
    ) -> tuple[StoredBars, ...]:
        """Store a batch under one new manifest version; content already there changes nothing.

        Args:
            batch: Bars of several symbols from one origin.
            origin: Where they came from.
            ingested_at: Now, timezone-aware.

        Returns:
            A reference for each, in the order of the batch.

        Raises:
            StorageError: Where the disk refuses; the store is as it was before.
        """
        with self._writing():
            current = self._versions.recover()
            present = self._present()
            entries = tuple(self._entry(each, origin, ingested_at, present) for each in batch)
            held = tuple(current.find(each.symbol, origin) for each in entries)
            kept = tuple(
                old if old is not None and old.same_content(new) else new
                for new, old in zip(entries, held, strict=True)
            )
            if kept != held:
                self._versions.publish(current.followed_by(kept))
            return kept

    def read(self, entry: StoredBars) -> pl.DataFrame:
        """Read bars with their factors.

        Raises:
            IntegrityError: Where the file is gone or not the one referred to.
        """
        return self._read_object(entry.object_name)

    def quarantined(self, entry: StoredBars) -> pl.DataFrame | None:
        """Read the rows that were set aside, with `reason`; None where there are none.

        Raises:
            IntegrityError: Where the file is gone or not the one referred to.
        """
        return self._read_object(entry.quarantine) if entry.quarantine else None

    def verify(self) -> tuple[BadObject, ...]:
        """List every damaged object and manifest, and what the newest sound manifest misses."""
        present = {each.name: each for each in self._objects.glob("*.parquet")}
        damaged = [
            BadObject(name=name, problem="not what was written")
            for name, file in sorted(present.items())
            if not proves_itself(name, read_whole(file))
        ]
        damaged += [
            BadObject(name=name, problem="not what was written")
            for name in self._versions.damaged()
        ]
        missing = sorted(self.manifest().objects - present.keys())
        return (*damaged, *(BadObject(name=name, problem="gone") for name in missing))

    def gc(
        self, *, now: dt.datetime, keep_versions: int = 10, grace: dt.timedelta = dt.timedelta(1)
    ) -> tuple[str, ...]:
        """Remove what neither the newest versions nor a recent reader can need.

        No object goes while a manifest that was found damaged is kept: it may have named any.

        Args:
            now: The current instant, timezone-aware.
            keep_versions: How many of the newest manifests stay, with everything they name.
            grace: How long an older manifest or object stays after it was written, and a damaged
                manifest after it was set aside.

        Returns:
            Names of the removed files.

        Raises:
            StorageError: Where the disk refuses.
        """
        oldest = (now - grace).timestamp()
        with self._writing():
            self._versions.recover()
            files = self._versions.files()
            recent = {each for each in files if each.stat().st_mtime > oldest}
            kept = recent | set(files[-max(keep_versions, 1) :])
            needed = self._versions.objects_of(kept)
            in_doubt = self._versions.has_damaged_since(now - grace)
            objects = () if in_doubt else self._objects.glob("*")
            unneeded = [
                each
                for each in sorted((*objects, *self._versions.folder.glob("*")))
                if each not in kept and each.name not in needed
            ]
            return tuple(
                each.name for each in unneeded if each.stat().st_mtime <= oldest and _remove(each)
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / "writer.lock", timeout=self._lock_timeout_seconds)
            lock.acquire()
        except Timeout:
            problem = f"another writer held the lock for {self._lock_timeout_seconds:g} seconds"
            raise StorageError(path=str(self.root), problem=problem) from None
        except OSError as refusal:
            raise StorageError(path=str(self.root), problem=str(refusal.strerror)) from refusal
        try:
            yield
        finally:
            lock.release()

    def _present(self) -> dict[str, str]:
        """Map the content of each stored object to its name."""
        files = sorted(self._objects.glob("*.parquet"))
        return {each.name.partition("-")[0]: each.name for each in files}

    def _entry(
        self,
        validated: ValidatedBars,
        origin: Origin,
        ingested_at: dt.datetime,
        present: dict[str, str],
    ) -> StoredBars:
        name = self._put_object(validated.bars, present)
        content, _, checksum = name.removesuffix(".parquet").partition("-")
        aside = validated.quarantine
        return StoredBars(
            symbol=validated.symbol,
            origin=origin,
            content=content,
            checksum=checksum,
            quarantine=self._put_object(aside, present) if aside.height else NO_OBJECT,
            shape=validated.shape,
            basis=validated.basis,
            quality=validated.quality,
            ingested_at=ingested_at.astimezone(dt.UTC),
            root=str(self.root),
        )

    def _put_object(self, frame: pl.DataFrame, present: dict[str, str]) -> str:
        """Write an object unless an intact one with this content is there; return its name."""
        content = fingerprint(frame)
        held = present.get(content)
        if held is not None and proves_itself(held, read_whole(self._objects / held)):
            return held
        written = parquet_bytes(frame)
        name = f"{content}-{bytes_digest(written)}.parquet"
        write_whole(self._objects / name, written)
        return name

    def _read_object(self, name: str) -> pl.DataFrame:
        file = self._objects / name
        if not file.is_file():
            raise IntegrityError(path=str(file), problem="the object is gone; load the bars again")
        content = read_whole(file)
        if not proves_itself(name, content):
            problem = "the object is not what was written; load the bars again"
            raise IntegrityError(path=str(file), problem=problem)
        return pl.read_parquet(content)


def _remove(file: Path) -> bool:
    try:
        file.unlink()
    except OSError as refusal:
        raise StorageError(path=str(file), problem=str(refusal.strerror)) from refusal
    return True
