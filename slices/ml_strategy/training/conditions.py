"""The conditions of a promotion, each with its number."""

from __future__ import annotations

import math
from bisect import bisect_right
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import counted
from slices.domain.models import PromotionTest
from slices.ml_strategy.skill.coefficients import newey_west_t, session_ics
from slices.ml_strategy.training.comparing import (
    difference_t,
    lately,
    paired_coefficients,
    paired_t,
)
from slices.ml_strategy.training.wording import LATELY

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.domain.learning import Canary, LabelSettings, OutOfSampleScores
    from slices.domain.model_monitoring import DriftWatch
    from slices.domain.models import ModelBundle

LEVEL = 0.05
AGAINST = "Against the champion"
SIGNIFICANT_T = 1.645
FEWEST_SESSIONS = 250
NEWEST_SESSIONS = 504
RULES_OF_BELIEF = 4
LAG_REACHES = 3
"""Outcomes overlap over a label's reach; Bartlett's weights need more lags to see all of it."""


def lags_of(label: LabelSettings) -> int:
    """Return the lags of the standard errors of information coefficients."""
    return LAG_REACHES * label.reach


def believable(bundle: ModelBundle) -> PromotionTest:
    """Test that no figure is too good to be believed."""
    found = bundle.skill.suspicions
    return PromotionTest(
        name="Believable",
        found=float(RULES_OF_BELIEF - len(found)),
        needed=float(RULES_OF_BELIEF),
        sessions=bundle.skill.sessions,
        is_passed=not found,
        detail=f"SUSPECT: {'; '.join(found)}" if found else "no figure is too good to be true",
    )


def canaries_quiet(canaries: Sequence[Canary]) -> PromotionTest:
    """Test that the training found nothing where there is nothing, by at least one canary."""
    singing = [each.name for each in canaries if each.is_singing]
    return PromotionTest(
        name="Canaries",
        found=float(len(canaries) - len(singing)),
        needed=float(max(1, len(canaries))),
        sessions=0,
        is_passed=bool(canaries) and not singing,
        detail=f"singing: {', '.join(singing)}" if singing else "none sings",
    )


def enough_sessions(bundle: ModelBundle) -> PromotionTest:
    """Test that it was judged on a year at least."""
    count = int(np.isfinite(session_ics(bundle.out_of_sample)).sum())
    return PromotionTest(
        name="Enough evidence",
        found=float(count),
        needed=float(FEWEST_SESSIONS),
        sessions=count,
        is_passed=count >= FEWEST_SESSIONS,
        detail="sessions scored before their outcome was known",
    )


def deflated_t(trials: int) -> float:
    """Return the t-statistic that the best of so many trials without skill exceeds once in twenty.

    References:
        Šidák (1967), for trials that know nothing of each other; related ones exceed it less often.

    >>> round(deflated_t(1), 3), round(deflated_t(20), 3)
    (1.645, 2.799)
    """
    return NormalDist().inv_cdf((1.0 - LEVEL) ** (1.0 / max(1, trials)))


def better_than_equal(bundle: ModelBundle) -> PromotionTest:
    """Test the mean information coefficient against that of equal weights, which is zero."""
    found = session_ics(bundle.out_of_sample)
    t_statistic = newey_west_t(found, lags_of(bundle.label))
    needed = deflated_t(bundle.trials)
    return PromotionTest(
        name="Better than always equal",
        found=t_statistic,
        needed=needed,
        sessions=int(np.isfinite(found).sum()),
        is_passed=t_statistic >= needed,
        detail=f"t of the mean IC; the best of {counted(bundle.trials, 'trial')} without skill is"
        " above it once in twenty",
    )


def pays_its_costs(bundle: ModelBundle) -> PromotionTest:
    """Test that the long-short portfolio of the scores earned more than it cost to trade."""
    return PromotionTest(
        name="Pays its costs",
        found=bundle.skill.net_sharpe_ratio,
        needed=0.0,
        sessions=bundle.skill.sessions,
        is_passed=bundle.skill.net_sharpe_ratio > 0.0,
        detail="Sharpe ratio of the best fifth against the worst, net of costs, above zero",
    )


def alive_lately(bundle: ModelBundle) -> tuple[PromotionTest, PromotionTest]:
    """Test that the newest two years still have skill, and not significantly less than before."""
    newest, rest = lately(bundle.out_of_sample, newest=NEWEST_SESSIONS)
    mean = float(newest.mean()) if newest.size else math.nan
    t_statistic = difference_t(newest, rest, lags=lags_of(bundle.label))
    is_short = math.isnan(t_statistic) and newest.size >= FEWEST_SESSIONS
    return (
        PromotionTest(
            name=LATELY,
            found=mean,
            needed=0.0,
            sessions=newest.size,
            is_passed=mean > 0.0,
            detail="IC of the newest sessions, above zero",
        ),
        PromotionTest(
            name="No worse lately",
            found=t_statistic,
            needed=-SIGNIFICANT_T,
            sessions=newest.size + rest.size,
            is_passed=t_statistic > -SIGNIFICANT_T or is_short,
            detail="there is too little before them to compare with"
            if is_short
            else "t of the newest sessions' IC against that of all before",
        ),
    )


def fresh(bundle: ModelBundle, sessions: Sequence[dt.date], *, most_age: int) -> PromotionTest:
    """Test that it was trained on bars young enough to trade on."""
    age = age_of(bundle, sessions)
    return PromotionTest(
        name="Fresh",
        found=float(most_age - age),
        needed=0.0,
        sessions=age,
        is_passed=age <= most_age,
        detail=f"sessions until it is too old; trained on bars until {bundle.known_until}",
    )


def age_of(bundle: ModelBundle, sessions: Sequence[dt.date]) -> int:
    """Count the sessions after the last bar a model was trained on."""
    return len(sessions) - bisect_right(sessions, bundle.known_until)


def looks_as_trained(drift: DriftWatch) -> PromotionTest:
    """Test that the newest features look as in training, and that this can be told."""
    is_judged = math.isfinite(drift.alone_limit)
    return PromotionTest(
        name="Features as in training",
        found=float(drift.beyond_limit - drift.beyond),
        needed=0.0,
        sessions=drift.window_sessions,
        is_passed=is_judged and not drift.is_alarm,
        detail=f"{drift.beyond} features beyond their limit, {drift.beyond_limit} may be; farthest"
        f" {drift.largest:.2f} of {drift.alone_limit:.2f} times its limit"
        if is_judged
        else "the training was too short to learn how far features stray",
    )


def better_than_champion(
    bundle: ModelBundle, rival: OutOfSampleScores, *, name: str, is_old: bool
) -> PromotionTest:
    """Test the difference of information coefficients on the same sessions and symbols.

    A champion that is too old to trade need not be beaten; it must not be better.
    """
    one, other = paired_coefficients(bundle.out_of_sample, rival)
    t_statistic = paired_t(one, other, lags=lags_of(bundle.label))
    needed = -SIGNIFICANT_T if is_old else SIGNIFICANT_T
    what = "which is too old to trade and must not be better" if is_old else "which it must beat"
    means = f"IC {one.mean():.4f} against {other.mean():.4f}" if one.size else "no common session"
    return PromotionTest(
        name=AGAINST,
        found=t_statistic,
        needed=needed,
        sessions=one.size,
        is_passed=t_statistic >= needed and one.size >= FEWEST_SESSIONS,
        detail=f"t of the paired difference to {name}, {what}; {means}",
    )


def incomparable(reason: str) -> PromotionTest:
    """Say that a champion cannot be compared with, which nobody passes."""
    return PromotionTest(
        name=AGAINST,
        found=math.nan,
        needed=SIGNIFICANT_T,
        sessions=0,
        is_passed=False,
        detail=reason,
    )


def no_champion(reason: str) -> PromotionTest:
    """Say that there is no champion to beat."""
    return PromotionTest(
        name=AGAINST,
        found=math.nan,
        needed=math.nan,
        sessions=0,
        is_passed=True,
        detail=reason,
    )
