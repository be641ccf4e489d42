"""Models as MLflow keeps them: plain files under digests, described so that its pages show them."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from slices.runtime.mlflow_store import store_folder, tracking_url

if TYPE_CHECKING:
    from mlflow.models import Model
    from mlflow.tracking import MlflowClient

Files = tuple[tuple[str, bytes], ...]
"""Names and contents; a name is a plain file name, without folders."""

Manifest = tuple[tuple[str, str], ...]
"""Names and sha256 digests, sorted by name."""

MODEL_TAG = "tradeflows.model_id"
MANIFEST_TAG = "tradeflows.manifest"
DIGEST_TAG = "tradeflows.sha256"
DESCRIPTION, EXAMPLE = "MLmodel", "input_example.json"
REQUIREMENTS, ENVIRONMENT = "requirements.txt", "python_env.yaml"
OF_MLFLOW = frozenset({DESCRIPTION, EXAMPLE, REQUIREMENTS, ENVIRONMENT})
"""Files beside a model's own that describe it to MLflow; nothing here reads them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackedModel:
    """A trained model as the files it consists of, none of which can run anything.

    Attributes:
        kind: What it is, shown in lists.
        files: Everything needed to use it.
        inputs: Names of the features, in order; float32 each.
        output: Name of what it answers.
        example: A value for each input; NaN where it is not known.
        booster: Name of the file that is LightGBM's own text, which MLflow can open too; empty
            for other kinds.
        requirements: What is needed to use it, such as lightgbm==4.7.0.
    """

    kind: str
    files: Files
    inputs: tuple[str, ...] = ()
    output: str = "score"
    example: tuple[float, ...] = ()
    booster: str = ""
    requirements: tuple[str, ...] = ()


def manifest_of(files: Files) -> Manifest:
    """List the sha256 digest of each file.

    >>> manifest_of((("a", b""),))[0][1][:8]
    'e3b0c442'
    """
    return tuple(sorted((name, hashlib.sha256(content).hexdigest()) for name, content in files))


def digest_of(manifest: Manifest) -> str:
    """Digest a manifest: one sha256 that stands for all files."""
    return hashlib.sha256(written_manifest(manifest).encode()).hexdigest()


def written_manifest(manifest: Manifest) -> str:
    """Write a manifest as one line of JSON."""
    return json.dumps(dict(manifest), sort_keys=True, separators=(",", ":"))


def log_model(client: MlflowClient, experiment: str, run_id: str, model: TrackedModel) -> str:
    """Keep a model under a run.

    Returns:
        The id MLflow knows it by.
    """
    from mlflow.entities import LoggedModelOutput

    made = client.create_logged_model(
        experiment, name=model.kind, source_run_id=run_id, model_type=model.kind
    )
    model_id = str(made.model_id)
    files = (*model.files, *_described(model, run_id, model_id))
    with tempfile.TemporaryDirectory(dir=store_folder()) as folder:
        write_files(Path(folder), files)
        client.log_model_artifacts(model_id, folder)
    client.set_logged_model_tags(model_id, {MANIFEST_TAG: written_manifest(manifest_of(files))})
    client.finalize_logged_model(model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])
    return model_id


def logged_model(client: MlflowClient, run_id: str) -> tuple[str, Manifest] | None:
    """Find the model that is kept under a run: its id, and the digests of its files."""
    outputs = client.get_run(run_id).outputs
    for each in outputs.model_outputs if outputs else ():
        text = client.get_logged_model(each.model_id).tags.get(MANIFEST_TAG)
        if text is not None:
            return str(each.model_id), tuple(sorted(json.loads(text).items()))
    return None


def fetched_files(client: MlflowClient, model_id: str, names: frozenset[str]) -> Files | None:
    """Read the files of a model, of which there must be exactly these; they are not looked into.

    Returns:
        Names and contents; None where there are other files, or some are missing.
    """
    from mlflow.artifacts import download_artifacts

    listed = client.list_logged_model_artifacts(model_id)
    if {each.path for each in listed} != names or any(each.is_dir for each in listed):
        return None
    place = client.get_logged_model(model_id).artifact_location
    with tempfile.TemporaryDirectory(dir=store_folder()) as folder:
        got = Path(
            download_artifacts(artifact_uri=place, dst_path=folder, tracking_uri=tracking_url())
        )
        found = sorted(each for each in got.rglob("*") if each.is_file())
        return tuple((file.relative_to(got).as_posix(), file.read_bytes()) for file in found)


def write_files(folder: Path, files: Files) -> None:
    """Write files into a folder."""
    for name, content in files:
        (folder / name).write_bytes(content)


def _described(model: TrackedModel, run_id: str, model_id: str) -> Files:
    texts = (
        (EXAMPLE, _example(model)),
        (REQUIREMENTS, "".join(f"{each}\n" for each in model.requirements)),
        (ENVIRONMENT, _environment()),
        (DESCRIPTION, _description(model, run_id, model_id).to_yaml()),
    )
    return tuple((name, text.encode()) for name, text in texts if text)


def _example(model: TrackedModel) -> str:
    if not model.example:
        return ""
    row = [float(each) if math.isfinite(each) else None for each in model.example]
    return json.dumps({"columns": model.inputs, "data": [row]})


def _environment() -> str:
    return f"python: {platform.python_version()}\ndependencies:\n  - -r {REQUIREMENTS}\n"


def _description(model: TrackedModel, run_id: str, model_id: str) -> Model:
    """Describe a model with its signature; a booster by the flavors that can open its text."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec("float", name) for name in model.inputs]) if model.inputs else None
    signature = ModelSignature(inputs=inputs, outputs=Schema([ColSpec("double", model.output)]))
    described = Model(run_id=run_id, model_id=model_id, signature=signature)
    if model.example:
        described.saved_input_example_info = {
            "artifact_path": EXAMPLE,
            "type": "dataframe",
            "pandas_orient": "split",
        }
    described.add_flavor("tradeflows", kind=model.kind, data=[name for name, _ in model.files])
    if model.booster:
        opened = {"data": model.booster, "model_class": "lightgbm.basic.Booster", "code": None}
        described.add_flavor("lightgbm", lgb_version=version("lightgbm"), **opened)
        described.add_flavor(
            "python_function",
            loader_module="mlflow.lightgbm",
            data=model.booster,
            env={"virtualenv": ENVIRONMENT},
            python_version=platform.python_version(),
        )
    return described
