"""Loading registered models, and saying why one is not to be used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from slices.domain.errors import IntegrityError
from slices.domain.models import ModelRefusal
from slices.ml_strategy.bundles.files import BUNDLE, SCORES, bundle_files, digest
from slices.ml_strategy.predicting.serving import predict_latest
from slices.ml_strategy.registry.loading import find_model, load_model
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.support.served import served


def test_scores_that_are_no_table_are_a_refusal_with_its_reason(tmp_path: Path) -> None:
    """Every digest is right; it is what was registered that cannot be used."""
    asked = served(tmp_path)
    files = dict(bundle_files(replace(asked.model.bundle, name="no-table")))
    files[SCORES] = b"no table"
    document = json.loads(files[BUNDLE])
    document["files"][SCORES] = digest(files[SCORES])
    files[BUNDLE] = json.dumps(document).encode("ascii")
    open_tracking()
    part = TrackedPart(name="no-table", parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="served", key="no-table", main=part))
    version = registry.register(
        "no-table", run_id=run_id, files=tuple(sorted(files.items())), key="no-table"
    )
    registry.set_champion("no-table", version.version, "for a test")
    with pytest.raises(IntegrityError, match="Arrow"):
        load_model("no-table")
    found = find_model("no-table")
    assert isinstance(found, ModelRefusal)
    assert SCORES in found.reason
    said = predict_latest(found, asked.features, asked.bars)
    assert "Arrow" in said[-1].refusals[0]
