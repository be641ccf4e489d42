"""Models as files: exact, and believed only where nobody touched them."""

from __future__ import annotations

import dataclasses
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slices.domain.errors import IntegrityError
from slices.domain.fingerprint import fingerprint
from slices.domain.learning import ModelKind
from slices.domain.learning_errors import ModelError, TamperedModelError
from slices.domain.models import ModelBundle
from slices.ml_strategy.bundles.files import BUNDLE, SCORES, TREES, bundle_files, bundle_of, digest
from slices.ml_strategy.bundles.plain import MisfitError, built, plain
from slices.ml_strategy.fitting.models import contributions_of, scores_of
from tests.support.planted_examples import planted_bundle, planted_examples

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def boosted() -> ModelBundle:
    return planted_bundle(ModelKind.LIGHTGBM)


@pytest.fixture
def files(boosted: ModelBundle) -> Files:
    return dict(bundle_files(boosted))


def reading(files: Files) -> ModelBundle:
    return bundle_of(tuple(files.items()))


def with_document(files: Files, change: Callable[[dict[str, object]], object]) -> Files:
    """Edit `bundle.json` and make its own digest right again."""
    document = json.loads(files[BUNDLE])
    change(document)
    model = json.dumps(document["model"], separators=(",", ":")).encode()
    return files | {BUNDLE: json.dumps(document | {"digest": digest(model)}).encode()}


@pytest.mark.parametrize("kind", ModelKind)
def test_what_is_read_is_what_was_written(kind: ModelKind) -> None:
    bundle = planted_bundle(kind)
    read = bundle_of(bundle_files(bundle))
    assert fingerprint(read) == fingerprint(bundle)
    assert bundle_files(read) == bundle_files(bundle)
    examples = planted_examples(symbols=8)
    for asked in (scores_of, contributions_of):
        one, two = (
            asked(each.predictor, examples.features, examples.names) for each in (bundle, read)
        )
        assert one.tobytes() == two.tobytes()


def test_a_bundle_knows_what_it_was_trained_on(boosted: ModelBundle) -> None:
    examples = planted_examples(symbols=8)
    assert boosted.trained_from == examples.sessions[0]
    assert boosted.trained_until == examples.sessions[500 - 6 - 1]
    assert boosted.known_until == examples.sessions[-1]
    assert boosted.out_of_sample.sessions == examples.sessions[200:]
    known = examples.features[examples.is_known]
    np.testing.assert_allclose(boosted.unknown_shares, np.isnan(known).mean(axis=0))


def test_the_table_of_scores_reads_without_this_system(files: Files, boosted: ModelBundle) -> None:
    table = pl.read_ipc(files[SCORES])
    chosen = table.filter(pl.col("symbol") == "S03")
    assert chosen["scores"].to_list() == boosted.out_of_sample.scores[:, 3].tolist()
    assert tuple(chosen["session"]) == boosted.out_of_sample.sessions


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("name", [TREES, SCORES, BUNDLE])
@pytest.mark.parametrize(
    "change", [lambda each: each[: len(each) // 2], flipped, lambda each: each + b"\n1"]
)
def test_a_cut_or_edited_file_is_refused(
    files: Files, name: str, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises((ModelError, TamperedModelError)):
        reading(files | {name: change(files[name])})


def test_an_edited_number_is_refused(files: Files) -> None:
    edited = files[TREES].replace(b"leaf_value=", b"leaf_value=1", 1)
    with pytest.raises(TamperedModelError, match=TREES):
        reading(files | {TREES: edited})
    document = json.loads(files[BUNDLE])
    document["model"]["calibration"]["slope"] = 9.0
    with pytest.raises(TamperedModelError, match=BUNDLE):
        reading(files | {BUNDLE: json.dumps(document).encode()})


@pytest.mark.parametrize("name", [TREES, SCORES, BUNDLE])
def test_a_missing_file_is_refused(files: Files, name: str) -> None:
    with pytest.raises(ModelError, match=name):
        reading({each: files[each] for each in files if each != name})


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.write_text, (self.witness, "executed")


@pytest.mark.parametrize("name", ["model.pkl", "python_model.pkl", BUNDLE, TREES, SCORES])
def test_a_pickle_is_refused_and_does_nothing(files: Files, name: str, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    harmful = pickle.dumps(Payload(witness))
    with pytest.raises((ModelError, TamperedModelError)):
        reading(files | {name: harmful})
    assert not witness.exists()
    pickle.loads(harmful)  # noqa: S301 - it would have
    assert witness.read_text() == "executed"


def test_a_pickle_under_a_right_digest_does_nothing_either(files: Files, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    harmful = pickle.dumps(Payload(witness))
    promised = with_document(files, lambda each: each["files"].update({SCORES: digest(harmful)}))
    with pytest.raises(IntegrityError):
        reading(promised | {SCORES: harmful})
    assert not witness.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each.update(format=2),
        lambda each: each["model"].update(stranger=1),
        lambda each: each["model"].pop("seed"),
        lambda each: each["model"].update(seed="1"),
        lambda each: each["model"].update(trials=1.5),
        lambda each: each["model"].update(trained_from="yesterday"),
        lambda each: each["model"]["predictor"].update(kind="pickle"),
        lambda each: each["model"]["predictor"].update(names="feature_0"),
        lambda each: each["model"]["predictor"].update(names=["feature_0"]),
        lambda each: each["model"]["predictor"].update(kind="linear"),
        lambda each: each["model"]["label"].update(horizon_sessions=0),
        lambda each: each["model"]["label"].update(horizon_sessions="5"),
        lambda each: each["model"]["drift"].update(psi_limits=["1"]),
        lambda each: each["model"]["drift"].update(shares=[[1.0], [1.0, 2.0]]),
        lambda each: each["model"]["calibration"].update(slope=True),
        lambda each: each["model"]["calibration"].update(slope=10**400),
        lambda each: each["model"]["calibration"].update(sessions=["2020-01-01"]),
        lambda each: each.update(files={}),
        lambda each: each.update(files=[]),
        lambda each: each.update(model=[]),
    ],
)
def test_content_that_is_not_a_models_is_refused(
    files: Files, change: Callable[[dict[str, object]], object]
) -> None:
    with pytest.raises(ModelError):
        reading(with_document(files, change))


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b"NaN"])
def test_what_is_no_json_object_is_refused(files: Files, content: bytes) -> None:
    with pytest.raises(ModelError):
        reading(files | {BUNDLE: content})


def test_a_number_that_is_no_json_is_refused(files: Files) -> None:
    edited = re.sub(rb'"slope":[^,]+', b'"slope":NaN', files[BUNDLE])
    assert edited != files[BUNDLE]
    with pytest.raises(ModelError):
        reading(files | {BUNDLE: edited})


def test_scores_of_other_symbols_are_refused(files: Files, boosted: ModelBundle) -> None:
    others = dataclasses.replace(
        boosted.out_of_sample, symbols=tuple(f"X{place}" for place in range(8))
    )
    theirs = dict(bundle_files(dataclasses.replace(boosted, out_of_sample=others)))[SCORES]
    promised = with_document(files, lambda each: each["files"].update({SCORES: digest(theirs)}))
    with pytest.raises(IntegrityError):
        reading(promised | {SCORES: theirs})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (float, 0.1 + 0.2),
        (float, float("-inf")),
        (tuple[float, ...], ()),
        (tuple[tuple[str, float], ...], (("a", 1.0), ("b", 5e-324))),
        (tuple[int, str], (1, "1")),
        (bool, True),
    ],
)
def test_scalars_survive_exactly(kind: type, value: object) -> None:
    assert built(kind, json.loads(json.dumps(plain(value)))) == value


@pytest.mark.parametrize(
    ("kind", "node"), [(int, True), (bool, 1), (float, "1"), (str, 1), (tuple[int, int], [1])]
)
def test_other_types_do_not_pass(kind: type, node: object) -> None:
    with pytest.raises(MisfitError):
        built(kind, node)


def test_a_value_without_a_plain_form_is_refused() -> None:
    with pytest.raises(TypeError):
        plain({1, 2})
