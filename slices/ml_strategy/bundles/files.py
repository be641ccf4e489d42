"""A model as files: readable text, numbers as numbers, no pickle, and a digest of each.

`bundle.json` holds everything but the trees, which are LightGBM's own text, and the out-of-sample
scores, an Arrow table. It says what the digest of each file is, of its own content too. No file
is looked into before its digest was found right: a model's text that was cut short ends the
process that reads it, and one that was edited would be believed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning_errors import ModelError, TamperedModelError
from slices.domain.models import ModelBundle
from slices.ml_strategy.bundles.plain import Json, MisfitError, built, plain
from slices.ml_strategy.bundles.scores import scores_file, scores_from
from slices.ml_strategy.bundles.shapes import check_shapes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.domain.learning import OutOfSampleScores

FORMAT = 1
BUNDLE, TREES, SCORES = "bundle.json", "booster.txt", "out_of_sample.arrow"
NOTHING = np.zeros(0)

Files = tuple[tuple[str, bytes], ...]


def bundle_files(bundle: ModelBundle) -> Files:
    """Write a model as files, sorted by name; equal models give equal bytes.

    Args:
        bundle: A trained model.

    Returns:
        Name and content of each file.
    """
    trees = bundle.predictor.booster
    parts = [(TREES, trees.encode())] if trees else []
    parts.append((SCORES, scores_file(bundle.out_of_sample)))
    content = plain(
        replace(
            bundle,
            predictor=replace(bundle.predictor, booster=""),
            out_of_sample=_without_rows(bundle.out_of_sample),
        )
    )
    document: Json = {
        "format": FORMAT,
        "digest": digest(_text(content)),
        "files": {name: digest(each) for name, each in parts},
        "model": content,
    }
    return tuple(sorted([*parts, (BUNDLE, _text(document) + b"\n")]))


def bundle_of(files: Iterable[tuple[str, bytes]]) -> ModelBundle:
    """Read a model from its files.

    Args:
        files: Name and content of each.

    Raises:
        ModelError: For files that are missing or unknown, another format, or content that is not
            a model's.
        TamperedModelError: Where a file is not the one that was written.
    """
    contents = dict(files)
    document = _document(contents)
    digests = _digests(document)
    if set(contents) != {BUNDLE, *digests}:
        found, needed = ", ".join(sorted(contents)), ", ".join(sorted({BUNDLE, *digests}))
        raise ModelError(model="files", problem=f"found {found}; needed {needed}")
    for name, promised in digests.items():
        _check_digest(name, contents[name], promised)
    _check_digest(BUNDLE, _text(document["model"]), document["digest"])
    try:
        model = built(ModelBundle, document["model"])
    except MisfitError as misfit:
        raise ModelError(model=BUNDLE, problem=str(misfit)) from None
    assert isinstance(model, ModelBundle)  # noqa: S101 - for the type checker
    return _whole(model, contents)


def digest(content: bytes) -> str:
    """Return the sha256 of a file, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _whole(model: ModelBundle, contents: dict[str, bytes]) -> ModelBundle:
    scores = scores_from(
        contents[SCORES],
        name=SCORES,
        kind=model.out_of_sample.kind,
        symbols=model.out_of_sample.symbols,
    )
    trees = contents.get(TREES, b"").decode()
    whole = replace(model, predictor=replace(model.predictor, booster=trees), out_of_sample=scores)
    check_shapes(whole)
    return whole


def _document(contents: dict[str, bytes]) -> dict[str, Json]:
    strange = sorted(set(contents) - {BUNDLE, TREES, SCORES})
    if strange:
        raise ModelError(model="files", problem=f"unknown, so not opened: {', '.join(strange)}")
    if BUNDLE not in contents:
        raise ModelError(model="files", problem=f"without {BUNDLE}")
    try:
        document: Json = json.loads(contents[BUNDLE].decode("ascii"), parse_constant=_refused)
    except (ValueError, RecursionError):
        raise ModelError(model=BUNDLE, problem="not JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelError(model=BUNDLE, problem=f"not of format {FORMAT}")
    if set(document) != {"format", "digest", "files", "model"}:
        raise ModelError(model=BUNDLE, problem="not what was written here")
    return document


def _refused(constant: str) -> Json:
    """Refuse NaN and infinities, which are no JSON; they are written as words."""
    raise ValueError(constant)


def _digests(document: dict[str, Json]) -> dict[str, Json]:
    digests = document["files"]
    if not isinstance(digests, dict) or SCORES not in digests:
        raise ModelError(model=BUNDLE, problem="it does not name the files that belong to it")
    return digests


def _check_digest(name: str, content: bytes, promised: Json) -> None:
    if digest(content) != promised:
        raise TamperedModelError(path=name, problem="it is not the file that was written")


def _text(content: Json) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def _without_rows(scores: OutOfSampleScores) -> OutOfSampleScores:
    """Return the scores' kind and symbols; what they consist of has its own file."""
    return replace(
        scores, sessions=(), scores=NOTHING, labels=NOTHING, forward_returns=NOTHING,
        volatilities=NOTHING, folds=NOTHING.astype(np.int64),
    )  # fmt: skip
