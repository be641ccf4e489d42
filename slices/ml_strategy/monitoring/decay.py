"""Whether a champion's ranks still come true: a test that may be read after every session."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.model_monitoring import CheckState, DecayWatch, NoticeTime
from slices.ml_strategy.skill.coefficients import (
    long_run_deviation,
    newey_west_t,
    session_ics,
)

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.quant.types import FloatArray

LAG_REACHES = 3
"""Outcomes overlap over a label's reach; Bartlett's weights need more lags to see all of it."""

WATCHED_SHARE = 0.25
SIGNIFICANT_T = 1.645
LEFT = (0.25, 0.0, -0.5, -1.0)
HALF, MOST = 0.5, 0.9


def decay_watch(
    since: OutOfSampleScores,
    validated: OutOfSampleScores,
    *,
    label: LabelSettings,
    alarm_rate: float,
) -> DecayWatch:
    """Weigh whether a model's skill is gone against its being what was validated.

    After every matured session the likelihood of an information coefficient of zero is divided by
    that of the validated one. While the skill is what was validated, or better, this ratio ever
    exceeds 1 / `alarm_rate` with a chance of at most `alarm_rate`, however often and long it is
    looked at. Coefficients count as normal with the long-run deviation that overlapping outcomes
    give them, the larger one of validation and of the time since.

    Args:
        since: Scores at sessions after training; those without a known outcome are left out.
        validated: The out-of-sample scores the model was promoted on.
        label: What was predicted.
        alarm_rate: Promised chance of an alarm, ever, when nothing is wrong.

    References:
        Wald (1945), Sequential Tests of Statistical Hypotheses; Ville (1939).
    """
    lags = LAG_REACHES * label.reach
    past, found = session_ics(validated), session_ics(since)
    known = np.isfinite(found)
    expected = float(np.nanmean(past)) if np.isfinite(past).any() else math.nan
    before = long_run_deviation(past[np.isfinite(past)], lags)
    deviation = float(np.fmax(before, long_run_deviation(found[known], lags)))
    evidence = evidence_of_decay(found[known], expected=expected, deviation=deviation)
    t_statistic = newey_west_t(found[known], lags)
    state = decay_state(evidence, limit=1.0 / alarm_rate)
    count = int(known.sum())
    return DecayWatch(
        sessions=tuple(each for each, used in zip(since.sessions, known, strict=True) if used),
        coefficients=found[known],
        evidence=evidence,
        expected=expected,
        expected_error=before / math.sqrt(max(1, np.isfinite(past).sum())),
        deviation=deviation,
        mean=float(found[known].mean()) if count else math.nan,
        mean_error=deviation / math.sqrt(count) if count else math.nan,
        t_statistic=t_statistic,
        limit=1.0 / alarm_rate,
        state=state,
        is_gone=state is CheckState.ALARM and not t_statistic >= SIGNIFICANT_T,
        notice_times=notice_times(expected, deviation, alarm_rate=alarm_rate),
    )


def evidence_of_decay(coefficients: FloatArray, *, expected: float, deviation: float) -> FloatArray:
    """Return how much likelier no skill is than the expected one, after each session.

    Args:
        coefficients: S information coefficients.
        expected: The validated one; without skill there is nothing to lose.
        deviation: Long-run deviation of a coefficient.

    Returns:
        S ratios; NaN where none was validated or the deviation is not known.

    >>> evidence_of_decay(np.array([0.05, 0.0]), expected=0.1, deviation=0.1).round(3)
    array([1.   , 1.649])
    """
    if not (expected > 0 and deviation > 0):
        return np.full(coefficients.size, np.nan)
    steps = expected * (expected / 2.0 - coefficients) / deviation**2
    return np.asarray(np.exp(np.clip(np.cumsum(steps), -700.0, 700.0)))


def decay_state(evidence: FloatArray, *, limit: float) -> CheckState:
    """Judge the evidence: an alarm stays one, whatever comes after."""
    if evidence.size == 0 or not np.isfinite(evidence).all():
        return CheckState.UNKNOWN
    if evidence.max() >= limit:
        return CheckState.ALARM
    return CheckState.WATCH if evidence[-1] >= WATCHED_SHARE * limit else CheckState.OK


def notice_times(expected: float, deviation: float, *, alarm_rate: float) -> tuple[NoticeTime, ...]:
    """Tell how many sessions pass until a loss of skill is noticed.

    Args:
        expected: The validated information coefficient.
        deviation: Long-run deviation of a session's.
        alarm_rate: Of the test.

    Returns:
        For a quarter of the skill left, none, and half or all of it reversed: quantiles of the
        time a random walk with that drift takes to the limit, which is inverse Gaussian; empty
        where no skill was validated.
    """
    from scipy.stats import invgauss

    if not (expected > 0 and deviation > 0):
        return ()
    height = math.log(1.0 / alarm_rate)
    shape = (height * deviation / expected) ** 2
    times = []
    for left in LEFT:
        mean = height * deviation**2 / (expected**2 * (0.5 - left))
        half, most = (float(invgauss.ppf(q, mean / shape, scale=shape)) for q in (HALF, MOST))
        times.append(NoticeTime(left=left, half=half, most=most))
    return tuple(times)
