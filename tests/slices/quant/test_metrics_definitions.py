"""Metrics against other libraries where the definition is the same, and by how much where not."""

from __future__ import annotations

import math

import empyrical
import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad
from skfolio import measures

from slices.quant.metrics import METRICS, performance, ratios, tails
from slices.quant.metrics.drawdown import drawdowns
from tests.slices.quant.market import us_returns

YEAR = 252
RETURNS = us_returns(2520)
SERIES = RETURNS[:, 0]
BENCHMARK = RETURNS.mean(axis=1)


def ours(name: str, returns: np.ndarray = SERIES, **options: float) -> float:
    return METRICS[name].value(returns, BENCHMARK, periods_per_year=YEAR, **options)


EMPYRICAL = {
    "total_return": lambda r: empyrical.cum_returns_final(r),
    "annualized_return": lambda r: empyrical.annual_return(r),
    "annualized_volatility": lambda r: empyrical.annual_volatility(r),
    "downside_deviation": lambda r: empyrical.downside_risk(r),
    "sharpe_ratio": lambda r: empyrical.sharpe_ratio(r),
    "sortino_ratio": lambda r: empyrical.sortino_ratio(r),
    "calmar_ratio": lambda r: empyrical.calmar_ratio(r),
    "omega_ratio": lambda r: empyrical.omega_ratio(r),
    "max_drawdown": lambda r: -empyrical.max_drawdown(r),
    "stability": lambda r: empyrical.stability_of_timeseries(r),
    "tail_ratio": lambda r: empyrical.tail_ratio(r),
    "beta": lambda r: empyrical.beta(r, BENCHMARK),
    "up_capture": lambda r: empyrical.up_capture(r, BENCHMARK),
    "down_capture": lambda r: empyrical.down_capture(r, BENCHMARK),
}


@pytest.mark.parametrize("name", EMPYRICAL)
def test_a_metric_equals_empyricals(name: str) -> None:
    assert ours(name) == pytest.approx(EMPYRICAL[name](SERIES), rel=1e-9)


def test_alpha_is_empyricals_before_it_compounds() -> None:
    compounded = (1 + ours("alpha") / YEAR) ** YEAR - 1
    assert compounded == pytest.approx(empyrical.alpha(SERIES, BENCHMARK), rel=1e-9)


def test_value_at_risk_is_an_observed_loss_where_empyrical_interpolates() -> None:
    returns = SERIES[:250]
    mine = tails.value_at_risk(returns)
    assert -mine in returns
    theirs = -empyrical.value_at_risk(returns, 0.05)
    assert mine != theirs
    assert mine == pytest.approx(theirs, rel=0.05)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99])
@pytest.mark.parametrize("length", [20, 100, 251, 2520])
def test_historical_tails_are_skfolios(confidence: float, length: int) -> None:
    returns = SERIES[:length]
    var = tails.value_at_risk(returns, confidence=confidence)
    shortfall = tails.expected_shortfall(returns, confidence=confidence)
    assert var == pytest.approx(measures.value_at_risk(returns, confidence), abs=1e-15)
    assert shortfall == pytest.approx(measures.cvar(returns, confidence), rel=1e-9)


def test_expected_shortfall_is_the_minimum_of_rockafellar_and_uryasev() -> None:
    losses, tail = -SERIES[:333], 0.05 * 333
    values = [a + np.maximum(losses - a, 0).sum() / tail for a in losses]
    assert tails.expected_shortfall(SERIES[:333]) == pytest.approx(min(values), rel=1e-12)


def test_shape_is_scipys() -> None:
    assert ours("skewness") == pytest.approx(scipy.stats.skew(SERIES), rel=1e-9)
    assert ours("excess_kurtosis") == pytest.approx(scipy.stats.kurtosis(SERIES), rel=1e-9)


def test_the_probability_of_a_positive_sharpe_ratio_is_skfolios() -> None:
    theirs = measures.probabilistic_sharpe_ratio(SERIES[:200])
    mine = METRICS["probabilistic_sharpe_ratio"].value(SERIES[:200], periods_per_year=YEAR)
    assert mine == pytest.approx(theirs, rel=1e-9)


def test_the_path_measures_of_drawdown_are_skfolios_when_it_compounds() -> None:
    theirs = measures.get_drawdowns(SERIES, compounded=True)
    assert np.allclose(drawdowns(SERIES), -theirs, atol=1e-12)
    assert ours("max_drawdown") == pytest.approx(measures.max_drawdown(theirs), rel=1e-12)
    assert ours("ulcer_index") == pytest.approx(measures.ulcer_index(theirs), rel=1e-9)
    assert ours("pain_index") == pytest.approx(measures.average_drawdown(theirs), rel=1e-9)
    assert ours("expected_drawdown_shortfall") == pytest.approx(measures.cdar(theirs), rel=1e-9)


def test_skfolios_default_drawdown_adds_returns_up_and_differs() -> None:
    summed = measures.max_drawdown(measures.get_drawdowns(SERIES))
    assert abs(summed - ours("max_drawdown")) > 0.01


def test_sortino_differs_from_the_ratio_of_mean_and_semi_deviation() -> None:
    theirs = SERIES.mean() / measures.semi_deviation(SERIES) * math.sqrt(YEAR)
    below = np.minimum(SERIES, 0.0)
    assert ours("sortino_ratio") == pytest.approx(
        SERIES.mean() / math.sqrt(np.mean(below**2)) * math.sqrt(YEAR), rel=1e-12
    )
    assert ours("sortino_ratio") != pytest.approx(theirs, rel=1e-3)


def test_a_loss_in_the_first_session_is_a_drawdown() -> None:
    assert ours("max_drawdown", np.r_[-0.1, np.zeros(BENCHMARK.size - 1)]) == pytest.approx(0.1)


def test_episodes_under_water_by_hand() -> None:
    returns = np.array([0.1, -0.1, -0.1, 0.3, -0.5, 0.1])
    value = {
        name: METRICS[name].value(returns, periods_per_year=YEAR)
        for name in (
            "max_drawdown",
            "average_drawdown",
            "max_drawdown_sessions",
            "current_drawdown",
            "time_under_water",
        )
    }
    assert value["max_drawdown"] == pytest.approx(0.5)
    assert value["average_drawdown"] == pytest.approx((0.19 + 0.5) / 2)
    assert value["max_drawdown_sessions"] == 2
    assert value["current_drawdown"] == pytest.approx(0.45)
    assert value["time_under_water"] == pytest.approx(4 / 6)


def test_a_series_that_only_rises_has_no_drawdown() -> None:
    rising = np.full(10, 0.01)
    for name in ("max_drawdown", "average_drawdown", "max_drawdown_sessions", "ulcer_index"):
        assert METRICS[name].value(rising, periods_per_year=YEAR) == 0.0
    assert math.isnan(METRICS["calmar_ratio"].value(rising, periods_per_year=YEAR))


def test_sessions_by_hand() -> None:
    returns = np.array([0.02, -0.01, -0.01, 0.04, 0.0, -0.02, -0.01, -0.01])
    expected = {
        "hit_rate": 2 / 8,
        "average_gain": 0.03,
        "average_loss": 0.06 / 5,
        "profit_factor": 1.0,
        "payoff_ratio": 0.03 / 0.012,
        "gain_to_pain_ratio": 0.0,
        "longest_losing_streak": 3,
        "best_session": 0.04,
        "worst_session": -0.02,
    }
    for name, value in expected.items():
        found = METRICS[name].value(returns, periods_per_year=YEAR)
        assert found == pytest.approx(value, abs=1e-15), name


def test_a_total_loss_is_a_return_of_minus_one() -> None:
    returns = np.array([0.1, -1.0, 0.5])
    assert METRICS["annualized_return"].value(returns, periods_per_year=YEAR) == -1.0
    assert math.isnan(METRICS["stability"].value(returns, periods_per_year=YEAR))


def test_more_than_everything_lost_has_no_annual_rate() -> None:
    returns = np.array([-1.5, 0.1])
    assert math.isnan(METRICS["annualized_return"].value(returns, periods_per_year=YEAR))


def test_the_risk_free_rate_is_per_year() -> None:
    shifted = SERIES - 0.02 / YEAR
    for name in ("sharpe_ratio", "sortino_ratio", "omega_ratio", "kelly_fraction"):
        free = METRICS[name].value(SERIES, periods_per_year=YEAR, risk_free_rate=0.02)
        assert free == pytest.approx(METRICS[name].value(shifted, periods_per_year=YEAR), rel=1e-9)


def test_normal_tails_are_those_of_the_distribution() -> None:
    mean, deviation = SERIES.mean(), SERIES.std(ddof=1)
    normal = scipy.stats.norm(mean, deviation)
    assert ours("normal_value_at_risk") == pytest.approx(-normal.ppf(0.05), rel=1e-9)
    tail = normal.expect(lambda x: x, ub=normal.ppf(0.05)) / 0.05
    assert ours("normal_expected_shortfall") == pytest.approx(-tail, rel=1e-6)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_cornish_fisher_shortfall_is_the_mean_of_its_values_at_risk(confidence: float) -> None:
    total, _ = quad(
        lambda tail: tails.cornish_fisher_value_at_risk(SERIES, confidence=1 - tail),
        1e-14,
        1 - confidence,
        limit=200,
    )
    found = tails.cornish_fisher_expected_shortfall(SERIES, confidence=confidence)
    assert found == pytest.approx(total / (1 - confidence), rel=1e-6)


def test_the_cornish_fisher_value_at_risk_without_skew_and_tails_is_nearly_normal() -> None:
    normal = scipy.stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000) * 0.01
    assert tails.cornish_fisher_value_at_risk(normal) == pytest.approx(
        tails.normal_value_at_risk(normal), rel=1e-3
    )


def test_tails_beyond_the_expansion_are_undefined() -> None:
    crash = np.r_[np.full(10, 0.001) + np.arange(10) * 1e-6, -0.5]
    assert math.isnan(tails.cornish_fisher_value_at_risk(crash))
    assert math.isnan(tails.cornish_fisher_expected_shortfall(crash))


def test_information_ratio_is_the_sharpe_ratio_of_the_difference() -> None:
    difference = SERIES - BENCHMARK
    sharpe = METRICS["sharpe_ratio"].value(difference, periods_per_year=YEAR)
    assert ours("information_ratio") == pytest.approx(sharpe, rel=1e-12)
    assert ours("tracking_error") == pytest.approx(difference.std(ddof=1) * YEAR**0.5, rel=1e-12)


def test_a_series_against_itself() -> None:
    against = {
        name: each.value(SERIES, SERIES, periods_per_year=YEAR)
        for name, each in METRICS.items()
        if each.relative
    }
    for name in ("beta", "correlation", "r_squared", "up_capture", "down_capture"):
        assert against[name] == pytest.approx(1.0), name
    for name in ("alpha", "active_return", "tracking_error"):
        assert against[name] == pytest.approx(0.0, abs=1e-12), name
    assert math.isnan(against["information_ratio"])


def test_performance_gathers_the_metrics() -> None:
    found = performance(SERIES, periods_per_year=YEAR, confidence=0.99)
    assert found.sessions == 2520
    for name in ("sharpe_ratio", "max_drawdown", "max_drawdown_sessions", "hit_rate"):
        assert getattr(found, name) == ours(name)
    assert found.expected_shortfall == tails.expected_shortfall(SERIES, confidence=0.99)


def test_performance_counts_what_is_above_the_risk_free_rate() -> None:
    found = performance(SERIES, periods_per_year=YEAR, risk_free_rate=0.03)
    plain = performance(SERIES, periods_per_year=YEAR)
    options = {"periods_per_year": YEAR, "risk_free_rate": 0.03}
    assert found.sharpe_ratio == pytest.approx(ratios.sharpe_ratio(SERIES, **options))
    assert found.sortino_ratio == pytest.approx(ratios.sortino_ratio(SERIES, **options))
    assert found.sharpe_ratio < plain.sharpe_ratio
    assert found.annualized_return == plain.annualized_return


def test_performance_of_idle_cash_has_no_ratio() -> None:
    equity = 100_000.0 * (1.0 + 0.05 / YEAR) ** np.arange(500)
    found = performance(equity[1:] / equity[:-1] - 1.0, periods_per_year=YEAR, risk_free_rate=0.05)
    assert math.isnan(found.sharpe_ratio)
    assert math.isnan(found.sortino_ratio)


def test_performance_of_nothing_is_undefined() -> None:
    found = performance(np.empty(0), periods_per_year=YEAR)
    assert found.sessions == 0
    assert math.isnan(found.max_drawdown_sessions)
    assert math.isnan(found.sharpe_ratio)
    assert math.isnan(found.max_drawdown)
