"""The registry of models: numbered versions, and who of them trades.

Each version is registered with the digests of its files; `registered_files` proves them. Who of the
versions trades is the alias `champion`; the champions before are remembered, so that one step
restores the last of them. Changes are made under a kernel lock: by one process of a machine at a
time.
"""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

from slices.domain.learning_errors import ModelError, ModelNotFoundError
from slices.domain.models import ModelVersion
from slices.runtime.links import model_url
from slices.runtime.mlflow_store import answered, locked, open_client
from slices.runtime.model_files import (
    DIGEST_TAG,
    MANIFEST_TAG,
    MODEL_TAG,
    OF_MLFLOW,
    Files,
    Manifest,
    TrackedModel,
    digest_of,
    log_model,
    logged_model,
    manifest_of,
    written_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities.model_registry import ModelVersion as Registered
    from mlflow.tracking import MlflowClient

    from slices.domain.learning import ModelAlias

PREFIX = "tradeflows."
KEY_TAG = "tradeflows.key"
RETIRED_TAG = "tradeflows.retired"
REASON_TAG = "tradeflows.reason"
CHAMPIONS_TAG = "tradeflows.champions"
CHAMPION, CHALLENGER = "champion", "challenger"
MOST_REMEMBERED = 100
MOST_LETTERS = 500
_held = local()


@contextmanager
def changing(name: str) -> Iterator[None]:
    """Keep others from changing a model; within it, this thread may do so more than once.

    Raises:
        SettingsError: Where another process takes too long.
    """
    names: set[str] = _held.__dict__.setdefault("names", set())
    if name in names:
        yield
        return
    with locked(f"model-{name}"):
        names.add(name)
        try:
            yield
        finally:
            names.discard(name)


def register(
    name: str, *, run_id: str, files: Files, key: str, about: tuple[tuple[str, str], ...] = ()
) -> ModelVersion:
    """Register the model of a tracked run, or find the version there is for the same key.

    Args:
        name: Of the model.
        run_id: The tracked run that made it; where it keeps no model yet, these files become it.
        files: Everything needed to use it.
        key: Digest of what it depends on; equal keys are one version.
        about: Name and value of what lists say about it.

    Raises:
        ModelError: The run keeps a model of other files.
        SettingsError: The store cannot be reached.
    """
    with changing(name):
        client = open_client()
        known = _registered(client, name, key=key)
        if known:
            return _version(client, known[0])
        model_id, manifest = _model_of(client, run_id, files, name=name)
        if not answered(lambda: client.search_registered_models(f"name = '{name}'")):
            client.create_registered_model(name)
        tags = {f"{PREFIX}{what}": value for what, value in about} | {
            KEY_TAG: key,
            MODEL_TAG: model_id,
            MANIFEST_TAG: written_manifest(manifest),
            DIGEST_TAG: digest_of(manifest),
        }
        source = client.get_logged_model(model_id).artifact_location
        made = client.create_model_version(
            name, source, run_id, tags, await_creation_for=0, model_id=model_id
        )
        client.set_registered_model_alias(name, CHALLENGER, str(made.version))
        return _version(client, client.get_model_version(name, str(made.version)))


def names() -> tuple[str, ...]:
    """List the models there are."""
    client = open_client()
    return tuple(sorted(each.name for each in answered(lambda: client.search_registered_models())))


def versions(name: str) -> tuple[ModelVersion, ...]:
    """List the versions of a model, the oldest first; none where there is no such model."""
    client = open_client()
    found = (_version(client, each) for each in _registered(client, name))
    return tuple(sorted(found, key=lambda each: each.version))


def version_by_alias(name: str, alias: ModelAlias) -> ModelVersion | None:
    """Find the version with an alias; None where there is none."""
    return next((each for each in versions(name) if alias in each.aliases), None)


def said_of(version: ModelVersion) -> tuple[tuple[str, str], ...]:
    """List what was said about a version when it was registered, and since; sorted by name."""
    tags = open_client().get_model_version(version.name, str(version.version)).tags
    shown = ((name.removeprefix(PREFIX), value) for name, value in tags.items())
    return tuple(sorted(shown))


def say(version: ModelVersion, what: str, text: str) -> None:
    """Keep something that is said of a version; what was said of it before is replaced."""
    open_client().set_model_version_tag(version.name, str(version.version), f"{PREFIX}{what}", text)


def describe(version: ModelVersion, markdown: str) -> None:
    """Show a text on the page of a version."""
    open_client().update_model_version(version.name, str(version.version), markdown)


def set_champion(name: str, version: int, reason: str) -> ModelVersion:
    """Let a version trade from now on; the champion before is remembered.

    Raises:
        ModelNotFoundError: There is no such version.
        ModelError: It was retired.
    """
    with changing(name):
        client = open_client()
        chosen = next((each for each in versions(name) if each.version == version), None)
        if chosen is None:
            raise ModelNotFoundError(model=name, problem=f"there is no version {version}")
        if chosen.retired:
            raise ModelError(model=name, problem=f"version {version} was retired: {chosen.retired}")
        line = [each for each in _before(client, name) if each != version]
        _remember(client, name, [*line, version])
        _let_trade(client, name, version, reason)
    return _named(name, version)


def rollback(name: str, reason: str) -> ModelVersion:
    """Let the champion before trade again, in one step.

    Raises:
        ModelNotFoundError: There is no such model.
        ModelError: There is none that was not retired.
    """
    with changing(name):
        client = open_client()
        if not versions(name):
            raise ModelNotFoundError(model=name, problem="nothing is registered under this name")
        current = version_by_alias(name, "champion")
        usable = {each.version for each in versions(name) if not each.retired}
        line = [
            each for each in _before(client, name) if current is None or each != current.version
        ]
        previous = next((each for each in reversed(line) if each in usable), None)
        if previous is None:
            raise ModelError(model=name, problem="no earlier champion to go back to")
        if current is not None:
            said = f"rolled back: {reason}"[:MOST_LETTERS]
            client.set_model_version_tag(name, str(current.version), REASON_TAG, said)
        _let_trade(client, name, previous, f"restored by a rollback: {reason}")
        _remember(client, name, line[: line.index(previous) + 1])
    return _named(name, previous)


def retire(name: str, reason: str) -> ModelVersion:
    """Let the champion trade no more, and nobody in its place.

    Raises:
        ModelNotFoundError: There is no champion.
    """
    with changing(name):
        current = version_by_alias(name, "champion")
        if current is None:
            raise ModelNotFoundError(model=name, problem="there is no champion to retire")
        client = open_client()
        client.set_model_version_tag(
            name, str(current.version), RETIRED_TAG, reason[:MOST_LETTERS] or "retired"
        )
        client.delete_registered_model_alias(name, CHAMPION)
    return _named(name, current.version)


def _model_of(
    client: MlflowClient, run_id: str, files: Files, *, name: str
) -> tuple[str, Manifest]:
    """Find the model of a run, or make it, and prove that it consists of these files."""
    if logged_model(client, run_id) is None:
        experiment = client.get_run(run_id).info.experiment_id
        log_model(client, experiment, run_id, TrackedModel(kind=name, files=files))
    found = logged_model(client, run_id)
    own = [each for each in found[1] if each[0] not in OF_MLFLOW] if found else []
    if found is None or tuple(own) != manifest_of(files):
        raise ModelError(model=name, problem=f"run {run_id} keeps a model of other files")
    return found


def _registered(client: MlflowClient, name: str, *, key: str = "") -> list[Registered]:
    found = answered(lambda: client.search_model_versions(f"name = '{name}'"))
    return [each for each in found if not key or each.tags.get(KEY_TAG) == key]


def _version(client: MlflowClient, found: Registered) -> ModelVersion:
    aliases = client.get_registered_model(found.name).aliases
    number = int(found.version)
    return ModelVersion(
        name=str(found.name),
        version=number,
        run_id=str(found.run_id),
        digest=found.tags.get(DIGEST_TAG, ""),
        aliases=tuple(sorted(name for name, at in aliases.items() if int(at) == number)),
        registered_at=dt.datetime.fromtimestamp(found.creation_timestamp / 1000, dt.UTC),
        retired=found.tags.get(RETIRED_TAG, ""),
        url=model_url(found.name, number),
    )


def _named(name: str, version: int) -> ModelVersion:
    client = open_client()
    return _version(client, client.get_model_version(name, str(version)))


def _before(client: MlflowClient, name: str) -> list[int]:
    """List the champions up to the current one, the first one first.

    What lies behind the current one was rolled back, or its promotion was cut off.
    """
    known = client.get_registered_model(name)
    line = [int(each) for each in json.loads(known.tags.get(CHAMPIONS_TAG, "[]"))]
    current = known.aliases.get(CHAMPION)
    if current is None or int(current) not in line:
        return line
    return line[: line.index(int(current)) + 1]


def _remember(client: MlflowClient, name: str, line: list[int]) -> None:
    text = json.dumps(line[-MOST_REMEMBERED:])
    client.set_registered_model_tag(name, CHAMPIONS_TAG, text)


def _let_trade(client: MlflowClient, name: str, version: int, reason: str) -> None:
    client.set_model_version_tag(name, str(version), REASON_TAG, reason[:MOST_LETTERS])
    client.set_registered_model_alias(name, CHAMPION, str(version))
    if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == str(version):
        client.delete_registered_model_alias(name, CHALLENGER)
