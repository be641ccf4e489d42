"""What shapes each kind of model, and what it is where nobody chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError, listed
from slices.domain.learning import ModelKind

if TYPE_CHECKING:
    from slices.domain.training import ModelParameters

DEFAULTS: tuple[tuple[ModelKind, ModelParameters], ...] = (
    (ModelKind.ALWAYS_EQUAL, ()),
    (ModelKind.LINEAR, (("penalty", 1.0),)),
    (
        ModelKind.RANDOM_FOREST,
        (
            ("feature_share", 0.2),
            ("leaf_share", 0.01),
            ("leaves", 24.0),
            ("row_share", 0.25),
            ("trees", 150.0),
        ),
    ),
    (
        ModelKind.LIGHTGBM,
        (
            ("feature_share", 0.3),
            ("leaf_share", 0.01),
            ("learning_rate", 0.03),
            ("leaves", 8.0),
            ("row_share", 0.5),
            ("trees", 150.0),
        ),
    ),
)
"""Shallow, slow and coarse, because returns are nearly all noise: shares are of the training rows
and of the features, `penalty` is in units of the weight of all training rows."""


def default_parameters(kind: ModelKind) -> ModelParameters:
    """Return what shapes a kind of model where nothing else was chosen.

    >>> default_parameters(ModelKind.LINEAR)
    (('penalty', 1.0),)
    """
    return dict(DEFAULTS)[kind]


def completed(kind: ModelKind, chosen: ModelParameters) -> ModelParameters:
    """Return the chosen parameters with the defaults of those not named, sorted by name.

    Args:
        kind: Of the model.
        chosen: Some of its parameters.

    Raises:
        ParameterError: For a name this kind does not have, or a value that is not above 0.

    >>> completed(ModelKind.LINEAR, (("penalty", 2.0),))
    (('penalty', 2.0),)
    """
    known = dict(default_parameters(kind))
    strangers = tuple(name for name, _ in chosen if name not in known)
    if strangers:
        raise ParameterError(
            parameter=f"parameters of {kind}",
            found=listed(strangers),
            allowed=listed(tuple(known)) or "none",
        )
    for name, value in chosen:
        if not value > 0:
            raise ParameterError(
                parameter=f"{kind}.{name}", found=f"{value:g}", allowed="more than 0"
            )
    return tuple(sorted((known | dict(chosen)).items()))
