"""Every condition of a promotion, each with what passes it and what does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind

from slices.domain.learning import Canary, OutOfSampleScores
from slices.domain.models import ModelBundle
from slices.ml_strategy.training import conditions
from slices.ml_strategy.training.comparing import (
    difference_t,
    joined,
    lately,
    paired_coefficients,
    paired_t,
)
from slices.quant.types import FloatArray
from tests.support.served import served

SYMBOLS = tuple(f"S{number:02d}" for number in range(20))
FIRST = dt.date(2000, 1, 3)


def made_up(
    strengths: FloatArray, *, seed: int = 0, outcomes: int = 0, first: dt.date = FIRST
) -> OutOfSampleScores:
    """Scores whose rank correlation with independent outcomes is about `strengths`, by session."""
    count = strengths.size
    ranks = np.argsort(np.random.default_rng(outcomes).random((count, 20)), axis=1) / 19.0 - 0.5
    noise = np.random.default_rng(1000 + seed).normal(0.0, 0.3, ranks.shape)
    return OutOfSampleScores(
        kind="linear",  # type: ignore[arg-type]
        symbols=SYMBOLS,
        sessions=tuple(first + dt.timedelta(days=day) for day in range(count)),
        scores=strengths[:, None] * ranks + noise,
        labels=ranks,
        forward_returns=ranks / 50.0,
        volatilities=np.full(ranks.shape, 0.02),
        folds=np.ones(count, dtype=np.int64),
    )


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    """A bundle of which only label, skill and trials matter here."""
    bundle = served(Path(tmp_path_factory.mktemp("bundle"))).model.bundle
    return replace(bundle, skill=replace(bundle.skill, suspicions=()), trials=1)


def with_scores(bundle: ModelBundle, scores: OutOfSampleScores, *, trials: int = 1) -> ModelBundle:
    return replace(bundle, out_of_sample=scores, trials=trials)


def canary(*, is_singing: bool) -> Canary:
    return Canary(
        name="one", question="?", found=0.0, allowed="0", is_singing=is_singing, detail=""
    )


def test_a_suspect_figure_is_not_believed(honest: ModelBundle) -> None:
    suspect = replace(honest, skill=replace(honest.skill, suspicions=("IC 0.3, above 0.06",)))
    assert conditions.believable(honest).is_passed
    assert not conditions.believable(suspect).is_passed


@pytest.mark.parametrize(
    ("canaries", "passes"),
    [((), False), ((canary(is_singing=False),), True),
     ((canary(is_singing=False), canary(is_singing=True)), False)],
)  # fmt: skip
def test_canaries_must_be_there_and_quiet(canaries: tuple[Canary, ...], passes: bool) -> None:  # noqa: FBT001 - a case
    assert conditions.canaries_quiet(canaries).is_passed is passes


@pytest.mark.parametrize(("sessions", "passes"), [(249, False), (250, True)])
def test_a_year_of_evidence_is_needed(
    honest: ModelBundle,
    sessions: int,
    passes: bool,  # noqa: FBT001 - a case
) -> None:
    found = conditions.enough_sessions(with_scores(honest, made_up(np.full(sessions, 0.2))))
    assert (found.sessions, found.is_passed) == (sessions, passes)


def test_skill_is_told_from_noise(honest: ModelBundle) -> None:
    skilled = with_scores(honest, made_up(np.full(1500, 0.1)))
    noise = with_scores(honest, made_up(np.zeros(1500)))
    assert conditions.better_than_equal(skilled).is_passed
    assert not conditions.better_than_equal(noise).is_passed


def test_noise_passes_as_often_as_stated(honest: ModelBundle) -> None:
    passed = [
        conditions.better_than_equal(
            with_scores(honest, made_up(np.zeros(400), seed=seed, outcomes=seed))
        ).is_passed
        for seed in range(200)
    ]
    assert 0.01 < np.mean(passed) < 0.11


def test_more_trials_need_more(honest: ModelBundle) -> None:
    scores = made_up(np.full(600, 0.045), seed=3)
    one = conditions.better_than_equal(with_scores(honest, scores))
    many = conditions.better_than_equal(with_scores(honest, scores, trials=500))
    assert one.found == many.found
    assert one.needed == pytest.approx(1.645, abs=1e-3)
    assert many.needed > one.needed
    chance = np.random.default_rng(0).normal(size=(4000, 500)).max(axis=1)
    assert np.mean(chance > many.needed) == pytest.approx(0.05, abs=0.012)


def test_equal_scores_never_pass(honest: ModelBundle) -> None:
    scores = made_up(np.zeros(500))
    flat = with_scores(honest, replace(scores, scores=np.zeros_like(scores.scores)))
    assert not conditions.better_than_equal(flat).is_passed
    assert not conditions.enough_sessions(flat).is_passed


def test_skill_that_is_gone_lately_fails(honest: ModelBundle) -> None:
    ended = np.concatenate((np.full(2000, 0.3), np.full(conditions.NEWEST_SESSIONS, -0.05)))
    alive, no_worse = conditions.alive_lately(with_scores(honest, made_up(ended)))
    assert not alive.is_passed
    assert not no_worse.is_passed
    lasting = conditions.alive_lately(with_scores(honest, made_up(np.full(2504, 0.3))))
    assert all(each.is_passed for each in lasting)


def test_with_nothing_before_there_is_nothing_to_be_worse_than(honest: ModelBundle) -> None:
    short = with_scores(honest, made_up(np.full(400, 0.3)))
    assert all(each.is_passed for each in conditions.alive_lately(short))


def test_an_old_training_is_not_fresh(honest: ModelBundle) -> None:
    days = [honest.known_until + dt.timedelta(days=step) for step in range(-3, 10)]
    assert conditions.age_of(honest, days) == 9
    assert conditions.fresh(honest, days, most_age=9).is_passed
    assert not conditions.fresh(honest, days, most_age=8).is_passed


def test_a_champion_must_be_beaten_on_the_same_sessions(honest: ModelBundle) -> None:
    better, worse = made_up(np.full(1500, 0.4), seed=1), made_up(np.full(1500, 0.1), seed=2)
    won = conditions.better_than_champion(
        with_scores(honest, better), worse, name="m version 1", is_old=False
    )
    lost = conditions.better_than_champion(
        with_scores(honest, worse), better, name="m version 1", is_old=False
    )
    assert won.is_passed
    assert not lost.is_passed
    assert won.found == pytest.approx(-lost.found)


def test_the_same_scores_replace_only_what_is_too_old(honest: ModelBundle) -> None:
    scores = made_up(np.full(800, 0.2))
    young, old = (
        conditions.better_than_champion(
            with_scores(honest, scores), scores, name="m", is_old=is_old
        )
        for is_old in (False, True)
    )
    assert young.found == old.found == 0.0
    assert not young.is_passed
    assert old.is_passed


def test_an_equal_is_promoted_only_where_the_champion_is_too_old(honest: ModelBundle) -> None:
    one, other = made_up(np.full(1500, 0.2), seed=1), made_up(np.full(1500, 0.2), seed=2)
    young, old = (
        conditions.better_than_champion(with_scores(honest, one), other, name="m", is_old=is_old)
        for is_old in (False, True)
    )
    assert not young.is_passed
    assert old.is_passed


def test_too_few_common_sessions_decide_nothing(honest: ModelBundle) -> None:
    better = made_up(np.full(600, 0.5), seed=1)
    late = made_up(np.full(600, 0.0), seed=2, first=FIRST + dt.timedelta(days=400))
    found = conditions.better_than_champion(
        with_scores(honest, better), late, name="m", is_old=False
    )
    assert found.sessions == 200
    assert not found.is_passed


def test_only_common_symbols_are_compared() -> None:
    full = made_up(np.full(300, 0.3), seed=1)
    part = replace(
        made_up(np.full(300, 0.3), seed=1),
        symbols=SYMBOLS[:5][::-1],
        scores=full.scores[:, :5][:, ::-1],
        labels=full.labels[:, :5][:, ::-1],
        forward_returns=full.forward_returns[:, :5][:, ::-1],
        volatilities=full.volatilities[:, :5],
    )
    one, other = paired_coefficients(full, part)
    assert one == pytest.approx(other)


def test_a_difference_over_other_times_agrees_with_welch() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(0.0, 1.0, 900), random.normal(0.1, 2.0, 700)
    expected = float(ttest_ind(one, other, equal_var=False).statistic)
    assert difference_t(one, other, lags=0) == pytest.approx(expected, rel=2e-3)


def test_dependence_widens_the_errors() -> None:
    random = np.random.default_rng(1)
    steps = np.repeat(random.normal(0.3, 1.0, 200), 6)
    assert abs(paired_t(steps, np.zeros(1200), lags=18)) < abs(
        paired_t(steps, np.zeros(1200), lags=0)
    )


def test_lately_parts_what_is_known() -> None:
    newest, rest = lately(made_up(np.full(600, 0.2)), newest=100)
    assert (newest.size, rest.size) == (100, 500)


def test_scores_of_later_sessions_go_behind() -> None:
    before = made_up(np.full(50, 0.2))
    after = made_up(np.full(30, 0.2), seed=5, first=FIRST + dt.timedelta(days=40))
    shuffled = replace(
        after,
        symbols=SYMBOLS[::-1],
        scores=after.scores[:, ::-1],
    )
    whole = joined(before, shuffled)
    assert whole.sessions == before.sessions + after.sessions[10:]
    assert np.array_equal(whole.scores[50:], after.scores[10:])
