"""Which features stay: one of each group that says the same, chosen on past sessions alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.feature_evidence import (
    FALSE_DISCOVERIES,
    FeatureSelection,
    FeatureStanding,
)
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.ml_strategy.features.redundancy import clusters

if TYPE_CHECKING:
    from slices.domain.feature_evidence import FeatureEvidence, FeatureStudy
    from slices.quant.types import BoolArray, FloatArray

LEAST_KNOWN_SHARE = 0.5


def select_features(
    study: FeatureStudy,
    *,
    largest_redundancy: float,
    least_known_share: float = LEAST_KNOWN_SHARE,
) -> FeatureSelection:
    """Choose the feature of each cluster that told most, on the sessions of the selection.

    A feature that is the same for all symbols of a session ranks nothing alone; of such the first
    of each cluster stays, for models that combine features.

    Args:
        study: What the features told.
        largest_redundancy: Size of a mean rank correlation from which on two say the same.
        least_known_share: Share of the selection's bars at which a feature must be known.
    """
    numbers = clusters(study.redundancy, largest=largest_redundancy).tolist()
    heads = _heads(study.features, numbers, least_known_share)
    p_values = np.array([_p_value(each.chosen.t_statistic) for each in study.features])
    passes = discoveries(p_values, rate=FALSE_DISCOVERIES)
    standings = tuple(
        _standing(each, number, heads[number], float(p), least_known_share, passed=bool(passed))
        for each, number, p, passed in zip(study.features, numbers, p_values, passes, strict=True)
    )
    chosen = _coefficients(study, later=False)
    later = _coefficients(study, later=True)
    return FeatureSelection(
        names=tuple(each.name for each in standings if each.is_selected),
        standings=standings,
        clusters=len(heads),
        tested=int(np.isfinite(p_values).sum()),
        significant=int(passes.sum()),
        kept_sign=int((passes & (chosen * later > 0)).sum()),
        later_rank_correlation=_rank_correlation(chosen, later),
        largest_redundancy=largest_redundancy,
        least_known_share=least_known_share,
    )


def discoveries(p_values: FloatArray, *, rate: float) -> BoolArray:
    """Mark the tests that pass while the expected share of false ones among them is limited.

    Args:
        p_values: Of the tests; NaN where there was none.
        rate: Largest expected share of false discoveries.

    References:
        Benjamini, Hochberg (1995), Controlling the False Discovery Rate.

    >>> discoveries(np.array([0.001, 0.2, 0.02, np.nan]), rate=0.1).tolist()
    [True, False, True, False]
    """
    known = np.sort(p_values[np.isfinite(p_values)])
    below = np.flatnonzero(known <= rate * np.arange(1, known.size + 1) / max(known.size, 1))
    limit = known[below[-1]] if below.size else -1.0
    return np.asarray(p_values <= limit)


def _p_value(t_statistic: float) -> float:
    return math.erfc(abs(t_statistic) / math.sqrt(2.0))


def _heads(
    features: tuple[FeatureEvidence, ...], numbers: list[int], least: float
) -> dict[int, FeatureEvidence]:
    """Choose who stands for each cluster: the one known often enough that told most."""
    heads: dict[int, FeatureEvidence] = {}
    for each, number in zip(features, numbers, strict=True):
        if number not in heads or _strength(each, least) > _strength(heads[number], least):
            heads[number] = each
    return heads


def _strength(each: FeatureEvidence, least: float) -> tuple[bool, float]:
    ratio = abs(each.chosen.icir)
    return each.chosen_known_share >= least, -1.0 if math.isnan(ratio) else ratio


def _standing(
    each: FeatureEvidence,
    number: int,
    head: FeatureEvidence,
    p_value: float,
    least: float,
    *,
    passed: bool,
) -> FeatureStanding:
    reason = ""
    if each.chosen_known_share < least:
        reason = f"known at {written(each.chosen_known_share, Unit.FRACTION)} of the bars only"
    elif each.name != head.name:
        reason = f"says the same as {head.name}"
    return FeatureStanding(
        name=each.name,
        cluster=number,
        represented_by=head.name,
        p_value=p_value,
        is_significant=passed,
        is_selected=not reason,
        reason=reason,
    )


def _coefficients(study: FeatureStudy, *, later: bool) -> FloatArray:
    spans = [each.later if later else each.chosen for each in study.features]
    return np.array([each.information_coefficient for each in spans])


def _rank_correlation(first: FloatArray, second: FloatArray) -> float:
    from scipy.stats import spearmanr

    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3 or np.ptp(first[both]) == 0 or np.ptp(second[both]) == 0:
        return math.nan
    return float(spearmanr(first[both], second[both]).statistic)
