"""Watching a champion: whether its inputs, its skill and its promises still hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from slices.domain.models import ModelVersion
from slices.domain.parameters import ParameterGroup
from slices.domain.results import FlowResult

OnDead = Literal["retire", "rollback", "keep"]
"""What becomes of a champion whose skill is gone."""


class MonitorLimits(ParameterGroup):
    """From which on a champion is no longer taken for what it was."""

    most_age_sessions: int = Field(
        default=126, ge=1, le=2520, description="Sessions since training until a model is too old."
    )
    decay_alarm_rate: float = Field(
        default=0.05,
        gt=0,
        le=0.2,
        description="Chance that a model as good as validated is ever called decayed.",
    )
    interval_level: float = Field(
        default=0.9, ge=0.5, le=0.99, description="Level of the intervals whose coverage is judged."
    )


DEFAULT_MONITOR_LIMITS = MonitorLimits()


class CheckState(StrEnum):
    """What a check says."""

    OK = "ok"
    WATCH = "watch"
    ALARM = "alarm"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class MonitorCheck:
    """One question a champion is asked.

    Attributes:
        found: The statistic, in words.
        allowed: What it may be.
        detail: What it stands on.
    """

    name: str
    state: CheckState
    found: str
    allowed: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class FeatureDrift:
    """How far one feature lies from training.

    Attributes:
        psi: Population stability index of the newest window.
        ks: Kolmogorov-Smirnov distance of it.
        shift: Move of the median, in widths of training.
        multiple: The worst measure as a multiple of its limit; NaN where unknown.
        measure: Which that is.
        unknown_share: Of the window's values; `trained_unknown_share` of those of training.
    """

    name: str
    psi: float
    psi_limit: float
    ks: float
    ks_limit: float
    shift: float
    multiple: float
    measure: str
    unknown_share: float
    trained_unknown_share: float


@dataclass(frozen=True, kw_only=True)
class DriftWatch:
    """How far features lie from training.

    Attributes:
        session: Last of the newest window.
        features: Of the newest window, farthest first.
        beyond: How many of them are beyond their own limit.
        beyond_limit: How many may be.
        largest: The largest multiple; `alone_limit` what it may be.
        is_alarm: Whether either is more than may be.
        alarm_rate: Promised share of windows that alarm when nothing is wrong.
        ends: Last sessions of windows since training.
        beyond_history: How many features were beyond their limit in each.
        alarms: Whether each alarmed.
    """

    session: dt.date
    window_sessions: int
    features: tuple[FeatureDrift, ...]
    beyond: int
    beyond_limit: int
    largest: float
    alone_limit: float
    is_alarm: bool
    alarm_rate: float
    ends: tuple[dt.date, ...]
    beyond_history: tuple[int, ...]
    alarms: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class NoticeTime:
    """How long the decay test takes to notice.

    Attributes:
        left: Share of the validated skill that is left; below 0 where it is reversed.
        half: Sessions until half of such decays are noticed; `most` until nine in ten are.
    """

    left: float
    half: float
    most: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DecayWatch:
    """Whether the ranks a champion gave still come true.

    Attributes:
        sessions: S matured sessions after training.
        coefficients: S rank correlations of score and outcome.
        evidence: S: how much likelier no skill is than the validated skill, by then; 1 at first.
        expected: The validated information coefficient.
        expected_error: Its standard error.
        deviation: Long-run deviation of a session's coefficient, of validation or since, the
            larger one.
        mean: Information coefficient since training; NaN before there is one.
        mean_error: Its standard error by that deviation.
        t_statistic: Of the mean against nothing, with Newey-West errors.
        limit: What evidence may reach.
        state: Alarm where it has ever been beyond, watch from a quarter of it on.
        is_gone: Whether it alarms and the mean is not significantly above nothing either.
        notice_times: How long the test takes.
    """

    sessions: tuple[dt.date, ...]
    coefficients: npt.NDArray[np.float64]
    evidence: npt.NDArray[np.float64]
    expected: float
    expected_error: float
    deviation: float
    mean: float
    mean_error: float
    t_statistic: float
    limit: float
    state: CheckState
    is_gone: bool
    notice_times: tuple[NoticeTime, ...]


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Probabilities of about one size and how often they came true."""

    probability: float
    came_true: float
    forecasts: int


@dataclass(frozen=True, kw_only=True)
class CalibrationWatch:
    """Whether probabilities and intervals keep what they promise.

    Attributes:
        sessions: Matured sessions after training.
        brier_score: Of the probabilities; 0.25 is a coin.
        brier_t: By how many standard errors it is worse than a coin.
        validated_brier: Where the calibration was not fitted.
        bins: From the lowest probabilities to the highest.
        level: Of the intervals.
        coverage: Share of returns within; `coverage_error` is its standard error.
        validated_coverage: Where the calibration was not fitted; NaN where not measured.
    """

    sessions: int
    brier_score: float
    brier_t: float
    validated_brier: float
    bins: tuple[ReliabilityBin, ...]
    level: float
    coverage: float
    coverage_error: float
    validated_coverage: float


@dataclass(frozen=True, kw_only=True)
class RecordedPredictions:
    """What the ledger has of a champion's predictions, beside what it says of them again.

    Attributes:
        recorded: Predictions in the ledger that can be made again.
        matured: Of those, how many have an outcome in the ledger.
        differing: Of those, how many are not what the model says now.
        largest: The largest difference of two scores.
        written: Predictions in the ledger, those included that cannot be made again.
        waiting: Of those, how many have no outcome in the ledger yet.
    """

    recorded: int
    matured: int
    differing: int
    largest: float
    first_differing: str = ""
    written: int = 0
    waiting: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelWatch:
    """Everything that was asked of a champion.

    Attributes:
        session: Of the newest bars.
        age_sessions: Sessions since the last bars it was trained on.
        checks: Every check, in order.
    """

    model: ModelVersion
    session: dt.date
    trained_until: dt.date
    age_sessions: int
    drift: DriftWatch
    decay: DecayWatch
    calibration: CalibrationWatch
    recorded: RecordedPredictions
    checks: tuple[MonitorCheck, ...]

    @property
    def alarms(self) -> tuple[MonitorCheck, ...]:
        """The checks that give alarm."""
        return tuple(each for each in self.checks if each.state is CheckState.ALARM)


@dataclass(frozen=True, kw_only=True)
class ChampionAction:
    """What became of a champion.

    Attributes:
        outcome: Whether it was kept, retired, or the champion before it put back.
        champion: Who trades afterwards; None where nobody does.
    """

    outcome: Literal["kept", "retired", "rolled back"]
    champion: ModelVersion | None
    reason: str


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelMonitoring(FlowResult):
    """Whether a champion is still true.

    Attributes:
        watch: What was asked of it; None where there is no champion.
        action: What became of it.
        announced: Names of the events that were sent now.
    """

    watch: ModelWatch | None
    action: ChampionAction | None
    announced: tuple[str, ...]
