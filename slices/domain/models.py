"""A trained model with everything it needs to be used, checked and compared."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from slices.domain.learning import LabelSettings, ModelKind, OutOfSampleScores, Skill


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """A fitted model as plain content: no pickle, nothing that could run.

    Attributes:
        kind: What it is.
        names: F features in the order it was trained on.
        booster: LightGBM's own text, of a forest as well; empty for the others.
        coefficients: F numbers of a linear model on standardised features; empty for the others.
        centres: F means the linear model subtracts; an unknown feature counts as its centre.
        scales: F deviations it divides by.
    """

    kind: ModelKind
    names: tuple[str, ...]
    booster: str = ""
    coefficients: npt.NDArray[np.float64]
    centres: npt.NDArray[np.float64]
    scales: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """From scores to probabilities and intervals, fitted on later, purged sessions.

    Attributes:
        slope: Of the logistic curve of "above the median of its session" on the standardised score.
        intercept: Of the same.
        expected_slope: Return over the horizon, relative to the session's mean and in units of the
            symbol's volatility, per standardised score; shrunk by what was measured.
        residuals: Q sorted quantiles of (return - expected) / volatility, from which intervals of
            every level are read.
        levels: Q probabilities of `residuals`, rising.
        brier_score: Of the probabilities where they were not fitted; 0.25 is a coin.
        coverages: Nominal level and measured share of held-out returns within the interval.
        sessions: First and last session it was fitted on.
    """

    slope: float
    intercept: float
    expected_slope: float
    residuals: npt.NDArray[np.float64]
    levels: npt.NDArray[np.float64]
    brier_score: float
    coverages: tuple[tuple[float, float], ...]
    sessions: tuple[dt.date, dt.date]


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftReference:
    """What features looked like in training, and how far they stray when nothing is wrong.

    Attributes:
        names: F features.
        edges: F x 9 inner edges of ten bins, equally filled in training where values allow it.
        shares: F x 11 shares of training values per bin, the last of them the unknown ones.
        quantiles: F x 101 quantiles of training values, for the two-sample distance.
        psi_limits: F largest population stability index of a window that raises no alarm.
        ks_limits: F largest Kolmogorov-Smirnov distance that raises none.
        window_sessions: Length of a window.
        alarm_rate: Promised share of windows in which any feature alarms when nothing is wrong.
        psi_count_limit: Most features beyond their limits in a window without an alarm of the set.
        alone_limit: Largest multiple of its limit that a single feature reaches without an alarm.
    """

    names: tuple[str, ...]
    edges: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]
    quantiles: npt.NDArray[np.float64]
    psi_limits: npt.NDArray[np.float64]
    ks_limits: npt.NDArray[np.float64]
    shift_limits: npt.NDArray[np.float64]
    width_limits: npt.NDArray[np.float64]
    window_sessions: int
    alarm_rate: float
    psi_count_limit: int
    alone_limit: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelBundle:
    """Everything that is registered as one version of a model.

    Attributes:
        name: Of the model in the registry.
        predictor: Trained on all sessions whose labels were known.
        definition: Digest of the declared features; others are refused.
        symbols: The universe it was trained on.
        source: Where its bars came from, with `feed` and `adjustment`.
        label: What it predicts.
        trained_from: First session it was trained on.
        trained_until: Last session whose label it has seen.
        known_until: Last session of the bars it was trained on.
        skill: Of its kind and parameters out of sample.
        out_of_sample: The scores that skill stands on.
        trials: Configurations tried to arrive at it.
        unknown_shares: F shares of unknown values in training, in the order of the features.
    """

    name: str
    predictor: Predictor
    definition: str
    symbols: tuple[str, ...]
    source: str
    feed: str
    adjustment: str
    data_fingerprint: str
    label: LabelSettings
    trained_from: dt.date
    trained_until: dt.date
    known_until: dt.date
    skill: Skill
    out_of_sample: OutOfSampleScores
    calibration: Calibration
    drift: DriftReference
    trials: int
    seed: int
    code_version: str
    unknown_shares: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """One version of a model as the registry knows it.

    Attributes:
        name: Of the model.
        version: From 1.
        run_id: The tracked run that made it.
        digest: sha256 over its files, proven before anything is read.
        aliases: Such as champion.
        registered_at: Instant in UTC.
        retired: Why it may not trade any more; empty where it may.
        url: Its page in the tracking UI.
    """

    name: str
    version: int
    run_id: str
    digest: str
    aliases: tuple[str, ...]
    registered_at: dt.datetime
    retired: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedModel:
    """A registered version whose files were proven and read."""

    version: ModelVersion
    bundle: ModelBundle

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features it is to be asked with."""
        return self.bundle.predictor.names


@dataclass(frozen=True, kw_only=True)
class ModelRefusal:
    """Why a model is not to be used, where a flow goes on without it.

    Attributes:
        model: Its name in the registry.
        reason: What was found and what is allowed.
    """

    model: str
    reason: str

    @property
    def feature_names(self) -> None:
        """None, where there is no model that says which."""
        return


@dataclass(frozen=True, kw_only=True)
class PromotionTest:
    """One condition of a promotion.

    Attributes:
        name: What is tested.
        found: The statistic.
        needed: The least it must be.
        sessions: It stands on.
        is_passed: Whether it holds.
        detail: In a sentence.
    """

    name: str
    found: float
    needed: float
    sessions: int
    is_passed: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What became of a trained version.

    Attributes:
        outcome: `promoted` to champion, kept as `challenger`, or `known` where the same training
            was registered before and nothing changes.
        version: The trained one.
        champion: Who trades afterwards; None where nobody does.
        before: Who traded before.
        retired: Whether the champion before was retired because its skill is gone.
        tests: Every condition, in order.
        reason: In a sentence.
    """

    outcome: Literal["promoted", "challenger", "known"]
    version: ModelVersion
    champion: ModelVersion | None
    before: ModelVersion | None
    retired: bool
    tests: tuple[PromotionTest, ...]
    reason: str
