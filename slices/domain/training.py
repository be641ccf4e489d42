"""Training: what a kind of model said where it had not learnt, and who chose its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slices.domain.learning import FoldSkill, ModelKind, OutOfSampleScores, Skill

ModelParameters = tuple[tuple[str, float], ...]
"""Name and value of what shapes a model, sorted by name."""


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "pruned"


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One set of parameters that was tried.

    Attributes:
        number: From 0, in the order of trying; the defaults are the first.
        state: Pruned where it was given up because others were better on the folds so far.
        value: Mean rank correlation of score and label over the sessions that were tested; of a
            pruned trial over those until it was given up.
        folds: Inner folds it was tested on.
    """

    number: int
    state: TrialState
    value: float
    folds: int
    parameters: ModelParameters


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The parameters a search ended with, and everything it tried.

    Attributes:
        parameters: The best; the defaults where nothing was tried.
        trials: Every one in order; empty where none was wanted.
        sessions: Sessions the search knew, all before the first that tests.
        reason: Why nothing was tried; empty where something was.
    """

    kind: ModelKind
    parameters: ModelParameters
    trials: tuple[TrialRow, ...]
    sessions: int
    reason: str = ""

    @property
    def pruned(self) -> int:
        """Trials that were given up early."""
        return sum(each.state is TrialState.PRUNED for each in self.trials)

    @property
    def count(self) -> int:
        """Configurations the result was chosen from, itself included."""
        return max(len(self.trials), 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """One kind of model with one set of parameters, out of sample.

    Attributes:
        folds: In order of time.
        trials: Configurations tried to arrive at it.
        importances: Name and share of what the model of the last fold gained by each feature,
            largest first; they sum to 1, or are all 0 where no feature was used.
        contributions: Name and mean absolute contribution of each feature to the scores of the
            last fold's test sessions, in units of the label's rank, largest first.
    """

    kind: ModelKind
    parameters: ModelParameters
    scores: OutOfSampleScores
    skill: Skill
    folds: tuple[FoldSkill, ...]
    trials: int
    importances: tuple[tuple[str, float], ...]
    contributions: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class PathSkill:
    """How good scores were along one path through history.

    Attributes:
        number: From 1.
        skill: Over all sessions, each block of them scored by a model of other blocks.
    """

    number: int
    skill: Skill


@dataclass(frozen=True, kw_only=True)
class PathEvidence:
    """What a kind of model says when every two blocks of history are tested by the others.

    Models learnt from later sessions as well as from earlier ones, so this shows how far figures
    stray from one way of testing to the next; it is not what could have been traded.

    Attributes:
        blocks: That sessions were cut into.
        fits: Models that were trained, one for every two blocks.
        paths: Each covers every session once.
    """

    kind: ModelKind
    blocks: int
    fits: int
    paths: tuple[PathSkill, ...]

    @property
    def coefficients(self) -> tuple[float, ...]:
        """Information coefficient of each path."""
        return tuple(each.skill.information_coefficient for each in self.paths)

    @property
    def net_sharpe_ratios(self) -> tuple[float, ...]:
        """Net Sharpe ratio of each path."""
        return tuple(each.skill.net_sharpe_ratio for each in self.paths)
