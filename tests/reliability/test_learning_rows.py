"""Rows 40 and 43: models are read without running anything, and trained the same everywhere."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from slices.domain.fingerprint import fingerprint
from slices.domain.learning import ModelKind
from slices.domain.learning_errors import ModelError, TamperedModelError
from slices.ml_strategy.bundles.files import BUNDLE, SCORES, TREES, bundle_files, bundle_of
from tests.support.planted_examples import learnt_digests, planted_bundle

ROOT = Path(__file__).parents[2]

LEARN = """
import json, sys
from slices.domain.fingerprint import fingerprint
from slices.domain.learning import ModelKind
from slices.ml_strategy.bundles.files import bundle_files
from tests.support.planted_examples import learnt_digests, planted_bundle
files = fingerprint(bundle_files(planted_bundle(ModelKind.LIGHTGBM)))
print(json.dumps([*learnt_digests(threads=int(sys.argv[1])), ["files", files]]))
"""

READ_CUT_TREES = """
import sys
from slices.ml_strategy.fitting.boosters import booster_gains
booster_gains(sys.stdin.read())
"""


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.write_text, (self.witness, "executed")


def test_r40_a_pickle_among_a_models_files_is_refused_and_never_run(tmp_path: Path) -> None:
    files = dict(bundle_files(planted_bundle(ModelKind.LIGHTGBM)))
    witness = tmp_path / "witness"
    harmful = pickle.dumps(Harmful(witness))
    for name in ("model.pkl", "MLmodel", BUNDLE, SCORES, TREES):
        with pytest.raises((ModelError, TamperedModelError)):
            bundle_of(tuple((files | {name: harmful}).items()))
    assert not witness.exists()


@pytest.mark.slow
def test_r40_a_model_cut_short_is_refused_where_lightgbm_would_end_the_process() -> None:
    files = dict(bundle_files(planted_bundle(ModelKind.LIGHTGBM)))
    cut = files[TREES][: len(files[TREES]) // 2]
    with pytest.raises(TamperedModelError):
        bundle_of(tuple((files | {TREES: cut}).items()))
    unproven = subprocess.run(
        [sys.executable, "-c", READ_CUT_TREES],
        input=cut,
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert unproven.returncode != 0


def learnt_elsewhere(*, threads: int) -> list[list[str]]:
    """Train in a process of its own, with other threads everywhere and another hash seed."""
    settings = {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "PYTHONHASHSEED": str(threads),
    }
    done = subprocess.run(
        [sys.executable, "-c", LEARN, str(threads)],
        capture_output=True, cwd=ROOT, check=True, env=os.environ | settings,
    )  # fmt: skip
    found: list[list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_r43_one_seed_gives_one_model_over_threads_and_processes() -> None:
    files = fingerprint(bundle_files(planted_bundle(ModelKind.LIGHTGBM)))
    here = [[kind, digest] for kind, digest in learnt_digests(threads=1)] + [["files", files]]
    assert learnt_elsewhere(threads=1) == here
    assert learnt_elsewhere(threads=2) == here


def test_r43_another_seed_is_another_model() -> None:
    one, two = (planted_bundle(ModelKind.LIGHTGBM, seed=seed).predictor for seed in (1, 2))
    assert one.booster != two.booster
