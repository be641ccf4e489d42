"""Skill of scores against independent figures, and when it is too good to be believed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from slices.domain.errors import BadDataError
from slices.domain.learning import (
    LabelSettings,
    ModelKind,
    OutOfSampleScores,
    SplitSettings,
)
from slices.domain.parameters import Costs
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.labels.ranks import session_ranks
from slices.ml_strategy.skill.coefficients import (
    area_under_curve,
    newey_west_t,
    rank_correlations,
    session_ics,
)
from slices.ml_strategy.skill.judging import fold_skills, scores_at, skill_of
from slices.ml_strategy.skill.portfolio import hit_rate, leg_weights, long_short
from slices.ml_strategy.splits.walk_forward import rows_of, walk_forward_folds
from slices.quant.panel import Panel
from tests.slices.ml_strategy.leaky_features import HONEST, frame_of
from tests.slices.ml_strategy.test_leaks import holed, real

LABEL = LabelSettings()
PLAN = SplitSettings(folds=3, first_train_sessions=150)
FREE = Costs(commission_bps=0.0, slippage_bps=0.0)


def scored(examples: Examples, values: np.ndarray, *, first: int = 150) -> OutOfSampleScores:
    rows = np.arange(first, len(examples.sessions))
    folds = walk_forward_folds(examples, PLAN, label=LABEL)
    return OutOfSampleScores(
        kind=ModelKind.LINEAR,
        symbols=examples.symbols,
        sessions=examples.sessions[first:],
        scores=values[rows],
        labels=examples.matrix(examples.label)[rows],
        forward_returns=examples.matrix(examples.forward_return)[rows],
        volatilities=examples.matrix(examples.volatility)[rows],
        folds=np.concatenate([np.full(fold.test.size, fold.number) for fold in folds]),
    )


@pytest.fixture(scope="module")
def panel() -> Panel:
    return real(500)


@pytest.fixture(scope="module")
def examples(panel: Panel) -> Examples:
    return examples_from(panel, frame_of(panel, {"momentum_5": HONEST["momentum_5"]}), LABEL)


@pytest.fixture(scope="module")
def reversal(panel: Panel, examples: Examples) -> OutOfSampleScores:
    return scored(examples, -np.round(HONEST["momentum_5"](panel), 2))


def test_coefficients_are_those_of_scipy() -> None:
    panel = holed(real(500))
    made = examples_from(panel, frame_of(panel, {"momentum_5": HONEST["momentum_5"]}), LABEL)
    reversal = scored(made, -np.round(HONEST["momentum_5"](panel), 2))
    found = session_ics(reversal)
    for row, value in enumerate(found):
        both = np.isfinite(reversal.scores[row]) & np.isfinite(reversal.labels[row])
        expected = (
            spearmanr(reversal.scores[row][both], reversal.labels[row][both]).statistic
            if both.sum() > 1
            else math.nan
        )
        assert value == pytest.approx(expected, nan_ok=True)
    assert np.isnan(found[-6:]).all()


def test_equal_scores_have_no_coefficient() -> None:
    labels = np.array([[0.5, 0.0, -0.5], [0.5, -0.5, np.nan], [0.5, np.nan, np.nan]])
    assert np.isnan(rank_correlations(np.ones((3, 3)), labels)).all()
    assert rank_correlations(labels, labels).tolist()[:2] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("lags", [0, 5, 12])
def test_the_t_statistic_is_that_of_statsmodels(lags: int) -> None:
    noise = np.random.default_rng(3).normal(0.05, 1.0, 400)
    values = np.convolve(noise, np.ones(5) / 5, mode="valid")
    model = sm.OLS(values, np.ones(values.size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    assert newey_west_t(values, lags) == pytest.approx(model.tvalues[0])
    gaps = np.insert(values, 100, np.nan)
    assert newey_west_t(gaps, lags) == pytest.approx(model.tvalues[0])


def test_too_few_or_constant_values_have_no_t_statistic() -> None:
    assert math.isnan(newey_west_t(np.arange(9.0), 0))
    assert math.isnan(newey_west_t(np.arange(12.0), 11))
    assert math.isnan(newey_west_t(np.full(50, 0.1), 5))


def test_the_area_is_that_of_scikit_learn(reversal: OutOfSampleScores) -> None:
    ranks = session_ranks(np.where(np.isfinite(reversal.labels), reversal.scores, np.nan))
    used = np.isfinite(ranks) & (reversal.labels != 0)
    expected = roc_auc_score(reversal.labels[used] > 0, ranks[used])
    assert area_under_curve(reversal) == pytest.approx(expected)
    assert area_under_curve(replace(reversal, scores=0.0 * reversal.scores)) == 0.5


@given(st.lists(st.integers(-2, 2), min_size=0, max_size=17))
def test_legs_hold_equal_parts_and_ties_share_them(values: list[int]) -> None:
    row = np.array([*values, math.nan], dtype=float)[None]
    (weights,) = leg_weights(row)
    places = max(len(values) // 5, 1)
    assert weights[-1] == 0.0
    assert weights.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.abs(weights).sum() <= 1.0 + 1e-12
    assert np.abs(weights).max() <= 0.5 / places + 1e-12
    if len(set(values)) == 1 or len(values) < 2:
        assert not weights.any()
    for one, first in zip(row[0, :-1], weights, strict=False):
        for other, second in zip(row[0, :-1], weights, strict=False):
            assert first == pytest.approx(second) if one == other else True
            assert first >= second - 1e-12 if one > other else True


def by_hand(scores: OutOfSampleScores, panel: Panel) -> np.ndarray:
    """Returns of the test portfolio without costs, session by session, without the simulation."""
    start = panel.sessions.index(scores.sessions[0])
    closes = panel.close[start:]
    wealth, path, held = 1.0, [1.0], np.zeros(closes.shape[1])
    for row in range(1, closes.shape[0]):
        grown = wealth + float(held @ (closes[row] - closes[row - 1]))
        if (row - 1) % 5 == 0 and row - 1 < len(scores.sessions):
            weights = leg_weights(scores.scores[row - 1][None])[0]
            held = grown * weights / closes[row]
        wealth = grown
        path.append(wealth)
    return np.diff(path) / np.array(path[:-1])


def test_the_portfolio_earns_what_a_plain_loop_earns(panel: Panel, examples: Examples) -> None:
    scores = scored(examples, -HONEST["momentum_5"](panel))
    found = long_short(scores, panel, label=LABEL, costs=FREE)
    expected = by_hand(scores, panel)
    np.testing.assert_allclose(found.net_returns, expected, atol=1e-9)
    np.testing.assert_array_equal(found.net_returns, found.gross_returns)
    assert 10.0 < found.annual_turnover < 60.0


def test_costs_are_paid_on_what_is_traded(reversal: OutOfSampleScores, panel: Panel) -> None:
    found = long_short(reversal, panel, label=LABEL, costs=Costs())
    years = found.net_returns.size / 252
    paid = (found.gross_returns - found.net_returns).sum() / years
    assert paid == pytest.approx(2 * found.annual_turnover * Costs().rate, rel=0.05)
    assert found.net_sharpe_ratio < found.gross_sharpe_ratio


@pytest.mark.slow
def test_the_portfolio_is_simulated_where_bars_are_missing() -> None:
    panel = holed(real(500))
    made = examples_from(panel, frame_of(panel, {"momentum_5": HONEST["momentum_5"]}), LABEL)
    found = long_short(
        scored(made, -HONEST["momentum_5"](panel)), panel, label=LABEL, costs=Costs()
    )
    assert np.isfinite(found.net_returns).all()
    assert found.net_returns.sum() < found.gross_returns.sum()


def test_nothing_is_held_where_nothing_was_scored_for_a_while(
    panel: Panel, examples: Examples
) -> None:
    scores = scored(examples, -HONEST["momentum_5"](panel))
    gap = np.ones(len(scores.sessions), dtype=bool)
    gap[100:200] = False
    found = long_short(scores_at(scores, gap), panel, label=LABEL, costs=FREE)
    assert (found.net_returns[106:200] == 0.0).all()
    assert (found.net_returns[202:205] != 0.0).any()


def test_prices_after_the_last_position_ends_mean_nothing(
    reversal: OutOfSampleScores, panel: Panel
) -> None:
    first = scores_at(reversal, reversal.folds == 1)
    whole = long_short(first, panel, label=LABEL, costs=Costs())
    stop = panel.sessions.index(first.sessions[-1]) + LABEL.reach + 1
    cut = long_short(first, panel.until(stop), label=LABEL, costs=Costs())
    np.testing.assert_array_equal(whole.net_returns, cut.net_returns)


def test_hits_are_positions_that_earned() -> None:
    scores = OutOfSampleScores(
        kind=ModelKind.LINEAR,
        symbols=("A", "B", "C"),
        sessions=real(12, symbols=3).sessions[:12],
        scores=np.tile([3.0, 1.0, 2.0], (12, 1)),
        labels=np.zeros((12, 3)),
        forward_returns=np.array(
            [[0.1, 0.1, 0.1]] * 5 + [[0.1, -0.1, 0.0]] * 5 + [[math.nan] * 3] * 2
        ),
        volatilities=np.ones((12, 3)),
        folds=np.ones(12, dtype=np.int64),
    )
    assert hit_rate(scores, label=LABEL) == 0.75


def test_perfect_scores_are_suspect_and_random_ones_are_not(
    reversal: OutOfSampleScores, panel: Panel
) -> None:
    perfect = replace(reversal, scores=reversal.labels)
    found = skill_of(perfect, label=LABEL, costs=Costs(), periods_per_year=252, panel=panel)
    assert found.information_coefficient == pytest.approx(1.0)
    assert found.auc == 1.0
    assert found.hit_rate > 0.85
    assert len(found.suspicions) == 3  # the t-statistic of a constant is not defined
    noise = np.random.default_rng(2).normal(size=reversal.scores.shape)
    random = replace(reversal, scores=noise)
    honest = skill_of(random, label=LABEL, costs=Costs(), periods_per_year=252, panel=panel)
    assert honest.suspicions == ()
    assert abs(honest.t_statistic) < 4
    assert honest.sessions == 500 - 150 - 6


def test_the_annual_ratio_of_coefficients_counts_their_overlap(reversal: OutOfSampleScores) -> None:
    found = skill_of(reversal, label=LABEL, costs=Costs(), periods_per_year=252)
    assert found.icir == pytest.approx(found.t_statistic * math.sqrt(252 / found.sessions))
    assert math.isnan(found.net_sharpe_ratio)


def test_a_constant_score_knows_nothing(reversal: OutOfSampleScores, panel: Panel) -> None:
    equal = replace(reversal, scores=np.zeros(reversal.scores.shape))
    found = skill_of(equal, label=LABEL, costs=Costs(), periods_per_year=252, panel=panel)
    assert math.isnan(found.information_coefficient)
    assert found.auc == 0.5
    assert found.annual_turnover == 0.0
    assert math.isnan(found.net_sharpe_ratio)
    assert found.suspicions == ()


def test_folds_are_judged_on_their_own_sessions(
    reversal: OutOfSampleScores, examples: Examples, panel: Panel
) -> None:
    folds = walk_forward_folds(examples, PLAN, label=LABEL)
    found = fold_skills(
        reversal,
        folds,
        examples=examples,
        label=LABEL,
        costs=Costs(),
        periods_per_year=252,
        panel=panel,
    )
    assert [each.number for each in found] == [1, 2, 3]
    for each, fold in zip(found, folds, strict=True):
        train, test = rows_of(examples, fold)
        assert (each.train_rows, each.test_rows) == (train.size, test.size)
        assert each.first_session == examples.sessions[fold.test[0]]
        part = scores_at(reversal, reversal.folds == fold.number)
        assert each.skill.information_coefficient == pytest.approx(np.nanmean(session_ics(part)))
    assert (
        sum(each.skill.sessions for each in found)
        == skill_of(reversal, label=LABEL, costs=Costs(), periods_per_year=252).sessions
    )


def test_bars_of_other_sessions_are_refused(reversal: OutOfSampleScores, panel: Panel) -> None:
    with pytest.raises(BadDataError):
        long_short(reversal, panel.until(300), label=LABEL, costs=FREE)
    with pytest.raises(BadDataError):
        long_short(reversal, panel.columns([0, 1, 2]), label=LABEL, costs=FREE)


def test_scores_of_no_session_have_no_skill(reversal: OutOfSampleScores, panel: Panel) -> None:
    none = scores_at(reversal, np.zeros(len(reversal.sessions), dtype=bool))
    found = skill_of(none, label=LABEL, costs=Costs(), periods_per_year=252, panel=panel)
    assert found.sessions == 0
    assert math.isnan(found.auc)
