"""Following a model: weights stand on what was known, and are those of the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.forecasts import ServingLimits
from slices.domain.learning import OutOfSampleScores
from slices.domain.ml_driven import DrivenPlan, DrivenSizing
from slices.domain.parameters import DEFAULT_COSTS, Costs
from slices.domain.regimes import REGIMES, UNKNOWN, Regime, RegimeHistory
from slices.ml_strategy.labels.ranks import forward_returns
from slices.ml_strategy.predicting.checking import calibration_check, worth_their_costs
from slices.ml_strategy.predicting.driving import (
    driven_plan,
    out_of_sample,
    ranked_weights,
    regime_codes,
    sizes,
)
from slices.ml_strategy.predicting.held_out import held_out
from slices.ml_strategy.predicting.serving import predict_many
from slices.quant.panel import read_panel
from tests.support.served import LABEL, Served, served


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def scores(asked: Served) -> OutOfSampleScores:
    return out_of_sample(asked.bars, asked.features, asked.model)


@pytest.fixture(scope="module")
def regime(asked: Served) -> RegimeHistory:
    """Regimes of the bars, told at random; not known at first."""
    sessions = read_panel(asked.bars).sessions[1:]
    random = np.random.default_rng(8)
    codes = random.integers(0, len(REGIMES), len(sessions))
    codes[:400] = UNKNOWN
    expected = random.uniform(0.05, 0.4, len(sessions))
    expected[:380] = np.nan
    return RegimeHistory(
        sessions=sessions,
        levels=np.ones(len(sessions)),
        rule_codes=codes,
        model_codes=codes,
        probabilities=np.full((len(sessions), len(REGIMES)), np.nan),
        state_probabilities=np.full((len(sessions), 2), np.nan),
        next_volatility=expected,
    )


@pytest.fixture(scope="module")
def plan(asked: Served, scores: OutOfSampleScores, regime: RegimeHistory) -> DrivenPlan:
    return driven_plan(asked.bars, asked.model, scores, regime)


def test_scores_are_those_of_the_walk_and_then_of_the_model(
    asked: Served, scores: OutOfSampleScores
) -> None:
    stored, bundle = asked.model.bundle.out_of_sample, asked.model.bundle
    count = len(stored.sessions)
    assert scores.sessions[:count] == stored.sessions
    assert np.array_equal(scores.scores[:count], stored.scores, equal_nan=True)
    later = scores.sessions[count:]
    assert later == tuple(e for e in read_panel(asked.bars).sessions if e > bundle.known_until)
    said = predict_many(asked.model, asked.features, asked.bars, sessions=later)
    rows = [[each.score for each in one.forecasts] for one in said]
    assert np.array(rows) == pytest.approx(scores.scores[count:], rel=1e-9)


def test_outcomes_are_those_of_the_bars(asked: Served, scores: OutOfSampleScores) -> None:
    panel = read_panel(asked.bars)
    first = panel.sessions.index(scores.sessions[0])
    expected = forward_returns(panel.close, LABEL)[first:]
    assert np.array_equal(scores.forward_returns, expected, equal_nan=True)


def test_another_universe_is_refused(asked: Served) -> None:
    features = replace(asked.features, symbols=asked.features.symbols[1:])
    with pytest.raises(ParameterError, match="without P00"):
        out_of_sample(asked.bars, features, asked.model)


def test_too_few_scores_are_refused(asked: Served) -> None:
    stored = asked.model.bundle.out_of_sample
    none = replace(
        stored, sessions=(), scores=stored.scores[:0], labels=stored.labels[:0],
        forward_returns=stored.forward_returns[:0], volatilities=stored.volatilities[:0],
        folds=stored.folds[:0],
    )  # fmt: skip
    bundle = replace(asked.model.bundle, out_of_sample=none)
    with pytest.raises(InsufficientHistoryError, match="found 60"):
        out_of_sample(asked.bars, asked.features, replace(asked.model, bundle=bundle))


def test_the_best_fifth_shares_the_account() -> None:
    weights = ranked_weights(np.array([np.arange(10.0), np.r_[np.arange(9.0), np.nan]]))
    assert np.flatnonzero(weights[0]).tolist() == [8, 9]
    assert weights[0, [8, 9]].tolist() == [0.5, 0.5]
    assert np.flatnonzero(weights[1]).tolist() == [8]
    tied = ranked_weights(np.array([[5.0, 5.0, 5.0] + [1.0] * 7]))
    assert tied[0, :3] == pytest.approx([1 / 3] * 3)
    assert ranked_weights(np.full((1, 4), np.nan)).sum() == 0


def test_sizes_follow_what_is_expected_and_a_crisis(
    regime: RegimeHistory, scores: OutOfSampleScores
) -> None:
    wanted = DrivenSizing(target_volatility=0.1, crisis_share=0.25)
    found = sizes(regime, scores.sessions, wanted)
    rows = [regime.sessions.index(each) for each in scores.sessions]
    expected = regime.next_volatility[rows]
    codes = regime.rule_codes[rows]
    assert np.array_equal(regime_codes(regime, scores.sessions), codes)
    known = np.isfinite(expected)
    calm = known & (codes != UNKNOWN) & (codes != REGIMES.index(Regime.CRISIS))
    assert calm.any()
    assert found[calm] == pytest.approx(np.minimum(1.0, 0.1 / expected[calm]))
    assert found[known & (codes == UNKNOWN)] == pytest.approx(
        0.25 * np.minimum(1.0, 0.1 / expected[known & (codes == UNKNOWN)])
    )
    assert (found[~known] == 0).all()


def test_every_rule_keeps_to_the_account(plan: DrivenPlan, scores: OutOfSampleScores) -> None:
    assert plan.stored_sessions + plan.later_sessions == len(scores.sessions)
    for each in plan.rules:
        assert each.first_session == scores.sessions[0]
        assert (each.weights >= 0).all()
        assert (each.weights.sum(axis=1) <= 1 + 1e-9).all()
    assert plan.ranked.sessions == scores.sessions[:: LABEL.horizon_sessions]
    assert plan.equal.weights.sum(axis=1) == pytest.approx(1.0)
    assert plan.ranked.weights.sum(axis=1) == pytest.approx(plan.sized.weights.sum(axis=1))


def test_weights_stand_on_nothing_after_their_session(
    asked: Served, scores: OutOfSampleScores, regime: RegimeHistory, plan: DrivenPlan
) -> None:
    cut = len(scores.sessions) - 80
    returns = scores.forward_returns.copy()
    returns[cut:] *= -4.0
    labels = scores.labels.copy()
    labels[cut:] *= -1.0
    random = np.random.default_rng(2)
    other = scores.scores.copy()
    other[cut + 1 :] = random.normal(size=other[cut + 1 :].shape)
    changed = replace(scores, scores=other, forward_returns=returns, labels=labels)
    again = driven_plan(asked.bars, asked.model, changed, regime)
    day = scores.sessions[cut]
    for mine, its in zip(plan.rules, again.rules, strict=True):
        before = np.array([each <= day for each in mine.sessions])
        assert np.array_equal(mine.weights[before], its.weights[before])
    assert not np.array_equal(plan.ranked.weights, again.ranked.weights)


def test_nothing_is_worth_ruinous_costs(
    asked: Served, scores: OutOfSampleScores, regime: RegimeHistory, plan: DrivenPlan
) -> None:
    assert plan.confident.weights.sum() > 0
    ruinous = Costs(commission_bps=900, slippage_bps=900)
    dear = driven_plan(asked.bars, asked.model, scores, regime, costs=ruinous)
    assert dear.confident.weights.sum() == 0
    assert np.array_equal(dear.ranked.weights, plan.ranked.weights)


def test_what_is_worth_its_costs_is_held_for_the_horizon(
    asked: Served, scores: OutOfSampleScores, regime: RegimeHistory, plan: DrivenPlan
) -> None:
    said = held_out(scores, label=LABEL)
    costs = 2 * DEFAULT_COSTS.rate
    confidence = ServingLimits().decision_confidence
    side = worth_their_costs(said, scores.volatilities, confidence=confidence, costs=costs)
    size = sizes(regime, scores.sessions, DrivenSizing())
    row = len(scores.sessions) - 10
    parts = np.zeros(side.shape[1])
    for each in range(row - LABEL.horizon_sessions + 1, row + 1):
        wanted = side[each] == 1
        parts += wanted * min(0.2, 1 / max(1, wanted.sum())) / LABEL.horizon_sessions
    assert plan.confident.weights[row] == pytest.approx(parts * size[row], abs=1e-12)


def test_a_check_of_the_calibration_adds_up(asked: Served) -> None:
    check = calibration_check(asked.model)
    assert check is not None
    known = held_out(asked.model.bundle.out_of_sample, label=LABEL)
    assert sum(each.count for each in check.points) == int(
        np.isfinite(known.probabilities * known.is_above).sum()
    )
    assert [each.predicted for each in check.points] == sorted(
        each.predicted for each in check.points
    )
    years = sum(each.coverage * each.count for each in check.years)
    total = sum(each.count for each in check.years)
    assert years / total == pytest.approx(dict(check.coverages)[check.level])
    assert 0 < check.abstaining < 1
    assert check.points[-1].observed > check.points[0].observed
