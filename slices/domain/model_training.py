"""A training as a whole: candidates, what may be believed of them, and what became of the best."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from slices.domain.learning import Canary, FoldSkill, LabelSettings, ModelKind, Skill, SplitSettings
from slices.domain.models import ModelVersion, Promotion
from slices.domain.parameters import Costs, distinct
from slices.domain.results import FlowResult
from slices.domain.training import ModelParameters, PathEvidence, TrialRow

if TYPE_CHECKING:
    from collections.abc import Sequence

ModelKinds = Annotated[list[ModelKind], Field(min_length=1), AfterValidator(distinct)]
"""Kinds of model, each once."""

FeatureNames = Annotated[list[str], Field(min_length=1), AfterValidator(distinct)]
"""Names of features, each once."""

TuningTrials = Annotated[int, Field(ge=0, le=100)]
"""Sets of parameters tried for each kind; 0 keeps the defaults."""

ALL_KINDS = [
    ModelKind.ALWAYS_EQUAL,
    ModelKind.LINEAR,
    ModelKind.RANDOM_FOREST,
    ModelKind.LIGHTGBM,
]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What was asked for.

    Attributes:
        features: How many were learnt from.
        first_session: Of the bars.
        last_session: Of the bars.
        examples: Symbols times sessions with features.
    """

    model: str
    kinds: tuple[ModelKind, ...]
    label: LabelSettings
    splits: SplitSettings
    costs: Costs
    trials: int
    seed: int
    features: int
    definition: str
    first_session: dt.date
    last_session: dt.date
    examples: int


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One kind of model as it did out of sample.

    Attributes:
        tuned: Every set of parameters tried for it, on sessions before the first that tests.
        coefficients: Information coefficient of each session with one, in order of time.
        sessions: Of `coefficients`.
    """

    kind: ModelKind
    parameters: ModelParameters
    skill: Skill
    folds: tuple[FoldSkill, ...]
    tuned: tuple[TrialRow, ...]
    importances: tuple[tuple[str, float], ...]
    contributions: tuple[tuple[str, float], ...]
    sessions: tuple[dt.date, ...]
    coefficients: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class TrainingEvidence:
    """Whether a training may be believed.

    Attributes:
        trials: Configurations tried over all kinds.
        judged_t: t-statistic of the mean information coefficient that the promotion looks at, its
            errors those of outcomes that overlap.
        needed_t: t-statistic that the best of so many without skill is above once in twenty.
        deflated_sharpe_ratio: Probability that the net long-short portfolio's true Sharpe ratio is
            above what the best of so many trials shows by luck; NaN where nothing was traded.
        proven_features: Features proven free of look-ahead.
        compared_cells: Values compared to prove it.
        canaries: Every one, with what it found.
        paths: Of the chosen kind through combinations of blocks; None where nobody asked for them.
    """

    trials: int
    judged_t: float
    needed_t: float
    deflated_sharpe_ratio: float
    proven_features: int
    compared_cells: int
    canaries: tuple[Canary, ...]
    paths: PathEvidence | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelTraining(FlowResult):
    """Can it be learnt, honestly?

    Attributes:
        candidates: Every kind of model, in the order asked for.
        chosen: The kind that was registered.
        version: As which it is registered; None until it is.
        promotion: What became of it; None until it was judged.
    """

    settings: TrainingSettings
    candidates: tuple[Candidate, ...]
    chosen: ModelKind
    evidence: TrainingEvidence
    version: ModelVersion | None = None
    promotion: Promotion | None = None

    @property
    def best(self) -> Candidate:
        """The candidate that was registered."""
        return named(self.candidates, self.chosen)


def named(candidates: Sequence[Candidate], kind: ModelKind) -> Candidate:
    """Find the candidate of a kind."""
    return next(each for each in candidates if each.kind is kind)
