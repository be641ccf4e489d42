"""Views through history: what is believed when, and that nothing of the future comes along."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from slices.adaptive_portfolio.views.believing import (
    aligned_scores,
    belief_at,
    reliability,
    track_record,
)
from slices.adaptive_portfolio.views.comparing import (
    compare_accounts,
    is_worth_having,
    verdict_sentence,
)
from slices.adaptive_portfolio.views.optimising import (
    coefficient_of,
    decided,
    market_of,
    standard_scores,
)
from slices.adaptive_portfolio.views.walk import (
    CALM,
    EQUAL,
    FORECASTS,
    WITHOUT,
    Held,
    walk_views,
)
from slices.adaptive_portfolio.walking import probed
from slices.backtest.simulation import backtest_targets
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.parameters import DEFAULT_COSTS, Costs
from slices.domain.portfolio import Allocator
from slices.domain.view_portfolio import SUSPECT_COEFFICIENT, Belief, ViewRules
from slices.quant.allocation.quadratic import min_variance
from slices.quant.covariance import ledoit_wolf_covariance
from slices.quant.panel import Panel
from slices.quant.returns import simple_returns
from tests.slices.adaptive_portfolio.factor_panels import (
    another_future,
    factor_panel,
    us_panel,
    with_gaps,
)
from tests.slices.adaptive_portfolio.view_panels import (
    FREE,
    LABEL,
    RULES,
    as_scores,
    coursed,
    scored,
    terms,
    walk_of,
    without_purge,
)
from tests.support.served import Served, served

PANEL = factor_panel(700, 10)
SCORES = scored(PANEL, 0.3)


def belief(mean: float = 0.03, error: float = 0.01, *, share: float | None = None) -> Belief:
    trusted = reliability(mean / error) if share is None else share
    return Belief(
        session=PANEL.sessions[-1], sessions=500, information_coefficient=mean,
        standard_error=error, t_statistic=mean / error, reliability=trusted,
        believed=trusted * mean,
    )  # fmt: skip


@pytest.mark.parametrize(("statistic", "share"), [(2.0, 0.75), (1.0, 0.0), (0.5, 0.0), (-9.0, 0.0)])
def test_reliability_grows_with_the_t_statistic(statistic: float, share: float) -> None:
    assert reliability(statistic) == pytest.approx(share)
    assert reliability(math.nan) == 0.0


@pytest.mark.slow
def test_beliefs_stand_on_outcomes_that_were_known() -> None:
    given, values = coursed(PANEL, SCORES), SCORES.scores
    for belief_ in walk_of(given, only=FORECASTS).beliefs[::40]:
        row = PANEL.sessions.index(belief_.session)
        closes = PANEL.close[: row + 1]
        found = [
            spearmanr(values[at], closes[at + 6] / closes[at + 1]).statistic
            for at in range(row - 5)
        ]
        assert belief_.sessions == len(found)
        assert belief_.information_coefficient == pytest.approx(np.mean(found), abs=1e-12)


@pytest.mark.slow
def test_beliefs_and_weights_do_not_change_when_the_future_does() -> None:
    cut = 500
    whole = walk_of(coursed(PANEL, SCORES))
    for other in (PANEL.until(cut), another_future(PANEL, cut)):
        again = walk_of(coursed(other, SCORES))
        known = [each for each in again.beliefs if each.session <= PANEL.sessions[cut - 7]]
        assert len(known) > 20
        assert known == list(whole.beliefs[: len(known)])
        for name in (FORECASTS, WITHOUT, EQUAL, CALM):
            kept = slice(0, cut - 6)
            assert np.array_equal(
                again.weights[name][kept], whole.weights[name][kept], equal_nan=True
            )


@pytest.mark.slow
def test_the_probe_clears_the_rule_and_finds_one_that_believes_too_early() -> None:
    dates = tuple(each.session for each in walk_of(coursed(PANEL, SCORES)).beliefs)[::4]

    def weights(known: Panel, *, purged: bool) -> np.ndarray:
        from slices.adaptive_portfolio.views.walk import walked

        given = coursed(known, SCORES)
        return walked(given if purged else without_purge(given), dates, only=FORECASTS).weights[
            FORECASTS
        ]

    clean = probed(lambda known: weights(known, purged=True), PANEL, lookback_sessions=60, seed=0)
    leaky = probed(lambda known: weights(known, purged=False), PANEL, lookback_sessions=60, seed=0)
    assert clean.findings == ()
    assert clean.cuts
    assert leaky.findings


def test_worth_that_comes_late_is_not_believed_early() -> None:
    late = np.where(np.arange(700) < 400, 0.0, 0.5)
    beliefs = walk_of(coursed(PANEL, scored(PANEL, late)), only=FORECASTS).beliefs
    early = [each.believed for each in beliefs if each.session < PANEL.sessions[400]]
    assert max(early) < 0.03
    assert beliefs[-1].believed > 0.05


def test_nothing_is_believed_of_too_few_sessions() -> None:
    record = track_record(PANEL, SCORES.scores, LABEL)
    row = 65
    assert belief_at(record, row, PANEL.sessions[row], fewest=60).sessions == 60
    assert belief_at(record, row, PANEL.sessions[row], fewest=60).reliability > 0
    assert belief_at(record, row, PANEL.sessions[row], fewest=61).reliability == 0
    assert belief_at(record, 3, PANEL.sessions[3], fewest=1).sessions == 0


def test_a_coefficient_that_is_suspect_is_believed_to_the_limit_only() -> None:
    record = track_record(PANEL, scored(PANEL, 0.9).scores, LABEL)
    found = belief_at(record, 699, PANEL.sessions[-1], fewest=60)
    assert found.information_coefficient > 0.5
    assert SUSPECT_COEFFICIENT * 0.99 < found.believed <= SUSPECT_COEFFICIENT
    assert coefficient_of(found) == SUSPECT_COEFFICIENT


@pytest.mark.parametrize("worth", ["constant", "none", "harmful"])
@pytest.mark.parametrize(
    "prior", [Allocator.EQUAL_WEIGHT, Allocator.RISK_PARITY, Allocator.MIN_VARIANCE]
)
def test_scores_worth_nothing_leave_exactly_the_prior(worth: str, prior: Allocator) -> None:
    rules = RULES.model_copy(update={"prior": prior})
    values = {
        "constant": np.ones(PANEL.close.shape),
        "none": np.full(PANEL.close.shape, np.nan),
        "harmful": -SCORES.scores,
    }[worth]
    rows = coursed(PANEL, as_scores(PANEL, values), rules=rules)
    returns = simple_returns(PANEL.close[-61:])
    market = market_of(returns, PANEL.close[-1], rules, FREE)
    found = decided(
        market, rows.terms, scores=values[-1],
        belief=belief_at(rows.record, 699, PANEL.sessions[-1], fewest=60), held=np.zeros(10),
    )  # fmt: skip
    assert found.weights == pytest.approx(market.prior, abs=1e-8)
    assert np.nan_to_num(found.alphas).tolist() == [0.0] * 10


def test_views_are_coefficient_times_volatility_times_score() -> None:
    returns = simple_returns(PANEL.close[-61:])
    market = market_of(returns, PANEL.close[-1], RULES, FREE)
    alone = replace(market, covariance=np.diag(np.diag(market.covariance)))
    scores = np.arange(10.0)
    scores[3] = np.nan
    found = decided(alone, terms(), scores=scores, belief=belief(), held=np.zeros(10))
    sizes = np.sqrt(np.diag(alone.covariance) * 5)
    expected = 0.03 * sizes * standard_scores(scores)
    assert found.views == pytest.approx(expected, nan_ok=True)
    trusted = reliability(3.0)
    assert np.nan_to_num(found.alphas) == pytest.approx(np.nan_to_num(trusted * expected))
    monthly = decided(
        alone, terms(rebalance="monthly"), scores=scores, belief=belief(), held=np.zeros(10)
    )
    assert monthly.views == pytest.approx(expected, nan_ok=True)
    higher = found.weights[[9, 8]] - found.weights[[0, 1]]
    assert np.all(higher > 0)


def test_weights_lean_further_the_more_is_believed() -> None:
    returns = simple_returns(PANEL.close[-61:])
    market = market_of(returns, PANEL.close[-1], RULES, FREE)
    gains = []
    for share in (0.0, 0.25, 0.5, 0.75, 0.99):
        found = decided(
            market, terms(), scores=SCORES.scores[-1], belief=belief(share=share),
            held=np.zeros(10),
        )  # fmt: skip
        gains.append(float(standard_scores(SCORES.scores[-1]) @ found.weights))
    assert gains == sorted(gains)
    assert gains[-1] > gains[0] + 0.05


@given(
    values=st.lists(
        st.one_of(st.just(math.nan), st.integers(-5, 5).map(float)), min_size=1, max_size=12
    )
)
def test_standard_scores_have_mean_zero_and_deviation_one(values: list[float]) -> None:
    scores = np.array(values)
    found = standard_scores(scores)
    known = np.isfinite(scores)
    assert np.array_equal(np.isfinite(found), known)
    if known.any():
        assert found[known].mean() == pytest.approx(0.0, abs=1e-9)
        differs = np.ptp(scores[known]) > 0
        assert found[known].std() == pytest.approx(1.0 if differs else 0.0, abs=1e-9)
        order = np.argsort(scores[known], kind="stable")
        assert np.all(np.diff(found[known][order]) >= -1e-12)
        again = standard_scores(np.exp(scores))
        assert again == pytest.approx(found, nan_ok=True)


def test_scores_are_found_by_name_and_session() -> None:
    order = [4, 0, 7, 9]
    few = replace(
        SCORES,
        symbols=(*(PANEL.symbols[i] for i in order), "ELSEWHERE"),
        sessions=SCORES.sessions[100:],
        scores=np.column_stack((SCORES.scores[100:, order], np.ones(600))),
    )
    found = aligned_scores(PANEL, few)
    assert np.isnan(found[:100]).all()
    assert np.array_equal(found[100:, order], SCORES.scores[100:, order])
    rest = [i for i in range(10) if i not in order]
    assert np.isnan(found[:, rest]).all()
    shuffled = list(reversed(range(10)))
    turned = replace(
        SCORES,
        symbols=tuple(PANEL.symbols[i] for i in shuffled),
        scores=SCORES.scores[:, shuffled],
    )
    assert np.array_equal(aligned_scores(PANEL, turned), SCORES.scores)
    strange = replace(SCORES, symbols=tuple(f"X{i}" for i in range(10)))
    assert np.isnan(aligned_scores(PANEL, strange)).all()


def test_weights_are_whole_within_bounds_and_gaps_are_not_held() -> None:
    panel = with_gaps(factor_panel(700, 10))
    walk = walk_of(coursed(panel, scored(panel, 0.3)))
    rows = np.flatnonzero(np.isfinite(walk.weights[FORECASTS]).all(axis=1))
    assert rows.size > 80
    for weights in walk.weights.values():
        assert weights[rows].sum(axis=1) == pytest.approx(np.ones(rows.size))
        assert weights[rows].min() >= 0
        assert weights[rows].max() <= 0.5 + 1e-12
        hole = rows[(rows >= 300) & (rows <= 360)]
        assert np.all(weights[hole, 3] == 0)
        assert np.all(weights[rows[rows > 661], 2] == 0)


def test_least_variance_and_equal_weights_are_those_of_the_window() -> None:
    walk = walk_of(coursed(PANEL, SCORES))
    row = int(np.flatnonzero(np.isfinite(walk.weights[CALM]).all(axis=1))[7])
    covariance = ledoit_wolf_covariance(simple_returns(PANEL.close[row - 60 : row + 1]))
    best = min_variance(covariance, np.zeros(10), np.full(10, 0.5))
    assert walk.weights[CALM][row] == pytest.approx(best, abs=1e-9)
    assert walk.weights[EQUAL][row].tolist() == [0.1] * 10


def test_what_is_held_drifts_with_prices_from_the_fill() -> None:
    panel = replace(PANEL, open=PANEL.close * 1.01)
    held = Held(row=10, weights=np.full(10, 0.1))
    shares = 0.1 / (panel.close[11] * 1.01)
    values = shares * panel.close[20]
    assert held.drifted(panel, 20) == pytest.approx(values / values.sum())


@pytest.mark.slow
def test_higher_costs_trade_less() -> None:
    traded = []
    for bps in (0.0, 5.0, 25.0, 100.0):
        costs = Costs(commission_bps=bps, slippage_bps=0)
        weights = walk_of(coursed(PANEL, SCORES, costs=costs), only=FORECASTS).weights[FORECASTS]
        rows = np.flatnonzero(np.isfinite(weights).all(axis=1))
        before = [Held(row=at, weights=weights[at]) for at in rows[:-1]]
        moved = [
            np.abs(weights[row] - each.drifted(PANEL, row)).sum()
            for each, row in zip(before, rows[1:], strict=True)
        ]
        traded.append(float(np.sum(moved)))
    assert traded == sorted(traded, reverse=True)
    assert traded[0] > 2 * traded[2]
    assert traded[0] > 100 * traded[3]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("served"))


def with_scores(model: LoadedModel, worth: float, panel: Panel) -> LoadedModel:
    bundle = replace(model.bundle, out_of_sample=scored(panel, worth))
    return replace(model, bundle=bundle)


@pytest.mark.slow
@pytest.mark.parametrize("worth", [0.0, 0.35])
def test_forecasts_are_told_from_equal_weights_only_where_they_are_worth_it(
    market: Served, worth: float
) -> None:
    from slices.quant.panel import read_panel

    panel = read_panel(market.bars)
    walk = walk_views(
        market.bars, with_scores(market.model, worth, panel), rules=RULES, costs=DEFAULT_COSTS
    )
    assert [each.label for each in walk.targets] == [FORECASTS, WITHOUT, EQUAL, CALM]
    assert walk.targets[0].probe.findings == ()
    assert walk.targets[0].probe.cuts
    tested = [backtest_targets(market.bars, each) for each in walk.targets]
    assert len({each.sessions for each in tested}) == 1
    tests = compare_accounts(tested)
    found = {each.rival: each.difference for each in tests}
    for name in (EQUAL, WITHOUT):
        better = found[name].is_significant and found[name].sharpe_difference > 0
        assert better == (worth > 0)
    assert is_worth_having(tests) == (worth > 0)
    assert ("better than" in verdict_sentence(tested, tests)) == (worth > 0)


def test_without_a_model_or_a_past_nothing_is_walked(market: Served) -> None:
    missing = walk_views(
        market.bars, ModelRefusal(model="x", reason="there is none"), rules=RULES, costs=FREE
    )
    assert missing.targets == missing.beliefs == ()
    assert "there is none" in missing.reasons[0]
    strict = ViewRules(lookback_sessions=60, fewest_sessions=2520)
    young = walk_views(market.bars, market.model, rules=strict, costs=FREE)
    assert young.targets == ()
    assert young.reasons
    assert compare_accounts([]) == ()
    assert verdict_sentence([], ()) != ""


@pytest.mark.slow
def test_noise_for_scores_is_never_better_on_real_closes(tmp_path: Path, market: Served) -> None:
    from tests.slices.quant.market import us_dataset

    panel = us_panel(2000)
    bars = us_dataset(tmp_path, sessions=2000)
    walk = walk_views(
        bars, with_scores(market.model, 0.0, panel), rules=ViewRules(), costs=DEFAULT_COSTS,
        rebalance="monthly",
    )  # fmt: skip
    tests = compare_accounts([backtest_targets(bars, each) for each in walk.targets])
    added = next(each.difference for each in tests if each.rival == WITHOUT)
    assert not (added.is_significant and added.sharpe_difference > 0)
    assert not is_worth_having(tests)
