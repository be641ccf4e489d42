"""Studies: a search through a strategy's parameters, and what says whether its best is luck."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from slices.domain.backtests import Backtest
from slices.domain.parameters import ParameterGroup
from slices.domain.results import FlowResult
from slices.domain.strategies import StrategyName


def _span(value: object) -> object:
    return tuple(value.split(":")) if isinstance(value, str) else value


ParameterRange = Annotated[tuple[float, float], BeforeValidator(_span)]
"""Smallest and largest value of a parameter; LOW:HIGH where it is written."""

ParameterRanges = dict[str, ParameterRange]
"""Narrower ranges for a search, by parameter."""

FixedParameters = dict[str, bool | float | str]
"""Parameters that are set, by name."""

TrialCount = Annotated[int, Field(ge=2, le=200_000)]
"""How many sets of parameters to try at most."""


class SearchMethod(StrEnum):
    """The ways of choosing what to try."""

    GRID = "grid"
    RANDOM = "random"
    TPE = "tpe"


class ValidationWindows(ParameterGroup):
    """Windows of the walk-forward: choose on one, trade on the next."""

    in_sample_sessions: int = Field(
        default=504, ge=42, le=5040, description="Sessions parameters are chosen on."
    )
    out_of_sample_sessions: int = Field(
        default=126, ge=21, le=1260, description="Sessions they are then traded."
    )
    anchored: bool = Field(
        default=False, description="Choose on all sessions so far, not on the newest ones only."
    )


DEFAULT_WINDOWS = ValidationWindows()
DEFAULT_STUDY_SYMBOLS = ["GOOGL"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of parameters that was tried, net of costs over the whole period of the study.

    Attributes:
        number: Place among the trials, from 0.
        parameters: Name and value of what was varied.
        smoothed_sharpe: Mean Sharpe ratio of the trial and its neighbours in parameter space.
        final_equity: Account value at the end.
        trades: Closed round trips.
        in_plateau: Whether it belongs to the plateau.
    """

    number: int
    parameters: tuple[tuple[str, float | str], ...]
    sharpe_ratio: float
    smoothed_sharpe: float
    final_equity: float
    trades: int
    max_drawdown: float
    in_plateau: bool


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """The connected region of parameters about as good as the best neighbourhood.

    Attributes:
        centre: Its most central trial, which is what is recommended; None where there is no
            plateau.
        reason: Why there is none; empty where there is one.
        tolerance: How far below the best smoothed Sharpe ratio a member may lie, as a fraction.
        cells: Places of the parameter lattice that belong to it, or would.
        median_sharpe: Of the region's own, unsmoothed Sharpe ratios.
        best_smoothed: The highest smoothed Sharpe ratio.
        ranges: Name, smallest and largest value of each parameter within it.
    """

    centre: Trial | None
    reason: str
    tolerance: float
    cells: int
    median_sharpe: float
    best_smoothed: float
    ranges: tuple[tuple[str, float | str, float | str], ...]


@dataclass(frozen=True, kw_only=True)
class ParameterMap:
    """Smoothed Sharpe ratios over two parameters, averaged over all others.

    Attributes:
        values: One row per row label; NaN where nothing was tried.
        marked: Row and column of the places on the plateau.
        marked_centre: Row and column of its centre; None without a plateau.
    """

    row_title: str
    column_title: str
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    marked: tuple[tuple[int, int], ...]
    marked_centre: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class SearchSurface:
    """What the trials look like together.

    Attributes:
        best: The trial with the highest Sharpe ratio of its own, chosen with hindsight.
        top: The trials with the highest smoothed Sharpe ratios, best first.
        undefined: Trials without a Sharpe ratio, because they never traded or lost everything.
    """

    best: Trial
    top: tuple[Trial, ...]
    plateau: Plateau
    map: ParameterMap
    undefined: int


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One step of the walk-forward.

    Attributes:
        in_sample_first: First session whose return the choice knew.
        decided: The session at whose close the choice was made, the last one it knew.
        out_of_sample_last: The last session traded with it.
        trial: Its place among the trials that validate, from 0.
        parameters: What was chosen.
        in_sample_sharpe: Smoothed Sharpe ratio it was chosen for.
        out_of_sample_sharpe: Its own on the sessions after; 0 where it was never in the market.
    """

    in_sample_first: dt.date
    decided: dt.date
    out_of_sample_last: dt.date
    trial: int
    parameters: tuple[tuple[str, float | str], ...]
    in_sample_sharpe: float
    out_of_sample_sharpe: float


@dataclass(frozen=True, kw_only=True)
class CombinatorialEvidence:
    """Combinatorial purged cross-validation: choices on some folds of history, judged on others.

    Attributes:
        folds: Into which history was cut; 0 where it is too short, which `reason` explains.
        test_folds: How many of them each choice was judged on.
        purged_sessions: Left out of what a choice knew, on both sides of what judges it.
        fewest_train_sessions: What the choice that knew least stood on.
        path_sharpes: Sharpe ratio out of sample along every path through history.
        split_sharpes: The same for every choice on the folds that judged it.
    """

    folds: int
    test_folds: int
    purged_sessions: int
    fewest_train_sessions: int
    path_sharpes: tuple[float, ...]
    split_sharpes: tuple[float, ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OverfittingEvidence:
    """How likely the best trial is only the luckiest.

    Attributes:
        trials: How many were really made.
        best_sharpe: The highest Sharpe ratio among them, annualized.
        expected_maximum_sharpe: What the best of as many trials without skill would show, given
            how the trials' ratios vary; annualized.
        deflated_sharpe_ratio: Probability that the best trial's true ratio is above what the best
            of as many trials without skill would show.
        probability_of_overfitting: Share of splits of history in which the best half-history
            choice was not above the median on the other half, ties at it counting one half; NaN
            where `reason` says why.
        probability_of_loss: Share of these splits in which it lost money there.
        splits: Number of them; `groups` blocks of history were recombined.
        left_out: Trials without returns to compare, because they lost everything.
        reason: Why there is no probability of overfitting; empty where there is one.
    """

    trials: int
    best_sharpe: float
    expected_maximum_sharpe: float
    deflated_sharpe_ratio: float
    probability_of_overfitting: float
    probability_of_loss: float
    groups: int
    splits: int
    left_out: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """What was searched, and how.

    Attributes:
        key: Digest of the data, the strategy, the space and the settings: the study's name.
        dimensions: Name, smallest and largest value tried, and number of values, of each parameter.
        fixed: Name and value of what was set and not varied.
        asked: Trials asked for; `trials` is how many there were.
        validation_trials: How many sets of parameters the walk-forward, the combinatorial cross-
            validation and the probability of overfitting choose among; all of them were set before
            any was scored.
        validation_method: How these were set; `trials` themselves where it is `method`.
        first_session: Where every account begins.
        lookback_sessions: The longest history any trial needs for a decision.
        block_sessions: Granularity of all windows.
    """

    key: str
    strategy: StrategyName
    title: str
    method: SearchMethod
    dimensions: tuple[tuple[str, float | str, float | str, int], ...]
    fixed: tuple[tuple[str, float | bool | str], ...]
    asked: int
    trials: int
    validation_trials: int
    validation_method: SearchMethod
    seed: int
    first_session: dt.date
    last_session: dt.date
    lookback_sessions: int
    block_sessions: int
    capital: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Optimization(FlowResult):
    """Which parameters, and whether it is luck.

    Attributes:
        walk_forward: The choices of each fold traded on the sessions after, one account.
        hindsight: The best trial of the whole period over the same sessions.
        recommended: The plateau's centre over the same sessions; None without a plateau.
    """

    settings: StudySettings
    surface: SearchSurface
    folds: tuple[Fold, ...]
    combinatorial: CombinatorialEvidence
    overfitting: OverfittingEvidence
    walk_forward: Backtest
    hindsight: Backtest
    recommended: Backtest | None
