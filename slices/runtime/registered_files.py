"""Files of registered models, proven before anything looks into them.

A version's files are compared with the sha256 digests it was registered with; a file more or less
is refused as well, without being opened. Nothing here or behind it reads pickles.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from slices.domain.learning_errors import TamperedModelError
from slices.runtime.mlflow_store import open_client
from slices.runtime.model_files import (
    MANIFEST_TAG,
    MODEL_TAG,
    OF_MLFLOW,
    Files,
    Manifest,
    digest_of,
    fetched_files,
    manifest_of,
)

if TYPE_CHECKING:
    from slices.domain.models import ModelVersion


def files_of(version: ModelVersion) -> Files:
    """Read the files of a version, of which every byte is what was registered.

    Raises:
        TamperedModelError: A file was changed, added or removed; none was looked into.
    """
    client = open_client()
    tags = client.get_model_version(version.name, str(version.version)).tags
    manifest = _manifest(version, tags.get(MANIFEST_TAG, ""))
    expected = frozenset(name for name, _ in manifest)
    files = fetched_files(client, tags.get(MODEL_TAG, ""), expected)
    if files is None:
        raise _tampered(version, "there are other files than were registered")
    changed = [name for name, digest in manifest_of(files) if (name, digest) not in manifest]
    if changed:
        raise _tampered(version, f"{', '.join(changed)} changed since it was registered")
    return tuple((name, content) for name, content in files if name not in OF_MLFLOW)


def _manifest(version: ModelVersion, text: str) -> Manifest:
    """Read the digests of a version and prove that they are those it was registered with."""
    try:
        manifest = tuple(sorted(dict(json.loads(text)).items()))
    except (ValueError, TypeError):
        raise _tampered(version, "it was not registered here, or its digests are gone") from None
    if not version.digest or digest_of(manifest) != version.digest:
        raise _tampered(version, "its digests changed since it was registered")
    return manifest


def _tampered(version: ModelVersion, problem: str) -> TamperedModelError:
    return TamperedModelError(path=f"model {version}", problem=problem)
