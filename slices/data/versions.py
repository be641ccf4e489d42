"""The numbered manifests of a store: the newest that proves itself is what counts."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from slices.data.manifest import Manifest, manifest_from, manifest_text, proves_itself
from slices.domain.errors import StorageError
from slices.domain.fingerprint import bytes_digest
from slices.runtime.atomic import read_whole, write_whole

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

MANIFESTS = "manifests"
DAMAGED = ".damaged"
EMPTY = Manifest(version=0)

_log = logging.getLogger(__name__)


class Versions:
    """Reads and publishes manifests.

    A manifest that is not what was written is passed over with a warning that names it. The next
    writer sets it aside under the suffix `.damaged`, because what only it named cannot be told.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.folder = root / MANIFESTS

    def files(self) -> list[Path]:
        """List the manifests, oldest first."""
        return sorted(self.folder.glob("*.json"))

    def newest(self) -> Manifest:
        """Return the newest manifest that proves itself, or the empty one.

        Raises:
            IntegrityError: Where it is what was written, but not a manifest as known here.
        """
        return next(filter(None, map(self.read, reversed(self.files()))), EMPTY)

    def read(self, file: Path) -> Manifest | None:
        """Read a manifest; None, with a warning, where it is not what was written.

        Raises:
            IntegrityError: Where it is what was written, but not a manifest as known here.
        """
        text = read_whole(file)
        if proves_itself(file.name, text):
            return manifest_from(text, root=self._root, path=str(file))
        _log.warning("%s is not what was written: an older manifest counts", file)
        return None

    def publish(self, manifest: Manifest) -> None:
        """Write a manifest; every object it names must be there."""
        text = manifest_text(manifest)
        write_whole(self.folder / f"{manifest.version:08d}-{bytes_digest(text)}.json", text)

    def recover(self) -> Manifest:
        """Return the newest sound manifest; set aside the damaged ones after it. For writers."""
        for file in reversed(self.files()):
            found = self.read(file)
            if found is not None:
                return found
            _set_aside(file)
        return EMPTY

    def objects_of(self, files: Iterable[Path]) -> frozenset[str]:
        """Name the objects of some manifests; set aside those that are damaged. For writers."""
        named: frozenset[str] = frozenset()
        for file in files:
            found = self.read(file)
            if found is None:
                _set_aside(file)
            else:
                named |= found.objects
        return named

    def damaged(self) -> tuple[str, ...]:
        """Name the manifests that are not what was written, set aside or not."""
        unproven = [each for each in self.files() if not proves_itself(each.name, read_whole(each))]
        return tuple(sorted(each.name for each in (*unproven, *self._aside())))

    def has_damaged_since(self, instant: dt.datetime) -> bool:
        """Tell whether a manifest was set aside after an instant."""
        return any(each.stat().st_mtime > instant.timestamp() for each in self._aside())

    def _aside(self) -> list[Path]:
        return list(self.folder.glob(f"*{DAMAGED}"))


def _set_aside(file: Path) -> None:
    """Rename a damaged manifest; its time becomes now, for it is kept for a while from now."""
    aside = file.with_name(f"{file.name}{DAMAGED}")
    try:
        os.utime(file)
        file.replace(aside)
    except OSError as refusal:
        raise StorageError(path=str(file), problem=str(refusal.strerror)) from refusal
    _log.warning("kept as %s: bars that only it named have to be loaded again", aside)
