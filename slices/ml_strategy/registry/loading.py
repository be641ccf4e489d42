"""Registered models as values: files are proven first, and read as plain content only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import IntegrityError
from slices.domain.learning_errors import ModelError, ModelNotFoundError
from slices.domain.models import LoadedModel, ModelRefusal
from slices.ml_strategy.bundles.files import bundle_of
from slices.runtime import registry
from slices.runtime.registered_files import files_of

if TYPE_CHECKING:
    from slices.domain.learning import ModelAlias
    from slices.domain.models import ModelVersion


def load_model(name: str, alias: ModelAlias = "champion") -> LoadedModel:
    """Load the version of a model that has an alias.

    Raises:
        ModelNotFoundError: There is no such model, or none of its versions has the alias.
        ModelError: The version was retired.
        IntegrityError: See `load_version`.
        SettingsError: The registry cannot be reached.
    """
    version = registry.version_by_alias(name, alias)
    if version is None:
        raise ModelNotFoundError(model=name, problem=f"no version of it is the {alias}")
    if version.retired:
        raise ModelError(
            model=name, problem=f"version {version.version} was retired: {version.retired}"
        )
    return load_version(version)


def load_version(version: ModelVersion) -> LoadedModel:
    """Load a version, whether it may trade or not.

    Raises:
        IntegrityError: Its files are not those that were registered (TamperedModelError), or one
            of them does not hold what it should.
        ModelError: They are not those of a model.
    """
    return LoadedModel(version=version, bundle=bundle_of(files_of(version)))


def find_model(name: str, alias: ModelAlias = "champion") -> LoadedModel | ModelRefusal:
    """Load a model, or say why it is not to be used, for whoever goes on without it."""
    try:
        return load_model(name, alias)
    except (ModelError, IntegrityError) as refused:
        return ModelRefusal(model=name, reason=str(refused))
