"""What a search may change of each kind of model, and between which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.learning import ModelKind

if TYPE_CHECKING:
    from optuna import Trial

    from slices.domain.training import ModelParameters


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where a parameter is looked for, evenly in its logarithm.

    Attributes:
        is_count: Whether only whole numbers make sense.
    """

    name: str
    low: float
    high: float
    is_count: bool = False


SPACES: tuple[tuple[ModelKind, tuple[Span, ...]], ...] = (
    (ModelKind.ALWAYS_EQUAL, ()),
    (ModelKind.LINEAR, (Span(name="penalty", low=0.01, high=100.0),)),
    (
        ModelKind.RANDOM_FOREST,
        (
            Span(name="feature_share", low=0.1, high=0.6),
            Span(name="leaf_share", low=0.002, high=0.05),
            Span(name="leaves", low=8, high=64, is_count=True),
            Span(name="row_share", low=0.1, high=0.6),
        ),
    ),
    (
        ModelKind.LIGHTGBM,
        (
            Span(name="feature_share", low=0.1, high=0.8),
            Span(name="leaf_share", low=0.002, high=0.05),
            Span(name="learning_rate", low=0.01, high=0.1),
            Span(name="leaves", low=4, high=32, is_count=True),
            Span(name="row_share", low=0.3, high=0.9),
            Span(name="trees", low=50, high=300, is_count=True),
        ),
    ),
)


def space_of(kind: ModelKind) -> tuple[Span, ...]:
    """Return what may be varied of a kind of model; nothing where it has no parameters."""
    return dict(SPACES)[kind]


def suggested(trial: Trial, space: tuple[Span, ...]) -> ModelParameters:
    """Take a value for every parameter from a trial, in three significant digits."""
    return tuple((span.name, _value(trial, span)) for span in space)


def _value(trial: Trial, span: Span) -> float:
    if span.is_count:
        return float(trial.suggest_int(span.name, int(span.low), int(span.high), log=True))
    return float(f"{trial.suggest_float(span.name, span.low, span.high, log=True):.3g}")
