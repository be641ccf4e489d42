"""Judging ways of choosing: regret, equal risk, what follows, and which parameters."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

from slices.domain.choices import ChoiceBasis
from slices.domain.errors import BadDataError, ParameterError
from slices.domain.selection_parameters import ALL_STRATEGIES as ALL
from slices.domain.selection_parameters import FallbackOption, SelectionModel
from slices.domain.strategies import StrategyName
from slices.domain.strategy_selection import DecidedPeriod
from slices.domain.studies import OverfittingEvidence, Plateau, SearchSurface, Trial
from slices.ml_strategy.selecting.deciding import tuned
from slices.ml_strategy.selecting.findings import check_selection
from slices.ml_strategy.selecting.judging import at_risk, decisions, followed, switches
from slices.ml_strategy.selecting.regret import difference
from slices.ml_strategy.selecting.walking import walk_selection
from tests.slices.ml_strategy import selection_examples as made

NAMES = (StrategyName.BUY_AND_HOLD, StrategyName.SMA_CROSS)


def newest(chosen: StrategyName = StrategyName.SMA_CROSS) -> DecidedPeriod:
    return DecidedPeriod(
        session=made.FIRST,
        regime="bull_quiet",
        chosen=chosen,
        probability=0.4,
        best=None,
        chosen_return=math.nan,
        best_return=math.nan,
        mean_return=math.nan,
        rank=0,
    )


def chosen_by(fallback: str, *, is_better: bool = False) -> tuple[object, object, str]:
    return followed(
        newest(),
        NAMES,
        StrategyName.BUY_AND_HOLD,
        fallback=fallback,
        is_better=is_better,
        model=SelectionModel.LIGHTGBM,
    )


def test_an_independent_difference_has_the_normal_interval() -> None:
    random = np.random.default_rng(2)
    ours, theirs = random.normal(0.001, 0.01, (2, 2500))
    found = difference(ours, theirs, periods_per_year=252, seed=1)
    gaps = ours - theirs
    error = gaps.std(ddof=1) / math.sqrt(gaps.size) * 252
    assert found.value == pytest.approx(gaps.mean() * 252)
    assert (found.high - found.low) == pytest.approx(2 * 1.96 * error, rel=0.12)
    assert found.low < found.value < found.high
    assert found.t_statistic == pytest.approx(found.value / error, rel=0.12)


def test_dependent_differences_are_less_sure_as_statsmodels_says() -> None:
    from statsmodels.regression.linear_model import OLS

    random = np.random.default_rng(4)
    noise = random.normal(0, 0.01, 3000)
    gaps = 0.0005 + np.convolve(noise, np.ones(5) / 5, mode="same")
    found = difference(gaps, np.zeros(gaps.size), periods_per_year=252)
    lags = int(4 * (gaps.size / 100) ** (2 / 9))
    fit = OLS(gaps, np.ones(gaps.size)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    assert found.t_statistic == pytest.approx(float(fit.tvalues[0]), rel=0.01)
    plain = gaps.mean() / gaps.std(ddof=1) * math.sqrt(gaps.size)
    assert found.t_statistic < 0.7 * plain
    naive = 2 * 1.96 * gaps.std(ddof=1) / math.sqrt(gaps.size) * 252
    assert found.high - found.low > 1.5 * naive


def test_the_bootstrap_interval_covers_what_it_promises() -> None:
    random = np.random.default_rng(6)
    inside = 0
    for seed in range(60):
        gaps = random.normal(0.0004, 0.01, 400)
        found = difference(gaps, np.zeros(400), periods_per_year=1, seed=seed)
        inside += found.low <= 0.0004 <= found.high
    assert 51 <= inside <= 60


def test_accounts_that_never_differ_have_no_doubt_and_no_statistic() -> None:
    returns = np.random.default_rng(0).normal(size=300)
    found = difference(returns, returns, periods_per_year=252)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert math.isnan(found.t_statistic)


def test_accounts_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadDataError, match="3 and 4"):
        difference(np.zeros(3), np.zeros(4), periods_per_year=252)


def test_more_of_the_same_risk_is_no_skill() -> None:
    mix = np.random.default_rng(1).normal(0.0005, 0.008, 500)
    levered = 2.5 * mix
    equal = at_risk(levered, float(mix.std(ddof=1)))
    np.testing.assert_allclose(equal, mix)
    assert difference(equal, mix, periods_per_year=252).value == pytest.approx(0.0, abs=1e-12)
    idle = np.zeros(500)
    np.testing.assert_array_equal(at_risk(idle, 0.01), idle)


def test_the_model_is_followed_only_where_it_is_better() -> None:
    strategy, basis, reason = chosen_by("leader", is_better=True)
    assert (strategy, basis) == (StrategyName.SMA_CROSS, ChoiceBasis.MODEL)
    assert "40%" in reason


@pytest.mark.parametrize(
    ("fallback", "strategy", "basis"),
    [
        ("leader", StrategyName.BUY_AND_HOLD, ChoiceBasis.LEADER),
        ("sma_cross", StrategyName.SMA_CROSS, ChoiceBasis.NAMED),
        ("none", None, None),
    ],
)
def test_otherwise_the_fallback_is(
    fallback: str, strategy: StrategyName | None, basis: ChoiceBasis | None
) -> None:
    found = chosen_by(fallback)
    assert found[:2] == (strategy, basis)
    assert "does not beat" in found[2]


def test_every_strategy_can_be_named_as_fallback() -> None:
    assert set(get_args(FallbackOption)) == {"leader", "none", *(each.value for each in ALL)}


def test_a_fallback_that_was_not_compared_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"fallback: found macd; allowed: buy_and_hold"):
        chosen_by("macd")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"symbols": ["KO"], "strategies": ["macd", "cross_sectional_momentum"]}, "two or more"),
        ({"fallback": "rsi_reversal"}, "leader, none, macd"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_run(
    changed: dict[str, object], match: str
) -> None:
    given = {"symbols": ["KO", "PG"], "strategies": ["macd", "sma_cross"], "fallback": "leader"}
    check_selection(given)
    with pytest.raises(ParameterError, match=match):
        check_selection(given | changed)


def test_every_decision_is_described_with_what_came_of_it() -> None:
    examples = made.decisions(signal=1.0)
    walked = walk_selection(examples, SelectionModel.LOGISTIC, periods=made.PERIODS)
    picked = walked.probabilities[walked.first :].argmax(axis=1)
    found = decisions(examples, walked, picked)
    assert [each.session for each in found] == list(examples.sessions[walked.first :])
    assert [each.best is None for each in found[-3:]] == [False, True, True]
    for each, place in zip(found[:-2], range(walked.first, examples.row.size), strict=False):
        assert each.best is examples.strategies[int(examples.best[place])]
        assert each.best_return == examples.returns[place].max()
        assert (each.rank == 1) == (each.chosen is each.best)
    assert 0 < switches(picked) < picked.size


def surface(*, has_plateau: bool) -> SearchSurface:
    trial = Trial(
        number=4,
        parameters=(("fast", 12), ("slow", 60)),
        sharpe_ratio=0.9,
        smoothed_sharpe=0.8,
        final_equity=2e5,
        trades=40,
        max_drawdown=0.2,
        in_plateau=has_plateau,
    )
    plateau = Plateau(
        centre=trial if has_plateau else None,
        reason="" if has_plateau else "the best neighbourhood stands alone",
        tolerance=0.1,
        cells=9,
        median_sharpe=0.8,
        best_smoothed=0.85,
        ranges=(),
    )
    return SearchSurface(best=trial, top=(trial,), plateau=plateau, map=None, undefined=0)


def luck(probability: float) -> OverfittingEvidence:
    return OverfittingEvidence(
        trials=60,
        best_sharpe=0.9,
        expected_maximum_sharpe=0.5,
        deflated_sharpe_ratio=probability,
        probability_of_overfitting=0.3,
        probability_of_loss=0.1,
        groups=10,
        splits=252,
        left_out=0,
    )


@pytest.mark.parametrize(
    ("has_plateau", "probability", "is_taken"),
    [(True, 0.97, True), (True, 0.94, False), (False, 0.99, False), (True, math.nan, False)],
)
def test_tuned_parameters_need_a_plateau_beyond_luck(
    *, has_plateau: bool, probability: float, is_taken: bool
) -> None:
    found = tuned(surface(has_plateau=has_plateau), luck(probability))
    assert found.is_taken is is_taken
    assert found.trials == 60
    assert bool(found.found) is has_plateau
    assert ("defaults stay" in found.reason) is not is_taken
