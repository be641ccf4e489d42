"""Which model is followed: the champion, or where nobody trades the one that was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError
from slices.domain.learning_errors import ModelNotFoundError
from slices.ml_strategy.predicting.refusing import TRADED_KIND
from slices.ml_strategy.registry.loading import load_model, load_version

if TYPE_CHECKING:
    from slices.domain.models import LoadedModel, ModelVersion


def find_champion(name: str) -> LoadedModel | None:
    """Load the champion of a model; None where it has none.

    Raises:
        IntegrityError: Its files are not those that were registered.
        ParameterError: Its labels are not ranks of returns over the horizon, which is what is
            followed.
    """
    try:
        return _followable(load_model(name))
    except ModelNotFoundError:
        return None


def find_trained(name: str, version: ModelVersion | None = None) -> LoadedModel:
    """Load the champion of a model, or where nobody trades the version that was trained.

    Args:
        name: Of the model.
        version: As which a training is registered, whether it may trade or was retired since;
            None takes the newest challenger.

    Raises:
        ModelNotFoundError: There is none of them.
        ParameterError: It predicts what cannot be followed; see `find_champion`.
    """
    champion = find_champion(name)
    if champion is not None:
        return champion
    return _followable(load_model(name, "challenger") if version is None else load_version(version))


def _followable(model: LoadedModel) -> LoadedModel:
    kind = model.bundle.label.kind
    if kind != TRADED_KIND:
        raise ParameterError(
            parameter="model",
            found=f"{model.version}, whose labels are of kind {kind}",
            allowed=f"a model whose labels are of kind {TRADED_KIND}",
        )
    return model
