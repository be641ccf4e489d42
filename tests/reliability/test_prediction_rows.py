"""Faults of serving: whatever is wrong with model or features, nothing is predicted or traded."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from slices.domain.fingerprint import bytes_digest
from slices.domain.forecasts import Forecasts, ServingLimits
from slices.domain.learning import FeatureSetRef
from slices.domain.models import LoadedModel, ModelRefusal
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.features.building import build_features, read_features
from slices.ml_strategy.features.catalogue import definition_of
from slices.ml_strategy.predicting.serving import predict, predict_latest
from slices.ml_strategy.predicting.weighing import prediction_targets, standing_weights
from slices.ml_strategy.registry.loading import find_model
from slices.quant.panel import read_panel
from slices.runtime import registry
from slices.runtime.mlflow_store import open_client, open_tracking
from slices.runtime.model_files import MODEL_TAG
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.slices.quant.market import stored
from tests.support.served import NAMES, Served, served

Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("served"))


def rewritten(features: FeatureSetRef, folder: Path, change: Change) -> FeatureSetRef:
    """Store a changed frame under a reference that fits its bytes."""
    rows = change(read_features(features))
    out = io.BytesIO()
    rows.write_parquet(out)
    file = folder / "features.parquet"
    file.write_bytes(out.getvalue())
    return replace(
        features,
        names=tuple(name for name in rows.columns if name not in {"session", "symbol"}),
        checksum=bytes_digest(out.getvalue()),
        path=str(file),
    )


def newest(rows: pl.DataFrame) -> pl.Expr:
    return pl.col("session") == rows["session"].max()


def unknown(*names: str) -> Change:
    """Nothing is known of some features at the newest session."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        empty = pl.lit(None, dtype=pl.Float32)
        return rows.with_columns(
            pl.when(newest(rows)).then(empty).otherwise(pl.col(name)).alias(name) for name in names
        )

    return change


def burst(rows: pl.DataFrame) -> pl.DataFrame:
    """A fifth of the symbols without any value at the newest session, as NaN instead of null."""
    lost = newest(rows) & pl.col("symbol").is_in(["P00", "P01", "P02"])
    nothing = pl.lit(float("nan"), dtype=pl.Float32)
    return rows.with_columns(
        pl.when(lost).then(nothing).otherwise(pl.col(name)).alias(name) for name in NAMES
    )


def infinite(rows: pl.DataFrame) -> pl.DataFrame:
    wild = pl.lit(float("inf"), dtype=pl.Float32)
    spot = newest(rows) & (pl.col("symbol") == "P03")
    return rows.with_columns(momentum_21=pl.when(spot).then(wild).otherwise(pl.col("momentum_21")))


MUTATIONS: list[tuple[str, Change, str]] = [
    ("missing", lambda rows: rows.drop("momentum_63"), "momentum_63"),
    ("renamed", lambda rows: rows.rename({"momentum_63": "momentum_sixty"}), "momentum_63"),
    ("one more", lambda rows: rows.with_columns(extra=pl.lit(1.0, dtype=pl.Float32)), "extra"),
    ("reordered", lambda rows: rows.select("session", "symbol", *reversed(NAMES)), "order"),
    ("float64", lambda rows: rows.with_columns(pl.col("reversal_5").cast(pl.Float64)), "Float64"),
    ("text", lambda rows: rows.with_columns(pl.col("reversal_5").cast(pl.String)), "String"),
    ("burst", burst, "unknown feature values"),
    ("all unknown", unknown(*NAMES), "unknown feature values"),
    ("infinite", infinite, "infinite"),
]


@pytest.mark.parametrize(
    ("change", "words"), [each[1:] for each in MUTATIONS], ids=[each[0] for each in MUTATIONS]
)
def test_r41_a_changed_frame_is_refused_and_nothing_is_traded(
    asked: Served, tmp_path: Path, change: Change, words: str
) -> None:
    assert predict(asked.model, asked.features, asked.bars).forecasts
    features = rewritten(asked.features, tmp_path, change)
    found = predict(asked.model, features, asked.bars)
    assert_nothing_said(found, words)
    targets = prediction_targets(asked.bars, (found,))
    assert not any(targets.weights)


def test_r41_a_feature_that_went_dark_is_refused_by_name(asked: Served, tmp_path: Path) -> None:
    patient = ServingLimits(most_unknown_share=0.4)
    features = rewritten(asked.features, tmp_path, unknown("reversal_5"))
    assert_nothing_said(predict(asked.model, features, asked.bars, limits=patient), "reversal_5")


def test_r41_only_the_sessions_concerned_are_refused(asked: Served, tmp_path: Path) -> None:
    features = rewritten(asked.features, tmp_path, burst)
    *before, last = predict_latest(asked.model, features, asked.bars)
    assert last.refusals
    assert all(each.forecasts for each in before)
    whole = predict_latest(asked.model, asked.features, asked.bars)
    assert tuple(before) == whole[:-1]


def test_r41_a_file_that_was_changed_is_refused(asked: Served, tmp_path: Path) -> None:
    copied = rewritten(asked.features, tmp_path, lambda rows: rows)
    content = bytearray(Path(copied.path).read_bytes())
    content[len(content) // 2] ^= 1
    Path(copied.path).write_bytes(content)
    assert_nothing_said(predict(asked.model, copied, asked.bars), "changed")
    Path(copied.path).unlink()
    assert_nothing_said(predict(asked.model, copied, asked.bars), "gone")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"adjustment": "split"}, "another adjustment"),
        ({"feed": "sip"}, "another feed"),
        ({"source": "yfinance"}, "another source"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_r41_other_bars_than_in_training_are_refused(
    asked: Served, changed: dict[str, str], words: str
) -> None:
    bars = replace(asked.bars, **changed)
    assert_nothing_said(predict(asked.model, asked.features, bars), words)


def test_r41_another_universe_is_refused(asked: Served, tmp_path: Path) -> None:
    panel = read_panel(asked.bars)
    closes = {name: panel.close[:, i].copy() for i, name in enumerate(panel.symbols)}
    del closes["P07"]
    closes["NEW"] = panel.close[:, 0] * 1.5
    bars = stored(tmp_path, panel.sessions, closes)
    found = predict(asked.model, build_features(bars, names=NAMES), bars)
    assert_nothing_said(found, "without P07 and with NEW")


def test_r41_features_of_other_bars_or_definitions_are_refused(asked: Served) -> None:
    other = replace(asked.features, data_fingerprint="elsewhere")
    assert_nothing_said(predict(asked.model, other, asked.bars), "features of other bars")
    redefined = replace(asked.features, definition=definition_of(NAMES[:2]))
    assert_nothing_said(predict(asked.model, redefined, asked.bars), "defined otherwise")


def test_r41_symbols_without_a_bar_count_as_unknown(asked: Served, tmp_path: Path) -> None:
    panel = read_panel(asked.bars)
    closes = {name: panel.close[:, i].copy() for i, name in enumerate(panel.symbols)}
    for name in ("P00", "P01", "P02"):
        closes[name][-1] = np.nan
    bars = stored(tmp_path, panel.sessions, closes)
    found = predict(asked.model, build_features(bars, names=NAMES), bars)
    assert_nothing_said(found, "unknown feature values")


def test_r40_a_retired_model_says_nothing(asked: Served) -> None:
    version = replace(asked.model.version, retired="its skill is gone")
    model = replace(asked.model, version=version)
    found = predict_latest(model, asked.features, asked.bars)
    assert_nothing_said(found[-1], "its skill is gone")
    assert standing_weights(found) == ()


@pytest.fixture(scope="module")
def registered(asked: Served) -> LoadedModel:
    """The model as a champion of the registry."""
    open_tracking()
    part = TrackedPart(name="planted", parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="served", key="served", main=part))
    files = bundle_files(asked.model.bundle)
    version = registry.register("served", run_id=run_id, files=files, key="served")
    registry.set_champion("served", version.version, "for a test")
    found = find_model("served")
    assert isinstance(found, LoadedModel)
    return found


class Wicked:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["edited", "cut short", "pickle", "one more", "gone"])
def test_r40_a_tampered_model_is_refused_without_being_opened(
    asked: Served, registered: LoadedModel, tmp_path: Path, what: str
) -> None:
    assert predict(registered, asked.features, asked.bars).forecasts
    folder, marker = stored_files(registered), tmp_path / "marker"
    file = folder / "bundle.json"
    content = file.read_bytes()
    added = folder / "model.pkl"
    try:
        tamper(file, added, content, what, marker)
        found = find_model("served")
        assert isinstance(found, ModelRefusal)
        said = predict_latest(found, asked.features, asked.bars)
        assert_nothing_said(said[-1], "served")
        assert standing_weights(said) == ()
        assert not marker.exists()
    finally:
        file.write_bytes(content)
        added.unlink(missing_ok=True)
    assert isinstance(find_model("served"), LoadedModel)


def tamper(file: Path, added: Path, content: bytes, what: str, marker: Path) -> None:
    match what:
        case "edited":
            file.write_bytes(content.replace(b'"slope":', b'"slope": ', 1))
        case "cut short":
            file.write_bytes(content[: len(content) // 2])
        case "pickle":
            file.write_bytes(pickle.dumps(Wicked(marker)))
        case "one more":
            added.write_bytes(pickle.dumps(Wicked(marker)))
        case _:
            file.unlink()


def stored_files(model: LoadedModel) -> Path:
    client: Any = open_client()
    tags = client.get_model_version(model.version.name, str(model.version.version)).tags
    place = client.get_logged_model(tags[MODEL_TAG]).artifact_location
    found = sorted(Path(str(place).removeprefix("file://")).rglob("bundle.json"))
    return found[0].parent


@pytest.mark.slow
def test_r40_an_unknown_model_is_refused(asked: Served) -> None:
    open_tracking()
    found = find_model("nobody")
    assert isinstance(found, ModelRefusal)
    assert_nothing_said(predict(found, asked.features, asked.bars), "nobody")


def assert_nothing_said(found: Forecasts, words: str) -> None:
    assert found.forecasts == ()
    assert any(words in each for each in found.refusals), found.refusals
