from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.adaptive_portfolio.risk_parity import fit, walk
from slices.adaptive_portfolio.risk_parity.fit import (
    EQUALITY_TOLERANCE,
    ParityRule,
    candidates,
    equal_risk_weights,
    estimated_covariance,
    fitted_at,
    share_deviation,
)
from slices.adaptive_portfolio.risk_parity.realised import realised_risk, variance_shares
from slices.adaptive_portfolio.risk_parity.walk import (
    equal_risk,
    evaluate_estimator,
    refitted,
    risk_parity_targets,
)
from slices.domain.errors import (
    ConvergenceError,
    InfeasibleError,
    InsufficientHistoryError,
)
from slices.domain.factor_portfolios import CovarianceEstimator
from slices.quant.panel import Panel
from slices.quant.returns import simple_returns
from tests.slices.adaptive_portfolio.factor_panels import (
    another_future,
    factor_panel,
    made_panel,
    us_panel,
    with_gaps,
)
from tests.slices.quant.market import stored, us_dataset

RULE = ParityRule(lookback_sessions=126)
every_estimator = pytest.mark.parametrize("estimator", CovarianceEstimator)


def dates_of(panel: Panel, rule: ParityRule = RULE) -> tuple[dt.date, ...]:
    return walk._dates(panel, rule, "monthly")


@given(
    seed=st.integers(0, 2**31),
    count=st.integers(2, 12),
    scales=st.lists(st.floats(0.001, 0.1), min_size=12, max_size=12),
)
def test_contributions_are_equal_whatever_the_covariance(
    seed: int, count: int, scales: list[float]
) -> None:
    random = np.random.default_rng(seed)
    factors = random.normal(size=(count, count + 3))
    spread = np.array(scales[:count])
    covariance = factors @ factors.T / (count + 3) * np.outer(spread, spread)
    weights, deviation = equal_risk_weights(covariance)
    added = weights * (covariance @ weights)
    assert np.allclose(added / added.sum(), 1 / count, atol=EQUALITY_TOLERANCE, rtol=0)
    assert deviation == pytest.approx(np.abs(added / added.sum() - 1 / count).max(), abs=1e-12)
    assert weights.min() > 0
    assert weights.sum() == pytest.approx(1)


def test_risk_that_is_not_equal_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    covariance = np.diag([1.0, 4.0, 9.0])
    monkeypatch.setattr(fit, "risk_parity", lambda *_: np.full(3, 1 / 3))
    with pytest.raises(ConvergenceError) as raised:
        equal_risk_weights(covariance)
    assert raised.value.residual == pytest.approx(share_deviation(np.full(3, 1 / 3), covariance))


def test_a_run_whose_risk_is_not_equal_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bars = us_dataset(tmp_path, symbols=4, sessions=400)
    monkeypatch.setattr(fit, "risk_parity", lambda *_: np.full(4, 0.25))
    with pytest.raises(ConvergenceError):
        equal_risk(bars, rule=RULE)
    with pytest.raises(ConvergenceError):
        risk_parity_targets(bars, rule=RULE)


@every_estimator
def test_the_newest_weights_are_proven_on_an_own_covariance(
    estimator: CovarianceEstimator, tmp_path: Path
) -> None:
    rule = dataclasses.replace(RULE, estimator=estimator, target_volatility=0.1)
    found = equal_risk(us_dataset(tmp_path, symbols=6, sessions=400), rule=rule)
    closes = us_panel(127, 6).close
    covariance = estimated_covariance(simple_returns(closes), rule)
    weights = np.array([each.weight for each in found.contributions])
    assert found.largest_deviation < EQUALITY_TOLERANCE
    assert share_deviation(weights, covariance) == pytest.approx(found.largest_deviation, abs=1e-12)
    volatility = np.sqrt(weights @ covariance @ weights * 252)
    assert found.annualized_volatility == pytest.approx(volatility)
    assert sum(each.contribution for each in found.contributions) == pytest.approx(volatility)
    assert found.leverage == pytest.approx(min(1.0, 0.1 / volatility))


def test_estimators_differ_and_each_is_named(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=5, sessions=600)
    found = [evaluate_estimator(bars, each, rule=RULE) for each in CovarianceEstimator]
    assert [each.estimator for each in found] == list(CovarianceEstimator)
    assert len({each.weights for each in found}) == 3
    for each in found:
        assert each.largest_deviation < EQUALITY_TOLERANCE
        assert sum(each.realised_shares) == pytest.approx(1)
        assert each.realised_deviation == pytest.approx(
            max(abs(share - 0.2) for share in each.realised_shares)
        )
        assert 0.5 < each.volatility_ratio < 2
        assert each.undefined_refits == 0 < each.refits


def test_realised_shares_are_those_of_a_plain_walk() -> None:
    panel = factor_panel(400, 3)
    refits = refitted(panel, RULE, dates_of(panel))
    found = realised_risk(panel, refits.weights, refits.forecasts)
    rows = np.flatnonzero(np.isfinite(refits.forecasts))
    parts = []
    for t in range(rows[0] + 2, 400):
        decided = rows[rows + 2 <= t][-1]
        values = refits.weights[decided] * panel.close / panel.close[decided + 1]
        parts.append((values[t] - values[t - 1]) / values[t - 1].sum())
    expected = np.cov(np.column_stack([np.sum(parts, axis=1), parts]), rowvar=False)
    assert found.shares == pytest.approx(expected[0, 1:] / expected[0, 0])
    assert variance_shares(np.array(parts)) == pytest.approx(found.shares)


@pytest.mark.parametrize("change", ["cut", "noise"])
def test_no_fit_looks_ahead(change: str) -> None:
    panel = with_gaps(factor_panel())
    dates = dates_of(panel)
    whole = refitted(panel, RULE, dates).weights
    for known in (200, 333, 480):
        other = panel.until(known) if change == "cut" else another_future(panel, known)
        again = refitted(other, RULE, dates).weights[:known]
        assert np.array_equal(again, whole[:known], equal_nan=True)
    assert np.isfinite(whole).any()


def test_permuted_symbols_get_permuted_weights() -> None:
    panel = with_gaps(factor_panel())
    order = np.random.default_rng(5).permutation(8)
    weights = refitted(panel, RULE, dates_of(panel)).weights
    other = panel.columns(order.tolist())
    assert np.allclose(
        refitted(other, RULE, dates_of(other)).weights, weights[:, order], atol=1e-9, equal_nan=True
    )


def test_a_symbol_takes_part_while_its_window_is_whole() -> None:
    panel = with_gaps(factor_panel())
    whole = candidates(panel, RULE)
    assert not whole[:126].any()
    assert whole[126, 0]
    assert not whole[150 + 125, 1]
    assert whole[150 + 126, 1]
    assert whole[-41, 2]
    assert not whole[-40:, 2].any()
    assert not whole[300:427, 3].any()
    assert whole[[299, 427], 3].all()
    weights = refitted(panel, RULE, dates_of(panel)).weights
    for row in np.flatnonzero(np.isfinite(weights).all(axis=1)):
        assert (weights[row] > 0).tolist() == whole[row].tolist()
        assert weights[row].sum() == pytest.approx(1)


def test_a_target_volatility_scales_up_to_the_exposure() -> None:
    panel = factor_panel()
    plain = refitted(panel, RULE, dates_of(panel)).weights
    rule = dataclasses.replace(RULE, target_volatility=0.15, gross_exposure=1.2)
    scaled = refitted(panel, rule, dates_of(panel)).weights
    for row in np.flatnonzero(np.isfinite(plain).all(axis=1)):
        volatility = fitted_at(panel, RULE, row, np.arange(8)).volatility * np.sqrt(252)
        expected = min(0.15 / volatility, 1.2)
        assert np.allclose(scaled[row], plain[row] * expected)


def test_targets_hold_together(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=5, sessions=500)
    targets = risk_parity_targets(bars, rule=RULE)
    assert targets.symbols == bars.symbols
    assert targets.first_session == targets.sessions[0]
    assert targets.weights.shape == (len(targets.sessions), 5)
    assert np.allclose(targets.weights.sum(axis=1), 1)
    assert targets.trials == 1
    assert len(targets.probe.cuts) > 0
    assert targets.probe.findings == ()


def test_what_cannot_be_fitted_says_so(tmp_path: Path) -> None:
    dates = made_panel(np.ones((400, 1))).sessions
    random = np.random.default_rng(2)
    closes = 100 * np.cumprod(1 + random.normal(0, 0.01, (400, 3)), axis=0)
    late = closes.copy()
    late[:350, 1:] = np.nan
    names = ("A", "B", "C")
    bars = stored(tmp_path, dates, dict(zip(names, late.T, strict=True)))
    with pytest.raises(InsufficientHistoryError) as raised:
        equal_risk(bars, rule=RULE)
    assert (raised.value.needed, raised.value.found) == (127, 50)
    with pytest.raises(InsufficientHistoryError):
        risk_parity_targets(bars, rule=RULE)
    still = closes.copy()
    still[:, 2] = 50.0
    bars = stored(tmp_path, dates, dict(zip(names, still.T, strict=True)))
    with pytest.raises(InfeasibleError):
        equal_risk(bars, rule=dataclasses.replace(RULE, estimator=CovarianceEstimator.SAMPLE))


def test_one_symbol_has_nobody_to_share_risk_with() -> None:
    with pytest.raises(InfeasibleError):
        fitted_at(factor_panel(200, 3), RULE, 150, np.array([1]))


def test_an_estimator_without_any_answer_is_reported_and_not_made_up(tmp_path: Path) -> None:
    dates = made_panel(np.ones((400, 1))).sessions
    closes = 100 * np.cumprod(1 + np.random.default_rng(2).normal(0, 0.01, (400, 3)), axis=0)
    closes[:, 2] = 50.0
    bars = stored(tmp_path, dates, dict(zip("ABC", closes.T, strict=True)))
    found = evaluate_estimator(bars, CovarianceEstimator.SAMPLE, rule=RULE)
    assert found.undefined_refits == found.refits > 0
    assert found.weights == ()
    assert found.undefined_reason
    assert np.isnan(found.realised_deviation)
