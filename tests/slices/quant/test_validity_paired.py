"""Two accounts over the same sessions: the test against other implementations and by its rates."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
import statsmodels.api as sm
from arch.bootstrap import StationaryBootstrap

from slices.domain.errors import BadDataError
from slices.domain.paired import PairedDifference
from slices.quant.validity.alpha import newey_west_lags
from slices.quant.validity.paired import paired_difference
from tests.slices.quant.market import us_returns

YEAR = 252
MARKET = us_returns(1500)
ONE, OTHER = MARKET[:, :10].mean(axis=1), MARKET.mean(axis=1)


def compared(first: np.ndarray, second: np.ndarray, **given: float) -> PairedDifference:
    return paired_difference(first, second, periods_per_year=YEAR, **given)  # type: ignore[arg-type]


def ratio(returns: np.ndarray) -> float:
    return float(returns.mean() / returns.std(ddof=1) * math.sqrt(YEAR))


def robust_mean_error(values: np.ndarray) -> float:
    hac = {"maxlags": newey_west_lags(values.size), "use_correction": False}
    fitted = sm.OLS(values, np.ones(values.size)).fit(cov_type="HAC", cov_kwds=hac)
    return float(fitted.bse[0])


def test_the_difference_is_that_of_the_ratios_and_the_error_statsmodels() -> None:
    found = compared(ONE, OTHER)
    assert found.sharpe_difference == pytest.approx(ratio(ONE) - ratio(OTHER), abs=1e-12)
    moments = np.column_stack((ONE, OTHER, ONE**2, OTHER**2))
    mean = moments.mean(axis=0)

    def difference(at: np.ndarray) -> float:
        return float(at[0] / math.sqrt(at[2] - at[0] ** 2) - at[1] / math.sqrt(at[3] - at[1] ** 2))

    slopes = np.empty(4)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-4 * mean[i]
        slopes[i] = (difference(mean + step) - difference(mean - step)) / (2 * step[i])
    error = robust_mean_error((moments - mean) @ slopes) * math.sqrt(YEAR)
    assert found.standard_error == pytest.approx(error, rel=1e-5)
    assert found.t_statistic == pytest.approx(found.sharpe_difference / error, rel=1e-5)
    apart = ONE - OTHER
    assert found.return_difference == pytest.approx(apart.mean() * YEAR)
    assert found.return_t == pytest.approx(apart.mean() / robust_mean_error(apart), rel=1e-9)


def test_the_interval_is_that_of_archs_bootstrap() -> None:
    found = compared(ONE, OTHER, resamples=4000)
    both = np.column_stack((ONE, OTHER))
    peer = StationaryBootstrap(found.block_length, both, seed=5)
    drawn = peer.apply(lambda x: np.array([ratio(x[:, 0]) - ratio(x[:, 1])]), 2000).ravel()
    spread = found.high - found.low
    low, high = 2 * found.sharpe_difference - np.quantile(drawn, (0.975, 0.025))
    assert found.low == pytest.approx(low, abs=0.07 * spread)
    assert found.high == pytest.approx(high, abs=0.07 * spread)


def test_the_other_way_round_is_the_same_with_the_sign_changed() -> None:
    there, back = compared(ONE, OTHER, seed=3), compared(OTHER, ONE, seed=3)
    assert there.sharpe_difference == pytest.approx(-back.sharpe_difference)
    assert there.low == pytest.approx(-back.high)
    assert there.p_value == back.p_value
    assert there == compared(ONE, OTHER, seed=3)


@pytest.mark.slow
def test_equals_are_told_apart_about_as_often_as_promised() -> None:
    random, wrong = np.random.default_rng(8), 0
    for _ in range(200):
        shared = 0.01 * random.standard_t(5, 756)
        first, second = (shared + 0.004 * random.standard_t(5, 756) for _ in range(2))
        wrong += compared(first, second, resamples=300).is_significant
    assert 2 <= wrong <= 22


def test_a_better_account_is_found() -> None:
    random = np.random.default_rng(4)
    shared = random.normal(0.0003, 0.01, 2520)
    better = shared + random.normal(0.0004, 0.003, 2520)
    found = compared(better, shared + random.normal(0.0, 0.003, 2520))
    assert found.is_significant
    assert found.low > 0
    assert found.t_statistic > 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ONE, ONE),
        (ONE[:19], OTHER[:19]),
        (np.where(np.arange(ONE.size) == 7, np.nan, ONE), OTHER),
        (np.zeros(100), OTHER[:100]),
    ],
)
def test_what_cannot_be_told_is_unknown_and_never_significant(
    first: np.ndarray, second: np.ndarray
) -> None:
    found = compared(first, second)
    assert not found.is_significant
    known = {"sessions", "confidence"}
    assert all(math.isnan(v) for name, v in asdict(found).items() if name not in known)


def test_other_sessions_are_refused() -> None:
    with pytest.raises(BadDataError):
        compared(ONE, OTHER[1:])
