from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from slices.adaptive_portfolio.momentum.decay import (
    HORIZONS,
    horizon_coefficient,
    information_coefficients,
    later_returns,
    newey_west_error,
    score_decay,
)
from slices.adaptive_portfolio.momentum.scores import MomentumRule, Scores, momentum_scores, winners
from slices.adaptive_portfolio.momentum.walk import decided, walk_momentum
from slices.adaptive_portfolio.walking import decision_dates, leverage, shared_out
from slices.domain.errors import InsufficientHistoryError
from slices.domain.portfolio import Allocator
from slices.quant.panel import Panel
from slices.quant.returns import simple_returns
from tests.slices.adaptive_portfolio.factor_panels import (
    another_future,
    factor_panel,
    made_panel,
    us_panel,
    with_gaps,
)
from tests.slices.quant.market import us_dataset

RULE = MomentumRule(lookback_sessions=126, skip_sessions=21, volatility_sessions=63)
NAMES = ("A", "B", "C", "D")


def scored(panel: Panel, rule: MomentumRule = RULE) -> Scores:
    return momentum_scores(panel.close, rule, periods_per_year=252)


def dates_of(panel: Panel, rule: MomentumRule = RULE) -> tuple[dt.date, ...]:
    return decision_dates(panel, "monthly", np.isfinite(scored(panel, rule).score).any(axis=1))


@pytest.mark.parametrize("per_volatility", [False, True])
@pytest.mark.parametrize("skip", [0, 21])
def test_scores_are_those_of_pandas(per_volatility: bool, skip: int) -> None:  # noqa: FBT001
    panel = with_gaps(us_panel(600, 6))
    rule = dataclasses.replace(RULE, per_volatility=per_volatility, skip_sessions=skip)
    closes = pd.DataFrame(panel.close)
    returns = closes / closes.shift(1) - 1
    gained = closes.shift(skip) / closes.shift(126) - 1
    volatility = returns.shift(skip).rolling(126 - skip).std() * np.sqrt(252)
    whole = closes.notna().rolling(127).sum() == 127
    expected = (gained / volatility if per_volatility else gained).where(whole)
    found = scored(panel, rule)
    assert np.allclose(found.score, expected, rtol=1e-9, equal_nan=True)
    assert np.allclose(found.annualized_volatility, volatility.where(whole), equal_nan=True)
    assert np.isfinite(found.score).any()


def test_a_price_that_never_moves_has_no_risk_adjusted_score() -> None:
    closes = factor_panel(300, 2).close.copy()
    closes[:, 1] = 42.0
    found = scored(made_panel(closes), dataclasses.replace(RULE, per_volatility=True))
    assert np.isnan(found.score[:, 1]).all()
    assert np.isfinite(found.score[126:, 0]).all()


@given(
    scores=st.lists(st.sampled_from([np.nan, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]), min_size=4,
                    max_size=4),
    fraction=st.floats(0.05, 1.0),
    absolute=st.booleans(),
)  # fmt: skip
def test_winners_are_the_best_of_the_candidates(
    scores: list[float],
    fraction: float,
    absolute: bool,  # noqa: FBT001
) -> None:
    rule = MomentumRule(top_fraction=fraction, absolute=absolute)
    values = np.array(scores)
    chosen = winners(values, NAMES, rule)
    known = values[np.isfinite(values)]
    assert np.isfinite(values[chosen]).all()
    rest = np.setdiff1d(np.flatnonzero(np.isfinite(values)), chosen)
    if chosen.size:
        best = rest[values[rest] > 0] if absolute else rest
        assert values[chosen].min() >= values[best].max(initial=-np.inf)
    if absolute:
        assert (values[chosen] > 0).all()
    else:
        assert chosen.size == rule.wanted(known.size)
        assert (chosen.size > 0) == (known.size > 0)


def test_equal_scores_go_by_the_alphabet_in_any_order_of_the_symbols() -> None:
    rule = MomentumRule(top_count=2)
    assert winners(np.full(4, 0.1), NAMES, rule).tolist() == [0, 1]
    assert winners(np.full(4, 0.1), NAMES[::-1], rule).tolist() == [2, 3]


@pytest.mark.parametrize("change", ["cut", "noise"])
def test_no_choice_looks_ahead(change: str) -> None:
    panel = with_gaps(factor_panel())
    rule = dataclasses.replace(RULE, target_volatility=0.1, allocator=Allocator.MIN_VARIANCE)
    dates = dates_of(panel, rule)
    whole = decided(panel, rule, dates).weights
    for known in (200, 333, 480):
        other = panel.until(known) if change == "cut" else another_future(panel, known)
        again = decided(other, rule, dates).weights[:known]
        assert np.array_equal(again, whole[:known], equal_nan=True)
    assert (np.nan_to_num(whole) > 0).any()


@pytest.mark.parametrize(
    "allocator",
    [Allocator.EQUAL_WEIGHT, Allocator.INVERSE_VOLATILITY, Allocator.MIN_VARIANCE,
     Allocator.RISK_PARITY],
)  # fmt: skip
def test_permuted_symbols_get_permuted_weights(allocator: Allocator) -> None:
    panel = with_gaps(factor_panel())
    rule = dataclasses.replace(RULE, allocator=allocator, top_fraction=0.5)
    order = np.random.default_rng(5).permutation(8)
    weights = decided(panel, rule, dates_of(panel)).weights
    other = panel.columns(order.tolist())
    found = decided(other, rule, dates_of(other)).weights
    assert np.allclose(found, weights[:, order], atol=1e-8, equal_nan=True)


def test_late_listings_and_holes_keep_only_themselves_out() -> None:
    whole = factor_panel()
    panel = with_gaps(whole)
    scores, complete = scored(panel).score, scored(whole).score
    known = np.isfinite(scores)
    assert np.array_equal(scores[known], complete[known])
    assert known[126:, [0, 4, 5, 6, 7]].all()
    assert not known[: 150 + 126, 1].any()
    assert known[150 + 126 :, 1].all()
    assert not known[-40:, 2].any()
    assert not known[300:427, 3].any()
    everyone = dataclasses.replace(RULE, top_fraction=1.0)
    weights = decided(panel, everyone, dates_of(panel)).weights
    for row in np.flatnonzero(np.isfinite(weights).all(axis=1)):
        assert (weights[row] > 0).tolist() == known[row].tolist()


def test_weights_are_those_of_the_allocator_on_the_winners() -> None:
    panel = factor_panel()
    rule = dataclasses.replace(RULE, top_count=3, largest_weight=0.4)
    choices = decided(panel, rule, dates_of(panel))
    scores = scored(panel).score
    rows = np.flatnonzero(np.isfinite(choices.weights).all(axis=1))
    for row in rows:
        best = np.sort(np.argsort(-scores[row])[:3])
        returns = simple_returns(panel.close[row - 126 : row + 1, best])
        inverse = 1 / returns.std(axis=0, ddof=1)
        held = choices.weights[row]
        assert np.flatnonzero(held).tolist() == best.tolist()
        assert held.max() <= 0.4 + 1e-12
        assert held.sum() == pytest.approx(1)
        if (inverse / inverse.sum()).max() < 0.4:
            assert np.allclose(held[best], inverse / inverse.sum())
    replaced = [each for each in choices.replaced if np.isfinite(each)]
    assert len(replaced) == len(rows) - 1


def test_what_nothing_qualifies_for_is_cash() -> None:
    falling = 100.0 * np.cumprod(np.full((400, 3), 0.999), axis=0)
    falling *= 1 + 0.001 * np.random.default_rng(1).normal(size=falling.shape)
    panel = made_panel(falling)
    rule = dataclasses.replace(RULE, absolute=True)
    choices = decided(panel, rule, dates_of(panel))
    rows = np.isfinite(choices.weights).all(axis=1)
    assert rows.sum() == len(choices.chosen)
    assert not choices.weights[rows].any()
    assert set(choices.chosen) == {0}


def test_an_allocator_without_an_answer_keeps_positions_and_is_counted() -> None:
    closes = factor_panel(400, 3).close.copy()
    closes[:, 1] = 42.0
    panel = made_panel(closes)
    everyone = dataclasses.replace(RULE, top_fraction=1.0)
    choices = decided(panel, everyone, dates_of(panel))
    assert len(choices.reasons) == len(choices.chosen) > 0
    assert not np.isfinite(choices.weights).any()


def test_few_winners_leave_cash_and_volatility_scales_the_whole() -> None:
    returns = factor_panel(200, 2).close[1:] / factor_panel(200, 2).close[:-1] - 1
    shares = shared_out(Allocator.INVERSE_VOLATILITY, returns, largest=0.3, total=1.0)
    assert shares.tolist() == [0.3, 0.3]
    covariance = np.cov(returns, rowvar=False)
    volatility = np.sqrt(shares @ covariance @ shares * 252)
    options = {"periods_per_year": 252, "gross_exposure": 2.0}
    scale = leverage(shares, covariance, target_volatility=volatility * 2, **options)
    assert scale == pytest.approx(2)
    assert leverage(shares, covariance, target_volatility=volatility * 9, **options) == (
        pytest.approx(2 / 0.6)
    )
    assert leverage(shares, covariance * 0, target_volatility=0.1, **options) == 1


def test_rank_correlations_are_those_of_scipy() -> None:
    panel = with_gaps(us_panel(500, 10))
    scores = scored(panel).score
    ahead = later_returns(panel.close, 5)
    found, counts = information_coefficients(scores, ahead)
    for row in (200, 301, 420, 480):
        both = np.isfinite(scores[row]) & np.isfinite(ahead[row])
        assert found[row] == pytest.approx(spearmanr(scores[row][both], ahead[row][both])[0])
        assert counts[row] == both.sum()
    assert np.isnan(found[:126]).all()
    assert np.isnan(found[-6:]).all()


def test_too_few_or_equal_symbols_have_no_rank_correlation() -> None:
    scores = np.array([[1.0, 2.0, np.nan], [1.0, 1.0, 1.0], [3.0, 1.0, 2.0]])
    found, counts = information_coefficients(scores, np.array([[1.0, 2.0, 3.0]] * 3))
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(-0.5)
    assert counts.tolist() == [2, 3, 3]


@given(seed=st.integers(0, 2**31), lags=st.integers(0, 30), memory=st.floats(0, 0.95))
def test_errors_are_those_of_statsmodels(seed: int, lags: int, memory: float) -> None:
    noise = np.random.default_rng(seed).normal(size=200)
    values = np.zeros(200)
    for t in range(1, 200):
        values[t] = memory * values[t - 1] + noise[t]
    fit = sm.OLS(values, np.ones(200)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    assert newey_west_error(values, lags=lags) == pytest.approx(float(fit.bse[0]), rel=1e-9)


@pytest.mark.parametrize("horizon", [1, 21])
def test_t_statistics_are_those_of_statsmodels(horizon: int) -> None:
    panel = us_panel(900, 12)
    scores = scored(panel).score
    found = horizon_coefficient(scores, panel.close, horizon=horizon)
    values = information_coefficients(scores, later_returns(panel.close, horizon))[0]
    values = values[np.isfinite(values)]
    lags = max(horizon - 1, int(4 * (values.size / 100) ** (2 / 9)))
    fit = sm.OLS(values, np.ones(values.size)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    assert found.t_statistic == pytest.approx(float(fit.tvalues[0]))
    assert found.information_coefficient == pytest.approx(values.mean())
    assert found.sessions == values.size == 900 - 126 - 1 - horizon
    assert found.average_symbols == 12


def test_overlap_is_not_mistaken_for_evidence() -> None:
    random = np.random.default_rng(11)
    verdicts = []
    for _ in range(40):
        closes = 100 * np.cumprod(1 + random.normal(0, 0.01, (700, 12)), axis=0)
        score = momentum_scores(closes, RULE, periods_per_year=252).score
        found = horizon_coefficient(score, closes, horizon=21)
        naive = found.information_coefficient * np.sqrt(found.sessions) / 0.3
        verdicts.append((abs(found.t_statistic) > 2.5, abs(naive) > 2.5))
    corrected, plain = np.mean(verdicts, axis=0)
    assert corrected <= 0.25 < plain


def test_the_decay_covers_every_horizon_and_finds_what_was_put_in(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    drift = np.linspace(-0.001, 0.001, 10)
    closes = 100 * np.cumprod(1 + drift + random.normal(0, 0.005, (800, 10)), axis=0)
    panel = made_panel(closes)
    strong = [
        horizon_coefficient(scored(panel).score, panel.close, horizon=each) for each in HORIZONS
    ]
    assert all(each.t_statistic > 3 for each in strong)
    found = score_decay(us_dataset(tmp_path, symbols=6, sessions=600), rule=RULE)
    assert tuple(each.horizon_sessions for each in found) == HORIZONS
    short = score_decay(us_dataset(tmp_path, symbols=6, sessions=200), rule=RULE)
    assert np.isnan(short[-1].t_statistic)
    assert short[-1].sessions == 0


def test_a_walk_holds_together(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=10, sessions=700)
    walk = walk_momentum(bars, rule=RULE)
    assert walk.targets.probe.findings == ()
    assert len(walk.targets.probe.cuts) > 0
    assert walk.targets.first_session == walk.targets.sessions[0]
    assert walk.selection.average_chosen == 3
    assert walk.selection.decisions == len(walk.targets.sessions)
    scores = [each.score for each in walk.selection.scores]
    assert scores == sorted(scores, reverse=True)
    assert sum(each.weight > 0 for each in walk.selection.scores[:3]) == 3
    assert sum(each.weight for each in walk.selection.scores) == pytest.approx(1)


def test_too_short_a_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InsufficientHistoryError) as raised:
        walk_momentum(us_dataset(tmp_path, symbols=3, sessions=170), rule=RULE)
    assert raised.value.found == 170 < raised.value.needed


def test_a_target_volatility_never_breaks_the_largest_weight() -> None:
    panel = factor_panel()
    rule = dataclasses.replace(
        RULE, top_count=3, largest_weight=0.5, target_volatility=2.0, gross_exposure=5.0
    )
    weights = decided(panel, rule, dates_of(panel)).weights
    known = weights[np.isfinite(weights).all(axis=1)]
    assert known.max() == pytest.approx(0.5)
    assert known.max(axis=1).min() > 0.34
