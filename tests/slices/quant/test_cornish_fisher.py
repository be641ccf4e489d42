from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from slices.quant.metrics import tails
from slices.quant.metrics.cornish_fisher import CornishFisher, fitted_cornish_fisher
from slices.quant.metrics.dispersion import excess_kurtosis, skewness
from tests.slices.quant.market import us_returns


def expansion(z: float, skew: float, kurtosis: float) -> float:
    """The expansion as it is printed."""
    return (
        z
        + (z**2 - 1) * skew / 6
        + (z**3 - 3 * z) * kurtosis / 24
        - (2 * z**3 - 5 * z) * skew**2 / 36
    )


def integral(power: int, found: CornishFisher) -> float:
    """The moment of the rescaled distribution, by numerical integration of its quantiles."""
    value, _ = quad(
        lambda z: found.quantile(z) ** power * scipy.stats.norm.pdf(z), -14, 14, limit=400
    )
    return value


MOMENTS = [(0.0, 0.0), (-0.5, 2.0), (-0.8, 6.0), (0.6, 3.0), (-1.5, 12.0), (0.0, 30.0), (0.1, 0.05)]


@pytest.mark.parametrize(("skew", "kurtosis"), MOMENTS)
def test_the_moments_are_those_asked_for(skew: float, kurtosis: float) -> None:
    found = fitted_cornish_fisher(skew, kurtosis)
    assert found is not None
    assert integral(1, found) == pytest.approx(0.0, abs=1e-6)
    assert integral(2, found) == pytest.approx(1.0, abs=1e-6)
    assert integral(3, found) == pytest.approx(skew, abs=1e-6)
    assert integral(4, found) - 3 == pytest.approx(kurtosis, abs=1e-6)


@pytest.mark.parametrize("symbol", range(5))
def test_the_moments_of_real_returns_are_kept(symbol: int) -> None:
    returns = us_returns(2000)[:, symbol]
    found = fitted_cornish_fisher(skewness(returns), excess_kurtosis(returns))
    assert found is not None
    assert integral(3, found) == pytest.approx(skewness(returns), abs=1e-6)
    assert integral(4, found) - 3 == pytest.approx(excess_kurtosis(returns), abs=1e-6)


@given(st.floats(-2.4, 2.4), st.floats(-0.1, 9.0))
def test_every_valid_expansion_is_found_by_its_moments(skew: float, kurtosis: float) -> None:
    given_one = CornishFisher(skew=skew, kurtosis=kurtosis)
    if not given_one.rises():
        return
    found = fitted_cornish_fisher(*given_one.moments()[1:])
    assert found is not None
    assert found.moments() == pytest.approx(given_one.moments(), abs=1e-6)


@pytest.mark.parametrize("z", [-3.0, -1.6, 0.0, 2.0])
def test_the_quantile_is_the_printed_one_in_its_own_deviations(z: float) -> None:
    found = CornishFisher(skew=-0.7, kurtosis=2.5)
    variance, _ = quad(
        lambda z: expansion(z, -0.7, 2.5) ** 2 * scipy.stats.norm.pdf(z), -14, 14, limit=400
    )
    assert found.quantile(z) == pytest.approx(expansion(z, -0.7, 2.5) / math.sqrt(variance))
    assert found.moments()[0] == pytest.approx(variance)


def test_normal_moments_give_the_normal() -> None:
    found = fitted_cornish_fisher(0.0, 0.0)
    assert found is not None
    for z in (-2.5, -1.0, 0.5):
        assert found.quantile(z) == z
        expected = -scipy.stats.norm.pdf(z) / scipy.stats.norm.cdf(z)
        assert found.mean_below(z) == pytest.approx(expected, rel=1e-12)


def test_a_sample_without_skew_and_excess_has_the_normal_value_at_risk() -> None:
    shape = math.sqrt(3.0)
    sample = np.array([-shape, 0.0, 0.0, 0.0, 0.0, shape]) * 0.01
    assert abs(skewness(sample)) < 1e-12
    assert abs(excess_kurtosis(sample)) < 1e-12
    for ours, normal in (
        (tails.cornish_fisher_value_at_risk, tails.normal_value_at_risk),
        (tails.cornish_fisher_expected_shortfall, tails.normal_expected_shortfall),
    ):
        assert ours(sample) == pytest.approx(normal(sample), rel=1e-9)


@pytest.mark.parametrize(
    ("skew", "kurtosis"),
    [(-3.0, 1.0), (2.0, 0.0), (0.0, -0.5), (0.0, 60.0), (5.0, 40.0), (math.nan, 1.0)],
)
def test_moments_without_a_valid_expansion_have_none(skew: float, kurtosis: float) -> None:
    assert fitted_cornish_fisher(skew, kurtosis) is None


@pytest.mark.parametrize(
    ("skew", "kurtosis"),
    [(-3.0, 1.0), (2.0, 0.0), (1.0, 4 / 3), (-0.5, 2.0), (0.0, 0.0), (-4.0, 24.0), (0.0, -0.1)],
)
def test_validity_is_a_quantile_that_rises(skew: float, kurtosis: float) -> None:
    z = np.linspace(-9, 9, 200_001)
    rises = bool(np.all(np.diff(expansion(z, skew, kurtosis)) >= 0))
    assert CornishFisher(skew=skew, kurtosis=kurtosis).rises() == rises
