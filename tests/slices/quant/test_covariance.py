from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from slices.domain.errors import BadDataError, InsufficientHistoryError
from slices.quant.covariance import (
    correlation,
    exponential_covariance,
    is_positive_semidefinite,
    ledoit_wolf_covariance,
    sample_covariance,
)
from tests.slices.quant.market import us_returns


def test_sample_covariance_is_numpys() -> None:
    returns = us_returns()
    assert np.allclose(sample_covariance(returns), np.cov(returns.T), rtol=1e-12)


def test_sample_covariance_is_exactly_symmetric() -> None:
    covariance = sample_covariance(us_returns())
    assert np.array_equal(covariance, covariance.T)


def test_exponential_covariance_with_an_endless_half_life_is_the_sample_covariance() -> None:
    returns = us_returns()
    endless = exponential_covariance(returns, halflife_sessions=1e9)
    assert np.allclose(endless, sample_covariance(returns), rtol=1e-5)


def test_exponential_covariance_is_pandas() -> None:
    import pandas as pd

    returns = us_returns(60)[:, :3]
    ours = exponential_covariance(returns, halflife_sessions=20)
    theirs = pd.DataFrame(returns).ewm(halflife=20).cov().to_numpy()[-3:]
    assert np.allclose(ours, theirs, rtol=1e-10)


def test_exponential_covariance_forgets_the_distant_past() -> None:
    returns = us_returns(500)
    changed = returns.copy()
    changed[0] *= 5
    near = exponential_covariance(changed, halflife_sessions=10)
    assert np.allclose(near, exponential_covariance(returns, halflife_sessions=10), atol=1e-15)


def test_half_lives_must_be_positive() -> None:
    with pytest.raises(ValueError, match="halflife_sessions must be positive, found 0"):
        exponential_covariance(us_returns(), halflife_sessions=0)


def test_ledoit_wolf_is_scikit_learns_and_regular_with_few_sessions() -> None:
    returns = us_returns(15)
    shrunk = ledoit_wolf_covariance(returns)
    assert np.allclose(shrunk, LedoitWolf().fit(returns).covariance_, rtol=1e-10)
    assert np.linalg.eigvalsh(shrunk)[0] > 0


def test_correlation_is_numpys() -> None:
    returns = us_returns()
    assert np.allclose(correlation(sample_covariance(returns)), np.corrcoef(returns.T), atol=1e-12)


def test_a_symbol_without_variance_has_no_correlations() -> None:
    values = correlation(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert np.isnan(values).tolist() == [[False, True], [True, True]]


def test_what_no_sample_can_have_is_not_positive_semidefinite() -> None:
    broken = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.9], [0.1, 0.9, 1.0]])
    assert not is_positive_semidefinite(broken)
    assert is_positive_semidefinite(sample_covariance(us_returns()))


@pytest.mark.parametrize(
    "returns", [np.ones(3), np.ones((3, 0)), np.array([[1.0, np.nan]] * 3), np.full((3, 1), np.inf)]
)
def test_returns_that_are_no_finite_matrix_are_refused(returns: np.ndarray) -> None:
    with pytest.raises(BadDataError):
        sample_covariance(returns)


def test_one_return_is_not_enough() -> None:
    with pytest.raises(InsufficientHistoryError, match="needs 2 sessions of bars, found 1"):
        sample_covariance(np.ones((1, 3)))
