from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from slices.domain.learning import DEFAULT_LABEL, LabelSettings, ModelKind, OutOfSampleScores
from slices.domain.model_monitoring import CalibrationWatch, CheckState
from slices.domain.models import Calibration
from slices.ml_strategy.monitoring.decay import (
    decay_state,
    decay_watch,
    evidence_of_decay,
    notice_times,
)
from slices.ml_strategy.monitoring.promises import calibration_watch, clustered_mean
from slices.ml_strategy.monitoring.watching import (
    age_check,
    interval_check,
    probability_check,
    skill_check,
)
from slices.ml_strategy.predicting.calibration import fit_calibration
from slices.ml_strategy.skill.coefficients import long_run_deviation

FIRST = dt.date(2010, 1, 4)
EXPECTED, DEVIATION, HORIZON = 0.05, 0.17 * math.sqrt(5), 5
SYMBOLS = 20


def coefficients(mean: float, sessions: int, paths: int, *, seed: int = 0) -> np.ndarray:
    """Simulate coefficients that overlap over five sessions, paths x sessions."""
    random = np.random.default_rng(seed)
    news = random.normal(size=(paths, sessions + HORIZON - 1))
    summed = sum(news[:, place : sessions + place] for place in range(HORIZON))
    return np.asarray(mean + 0.17 * summed / math.sqrt(HORIZON))


def first_alarms(mean: float, *, sessions: int = 2000, paths: int = 400) -> np.ndarray:
    """Return the session of each path's first alarm; infinite where there is none."""
    found = [
        evidence_of_decay(each, expected=EXPECTED, deviation=DEVIATION) >= 20
        for each in coefficients(mean, sessions, paths)
    ]
    return np.array([each.argmax() + 1 if each.any() else np.inf for each in found])


@pytest.mark.parametrize("mean", [EXPECTED, 1.5 * EXPECTED])
def test_a_model_as_good_as_validated_is_rarely_ever_called_decayed(mean: float) -> None:
    assert np.isfinite(first_alarms(mean)).mean() <= 0.06  # promised 0.05, over eight years


@pytest.mark.parametrize("left", [0.25, 0.0, -1.0])
def test_decay_is_noticed_in_the_time_that_is_said(left: float) -> None:
    said = next(
        each for each in notice_times(EXPECTED, DEVIATION, alarm_rate=0.05) if each.left == left
    )
    alarms = first_alarms(left * EXPECTED)
    assert np.quantile(alarms, 0.5) == pytest.approx(said.half, rel=0.25)
    assert np.quantile(alarms, 0.9) == pytest.approx(said.most, rel=0.25)


def test_evidence_is_the_ratio_of_likelihoods() -> None:
    found = coefficients(0.01, 50, 1)[0]

    def likelihood(mean: float) -> float:
        return float(np.exp(-(((found - mean) / DEVIATION) ** 2) / 2).prod())

    evidence = evidence_of_decay(found, expected=EXPECTED, deviation=DEVIATION)
    assert evidence[-1] == pytest.approx(likelihood(0.0) / likelihood(EXPECTED))


@pytest.mark.parametrize("expected", [0.0, -0.01, math.nan])
def test_without_validated_skill_none_can_be_lost(expected: float) -> None:
    evidence = evidence_of_decay(np.zeros(100), expected=expected, deviation=DEVIATION)
    assert np.isnan(evidence).all()
    assert decay_state(evidence, limit=20) is CheckState.UNKNOWN
    assert notice_times(expected, DEVIATION, alarm_rate=0.05) == ()


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ([], CheckState.UNKNOWN),
        ([1.0, 4.9], CheckState.OK),
        ([1.0, 5.1], CheckState.WATCH),
        ([20.0, 1.0], CheckState.ALARM),
    ],
)
def test_an_alarm_stays_one(evidence: list[float], state: CheckState) -> None:
    assert decay_state(np.array(evidence), limit=20.0) is state


def scored(
    strength: float, sessions: int, *, seed: int, first: int = 0, known: int | None = None
) -> OutOfSampleScores:
    """Simulate scores whose rank correlation with outcomes is about `strength`.

    Args:
        strength: Correlation of score and return.
        sessions: How many.
        seed: Of the simulation.
        first: Days after the first date.
        known: Sessions whose outcome is known; empty means all.
    """
    random = np.random.default_rng(seed)
    scores = random.normal(size=(sessions, SYMBOLS))
    noise = random.normal(size=(sessions, SYMBOLS)) * math.sqrt(1 - strength**2)
    returns = 0.03 * (strength * scores + noise)
    ranks = returns.argsort(axis=1).argsort(axis=1) / (SYMBOLS - 1) - 0.5
    if known is not None:
        returns[known:], ranks[known:] = np.nan, np.nan
    return OutOfSampleScores(
        kind=ModelKind.LINEAR,
        symbols=tuple(f"S{number:02d}" for number in range(SYMBOLS)),
        sessions=tuple(FIRST + dt.timedelta(days=first + day) for day in range(sessions)),
        scores=scores,
        labels=ranks,
        forward_returns=returns,
        volatilities=np.full((sessions, SYMBOLS), 0.03),
        folds=np.zeros(sessions, dtype=np.int64),
    )


def test_a_model_that_keeps_its_skill_is_left_alone() -> None:
    since = scored(0.1, 500, seed=3, first=1000)
    found = decay_watch(since, scored(0.1, 1000, seed=1), label=DEFAULT_LABEL, alarm_rate=0.05)
    assert found.state is CheckState.OK
    assert not found.is_gone
    assert found.mean == pytest.approx(found.expected, abs=0.03)
    assert skill_check(found).state is CheckState.OK


def test_a_model_that_lost_its_skill_is_gone() -> None:
    since = scored(0.0, 700, seed=2, first=1000)
    found = decay_watch(since, scored(0.1, 1000, seed=1), label=DEFAULT_LABEL, alarm_rate=0.05)
    assert found.state is CheckState.ALARM
    assert found.is_gone


def test_a_model_whose_skill_is_less_but_there_is_not_gone() -> None:
    since = scored(0.045, 2000, seed=3, first=1000)
    found = decay_watch(since, scored(0.2, 1000, seed=1), label=DEFAULT_LABEL, alarm_rate=0.05)
    assert found.state is CheckState.ALARM
    assert found.t_statistic > 1.645
    assert not found.is_gone


def test_only_outcomes_that_are_known_count() -> None:
    since = scored(0.0, 300, seed=2, first=1000, known=294)
    before = scored(0.1, 1000, seed=1)
    found = decay_watch(since, before, label=DEFAULT_LABEL, alarm_rate=0.05)
    short = scored(0.0, 300, seed=2, first=1000)
    same = decay_watch(short, before, label=DEFAULT_LABEL, alarm_rate=0.05)
    assert found.sessions == since.sessions[:294]
    assert found.coefficients.tolist() == same.coefficients[:294].tolist()
    none = decay_watch(
        scored(0.1, 6, seed=2, known=0), before, label=DEFAULT_LABEL, alarm_rate=0.05
    )
    assert none.state is CheckState.UNKNOWN
    assert math.isnan(none.mean)


def test_overlapping_outcomes_widen_the_deviation() -> None:
    daily = scored(0.1, 1000, seed=1)
    before = decay_watch(daily, daily, label=LabelSettings(horizon_sessions=5), alarm_rate=0.05)
    overlapping = coefficients(0.05, 4000, 1)[0]
    assert before.deviation == pytest.approx(1 / math.sqrt(SYMBOLS - 1), rel=0.2)
    assert long_run_deviation(overlapping, 18) == pytest.approx(DEVIATION, rel=0.15)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return fit_calibration(scored(0.3, 1500, seed=7), label=DEFAULT_LABEL)


def promised(calibration: Calibration, since: OutOfSampleScores) -> CalibrationWatch:
    return calibration_watch(since, calibration, label=DEFAULT_LABEL, level=0.9)


def test_promises_that_are_kept_raise_nothing(calibration: Calibration) -> None:
    found = promised(calibration, scored(0.3, 400, seed=8, first=1500))
    assert found.brier_score < 0.25
    assert found.coverage == pytest.approx(0.9, abs=0.02)
    assert probability_check(found).state is CheckState.OK
    assert interval_check(found).state is CheckState.OK
    for each in found.bins:
        assert each.came_true == pytest.approx(each.probability, abs=0.06)
    assert sum(each.forecasts for each in found.bins) == 400 * SYMBOLS


def test_probabilities_that_are_worse_than_a_coin_raise_the_alarm(
    calibration: Calibration,
) -> None:
    found = promised(calibration, scored(-0.3, 400, seed=8, first=1500))
    assert found.brier_score > 0.25
    assert probability_check(found).state is CheckState.ALARM


def test_intervals_that_are_too_narrow_raise_the_alarm(calibration: Calibration) -> None:
    since = scored(0.3, 400, seed=8, first=1500)
    wild = OutOfSampleScores(**(vars(since) | {"forward_returns": since.forward_returns * 2}))
    found = promised(calibration, wild)
    assert found.coverage < 0.7
    assert interval_check(found).state is CheckState.ALARM


def test_brier_score_and_coverage_are_their_definitions(calibration: Calibration) -> None:
    since = scored(0.3, 120, seed=9, first=1500)
    standard = since.scores - since.scores.mean(axis=1, keepdims=True)
    standard /= since.scores.std(axis=1, keepdims=True)
    said = 1 / (1 + np.exp(-(calibration.intercept + calibration.slope * standard)))
    brier = np.mean((said - (since.labels > 0)) ** 2)
    assert promised(calibration, since).brier_score == pytest.approx(brier, abs=2e-3)


def test_what_is_not_known_yet_is_not_judged(calibration: Calibration) -> None:
    found = promised(calibration, scored(0.3, 20, seed=8, known=0))
    assert math.isnan(found.brier_score)
    assert found.bins == ()
    assert probability_check(found).state is CheckState.UNKNOWN
    assert interval_check(found).state is CheckState.UNKNOWN


def test_values_of_one_session_count_as_one() -> None:
    means = np.random.default_rng(4).normal(size=(400, 1))
    one, error = clustered_mean(means, lags=0)
    many, same = clustered_mean(np.repeat(means, 30, axis=1), lags=0)
    assert (many, same) == pytest.approx((one, error))
    assert error == pytest.approx(means.std() / 20)


@pytest.mark.parametrize(
    ("age", "state"),
    [(0, CheckState.OK), (113, CheckState.OK), (114, CheckState.WATCH), (126, CheckState.WATCH),
     (127, CheckState.ALARM)],
)  # fmt: skip
def test_age_is_judged_against_its_limit(age: int, state: CheckState) -> None:
    assert age_check(age, 126).state is state
