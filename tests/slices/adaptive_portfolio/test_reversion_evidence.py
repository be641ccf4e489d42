from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.tsa.stattools import adfuller

from slices.adaptive_portfolio.mean_reversion.evidence import (
    adf_critical,
    adf_lags,
    adf_p_values,
    adf_statistics,
    half_lives,
    hurst_exponent,
    variance_ratio,
)
from slices.adaptive_portfolio.mean_reversion.judging import symbol_evidence
from slices.adaptive_portfolio.mean_reversion.kernels import rolling_z
from slices.adaptive_portfolio.mean_reversion.spreads import (
    ReversionRule,
    log_spreads,
    z_scores,
)
from slices.adaptive_portfolio.mean_reversion.walk import believed
from tests.slices.adaptive_portfolio.factor_panels import us_panel, with_gaps


def reverting(
    sessions: int, half_life: float, *, seed: int = 1, volatility: float = 0.01
) -> np.ndarray:
    """An Ornstein-Uhlenbeck process at whole sessions, from its stationary distribution."""
    random = np.random.default_rng(seed)
    kept = 0.5 ** (1 / half_life)
    values = np.empty(sessions)
    values[0] = random.normal(0, volatility / math.sqrt(1 - kept**2))
    for t in range(1, sessions):
        values[t] = kept * values[t - 1] + random.normal(0, volatility)
    return values


def walking(sessions: int, *, seed: int = 1) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0, 0.01, sessions))


@pytest.mark.parametrize("half_life", [3.0, 10.0, 30.0])
def test_half_lives_are_recovered_within_their_errors(half_life: float) -> None:
    series = np.stack([reverting(4000, half_life, seed=seed) for seed in range(60)])
    found, errors = half_lives(series)
    distances = (found - half_life) / errors
    assert 0.75 < (np.abs(distances) < 2).mean() <= 1
    assert abs(float(np.mean(distances))) < 0.75
    assert np.median(errors) < half_life / 4


def test_half_lives_are_those_of_a_regression() -> None:
    series = reverting(300, 8.0)
    fit = sm.OLS(np.diff(series), sm.add_constant(series[:-1])).fit()
    kept = 1 + float(fit.params[1])
    found, errors = half_lives(series[None])
    assert found[0] == pytest.approx(-math.log(2) / math.log(kept))
    slope = math.log(2) / (kept * math.log(kept) ** 2)
    assert errors[0] == pytest.approx(slope * float(fit.bse[1]))


def test_what_does_not_revert_has_no_half_life() -> None:
    growing = 1.01 ** np.arange(100.0)
    alternating = np.tile([1.0, -1.0], 50)
    still = np.full(100, 3.0)
    found, errors = half_lives(np.stack([growing, alternating, still, np.full(100, np.nan)]))
    assert np.isnan(found).all()
    assert np.isnan(errors).all()


@pytest.mark.parametrize("length", [80, 253, 700])
def test_unit_root_tests_are_those_of_statsmodels(length: int) -> None:
    series = np.stack([walking(length, seed=1), reverting(length, 5.0), 4 + walking(length)])
    statistics = adf_statistics(series)
    p_values = adf_p_values(statistics)
    for at, values in enumerate(series):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            expected = adfuller(values, maxlag=adf_lags(length - 1), autolag=None, regression="c")
        assert statistics[at] == pytest.approx(expected[0], rel=1e-8)
        assert p_values[at] == pytest.approx(expected[1], rel=1e-6)


@pytest.mark.parametrize("p_value", [0.001, 0.05, 0.1, 0.5, 0.99])
def test_the_critical_statistic_is_where_the_p_value_is_crossed(p_value: float) -> None:
    critical = adf_critical(p_value)
    assert adf_p_values(np.array([critical]))[0] == pytest.approx(p_value, rel=1e-6)
    grid = np.linspace(-12, 4, 400)
    assert ((adf_p_values(grid) <= p_value) == (grid <= critical)).all()
    assert adf_critical(1.0) == math.inf


def test_an_undefined_statistic_has_no_p_value() -> None:
    statistics = adf_statistics(np.stack([np.full(100, 3.0), np.full(100, np.nan)]))
    assert np.isnan(statistics).all()
    assert np.isnan(adf_p_values(statistics)).all()


def test_the_test_rejects_as_often_as_it_says() -> None:
    walks = np.stack([walking(253, seed=seed) for seed in range(400)])
    rejected = (adf_p_values(adf_statistics(walks)) <= 0.1).mean()
    assert 0.06 < rejected < 0.15


@pytest.mark.parametrize("sessions", [2, 10])
def test_variance_ratios_are_those_of_arch(sessions: int) -> None:
    from arch.unitroot import VarianceRatio

    for series in (walking(253), reverting(253, 4.0), us_panel(300, 1).close[:, 0]):
        peer = VarianceRatio(series, lags=sessions, trend="c", robust=True, debiased=True)
        found = variance_ratio(series, sessions=sessions)
        assert found == pytest.approx((peer.vr, peer.stat), rel=1e-9)
    assert np.isnan(variance_ratio(np.full(50, 1.0))).all()
    assert np.isnan(variance_ratio(np.arange(5.0), sessions=10)).all()


def test_hurst_tells_walks_trends_and_reversion_apart() -> None:
    assert hurst_exponent(walking(20_000)) == pytest.approx(0.5, abs=0.03)
    assert hurst_exponent(reverting(20_000, 2.0)) < 0.2
    trending = np.cumsum(reverting(20_000, 50.0))
    assert hurst_exponent(trending) > 0.9
    assert math.isnan(hurst_exponent(np.full(100, 1.0)))


def test_a_residual_leaves_out_what_all_do() -> None:
    closes = us_panel(300, 6).close
    market = np.random.default_rng(1).lognormal(0, 0.02, (300, 1)).cumprod(axis=0)
    found, moved = (log_spreads(each, "residual") for each in (closes, closes * market))
    assert np.allclose(np.diff(found, axis=0), np.diff(moved, axis=0), atol=1e-12)
    assert np.allclose(np.diff(found, axis=0).sum(axis=1), 0, atol=1e-12)
    assert np.array_equal(log_spreads(closes, "log_price"), np.log(closes))


def test_the_market_is_made_of_the_symbols_with_two_closes_in_a_row() -> None:
    closes = np.exp([[0.0, 0.0, np.nan], [0.1, np.nan, 5.0], [0.2, 0.3, 5.2]])
    found = log_spreads(closes, "residual")
    # returns: 0.1 of the first alone; then 0.1 and 0.2 of the first and the third
    assert found[:, 0] == pytest.approx([0.0, 0.0, -0.05])
    assert np.isnan(found[0, 2])
    assert found[1:, 2] == pytest.approx([4.9, 4.95])


@pytest.mark.parametrize("window", [5, 20, 60])
def test_z_scores_are_those_of_pandas(window: int) -> None:
    spreads = log_spreads(with_gaps(us_panel(500, 5)).close, "residual")
    frame = pd.DataFrame(spreads)
    rolled = frame.rolling(window)
    expected = (frame - rolled.mean()) / rolled.std()
    found = z_scores(spreads, window)
    assert np.allclose(found, expected, rtol=1e-6, equal_nan=True)
    assert np.allclose(found, rolling_z.py_func(spreads, window), rtol=1e-12, equal_nan=True)


def test_a_spread_that_never_moves_has_no_z_score() -> None:
    assert np.isnan(z_scores(np.full((50, 1), 0.1), 10)).all()


def test_only_evidence_in_bounds_is_believed() -> None:
    rule = ReversionRule(longest_half_life=15.0, shortest_half_life=3.0, largest_p_value=0.05)
    windows = np.stack(
        [reverting(253, 6.0, seed=3), reverting(253, 1.0), walking(253, seed=4), np.full(253, 1.0)]
    )
    assert believed(windows, rule).tolist() == [True, False, False, False]
    assert believed(windows[:0], rule).tolist() == []
    reasons = [
        symbol_evidence("A", each, rule=rule, z_score=0.0, candidate_share=0.0).reason
        for each in (*windows, None)
    ]
    assert reasons[0] == ""
    assert len(set(reasons)) >= 4
    assert all(reasons[1:])
