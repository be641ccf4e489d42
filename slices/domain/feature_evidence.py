"""What is known of features: how much they tell, for how long, and which say the same."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from slices.domain.learning import FeatureFamily, FeatureSetRef, LabelSettings
from slices.domain.parameters import distinct
from slices.domain.results import FlowResult

Families = Annotated[list[FeatureFamily], Field(min_length=1), AfterValidator(distinct)]
"""At least one family of features, each once."""

ALL_FAMILIES = list(FeatureFamily)

DECAY_HORIZONS = (1, 5, 10, 21, 63)
"""Sessions over which features are asked how long they tell something."""

FALSE_DISCOVERIES = 0.1
"""Expected share of features that pass the test of significance and tell nothing."""


@dataclass(frozen=True, kw_only=True)
class FeatureSkill:
    """How much a feature alone told over some sessions; NaN where that is undefined.

    Attributes:
        sessions: With at least two symbols whose feature and label are known.
        information_coefficient: Mean over sessions of the rank correlation of feature and label.
        icir: That mean over its deviation, annualized and corrected for overlapping labels.
        t_statistic: Of the mean, with Newey-West errors over the horizon.
    """

    sessions: int
    information_coefficient: float
    icir: float
    t_statistic: float


@dataclass(frozen=True, kw_only=True)
class FeatureEvidence:
    """What a feature told, alone.

    Attributes:
        title: One line for a person.
        formula: In symbols.
        lookback_sessions: Bars it needs.
        is_shared: Whether all symbols of a session have the same value, so that it cannot rank
            them; only a model that combines features can use it.
        known_share: Share of bars at which it is known.
        chosen_known_share: The same within the sessions of the selection.
        whole: On all sessions.
        chosen: On the sessions that features are selected on.
        later: On the sessions after these.
        decay: Information coefficients over `DECAY_HORIZONS`, all sessions.
        session_turnover: 1 less the correlation of its ranks with those of the session before.
        horizon_turnover: The same over the label's horizon.
    """

    name: str
    family: FeatureFamily
    title: str
    formula: str
    lookback_sessions: int
    is_shared: bool
    known_share: float
    chosen_known_share: float
    whole: FeatureSkill
    chosen: FeatureSkill
    later: FeatureSkill
    decay: tuple[float, ...]
    session_turnover: float
    horizon_turnover: float


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureStudy:
    """What each of F features told, and how much they say the same.

    Attributes:
        features: F of them.
        redundancy: F x F means over sessions, up to the end of the selection, of the rank
            correlation of two features; between shared ones over sessions; NaN between a shared
            one and another, and where two are never known together.
        label: What they are asked about.
        selection: First and last session features are selected on; their labels end there.
        later: First and last session after.
        left_out: Features the bars cannot give, each with the reason.
    """

    features: tuple[FeatureEvidence, ...]
    redundancy: npt.NDArray[np.float64]
    label: LabelSettings
    selection: tuple[dt.date, dt.date]
    later: tuple[dt.date, dt.date]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class FeatureStanding:
    """What the selection made of a feature.

    Attributes:
        name: Of the feature.
        cluster: Number of the group that says the same, from 1.
        represented_by: The feature that stands for the group; itself where it does.
        p_value: Of its t-statistic on the sessions of the selection, two-sided; NaN where it has
            none.
        is_significant: Whether it tells something, all features tested being counted.
        is_selected: Whether it stays.
        reason: Why not; empty where it stays.
    """

    name: str
    cluster: int
    represented_by: str
    p_value: float
    is_significant: bool
    is_selected: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class FeatureSelection:
    """Which features stay, decided on the first part of the sessions alone.

    Attributes:
        names: That stay, in the order of the catalogue.
        standings: Of every feature, in the order of the study.
        clusters: Groups of features that say the same.
        tested: Features with a t-statistic on the sessions of the selection.
        significant: Of these, how many pass with the false discoveries limited.
        kept_sign: Of the significant ones, how many point the same way afterwards.
        later_rank_correlation: Rank correlation, over the tested features, of their coefficient on
            the sessions of the selection with that afterwards.
        largest_redundancy: Mean rank correlation from which on two features say the same.
        least_known_share: Share of bars at which a feature must be known.
    """

    names: tuple[str, ...]
    standings: tuple[FeatureStanding, ...]
    clusters: int
    tested: int
    significant: int
    kept_sign: int
    later_rank_correlation: float
    largest_redundancy: float
    least_known_share: float


@dataclass(frozen=True, kw_only=True, repr=False)
class FeatureEngineering(FlowResult):
    """Which inputs carry information.

    Attributes:
        features: What stays, stored under its fingerprint.
        evidence: What every feature told.
        selection: Which stay, and why the others do not.
        proven: Features that were proven free of look-ahead.
        compared_values: By how many comparisons.
        proof_sessions: After which the future was cut off or changed.
    """

    features: FeatureSetRef
    evidence: tuple[FeatureEvidence, ...]
    selection: FeatureSelection
    proven: tuple[str, ...]
    compared_values: int
    proof_sessions: tuple[dt.date, ...]
