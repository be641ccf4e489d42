"""What the store holds: one entry per question asked, in immutable numbered manifests."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from slices.domain.bars import Adjustment, BarShape
from slices.domain.dataset import SymbolQuality
from slices.domain.errors import IntegrityError
from slices.domain.fingerprint import LOCATION, bytes_digest

OBJECTS = "objects"
NO_OBJECT = ""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where bars came from and what was asked for; None where no limit was given."""

    provider: str
    feed: str
    start: dt.date | None
    end: dt.date | None


@dataclass(frozen=True, kw_only=True)
class StoredBars:
    """A reference to one symbol's validated bars, by content.

    Attributes:
        symbol: The symbol.
        origin: Where the bars came from.
        content: Digest of the values, independent of how the file was written.
        checksum: Digest of the file's bytes, proven on every read.
        quarantine: Name of the object with the rows set aside; empty where there are none.
        shape: Columns of the bars.
        basis: The adjustment of the prices as stored.
        quality: What validation found; its rows and sessions are those of the bars.
        ingested_at: When this content was first stored, UTC.
        root: The store's folder on this machine; not part of the content.
    """

    symbol: str
    origin: Origin
    content: str
    checksum: str
    quarantine: str
    shape: BarShape
    basis: Adjustment
    quality: SymbolQuality
    ingested_at: dt.datetime = field(metadata=LOCATION)
    root: str = field(default="", metadata=LOCATION)

    @property
    def object_name(self) -> str:
        """File name of the bars; it holds both digests, so that a file can prove itself."""
        return f"{self.content}-{self.checksum}.parquet"

    @property
    def path(self) -> str:
        """Where the file is."""
        return str(Path(self.root) / OBJECTS / self.object_name)

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the files this entry needs."""
        return (self.object_name, self.quarantine) if self.quarantine else (self.object_name,)

    def is_intact(self) -> bool:
        """Tell whether every file this entry needs is still exactly the one referred to."""
        folder = Path(self.root) / OBJECTS
        return all(_is_whole(folder / name) for name in self.objects)

    def same_content(self, other: StoredBars) -> bool:
        """Tell whether another entry says the same, whenever and wherever it was stored."""
        return self == dataclasses.replace(other, ingested_at=self.ingested_at, root=self.root)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One version of what the store holds, sorted by origin and symbol; it never changes."""

    version: int
    entries: tuple[StoredBars, ...] = ()

    @property
    def objects(self) -> frozenset[str]:
        """Names of every file this version needs."""
        return frozenset(name for entry in self.entries for name in entry.objects)

    def find(self, symbol: str, origin: Origin) -> StoredBars | None:
        """Return the entry for a symbol and an origin, or None."""
        asked = (each for each in self.entries if each.symbol == symbol and each.origin == origin)
        return next(asked, None)

    def followed_by(self, entries: tuple[StoredBars, ...]) -> Manifest:
        """Return the next version, with these entries added or replaced."""
        merged = {(each.origin, each.symbol): each for each in (*self.entries, *entries)}
        ordered = sorted(merged.values(), key=_place)
        return Manifest(version=self.version + 1, entries=tuple(ordered))


def _place(entry: StoredBars) -> tuple[str, ...]:
    origin = entry.origin
    return (origin.provider, origin.feed, entry.symbol, str(origin.start), str(origin.end))


def proves_itself(name: str, content: bytes) -> bool:
    """Tell whether content has the checksum that its file name ends with."""
    return Path(name).stem.rpartition("-")[2] == bytes_digest(content)


def _is_whole(file: Path) -> bool:
    return file.is_file() and proves_itself(file.name, file.read_bytes())


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


def manifest_text(manifest: Manifest) -> bytes:
    """Write a manifest as JSON; where the store lies is left out, so that it can be moved."""
    entries = tuple(dataclasses.replace(each, root="") for each in manifest.entries)
    return _adapter().dump_json(dataclasses.replace(manifest, entries=entries))


def manifest_from(text: bytes, *, root: Path, path: str) -> Manifest:
    """Read a manifest.

    Raises:
        IntegrityError: Where the text is not a manifest.
    """
    try:
        manifest = _adapter().validate_json(text)
    except ValidationError as refusal:
        problem = f"not a manifest: {refusal.error_count()} errors in its fields"
        raise IntegrityError(path=path, problem=problem) from refusal
    entries = tuple(dataclasses.replace(each, root=str(root)) for each in manifest.entries)
    return dataclasses.replace(manifest, entries=entries)
