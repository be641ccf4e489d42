"""GARCH(1,1) against `arch`, and its forecasts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch import arch_model

from slices.domain.errors import BadDataError, ConvergenceError
from slices.market_regime.garch import Garch, fitted_garch
from tests.slices.market_regime.regime_markets import us_index, us_panel


@pytest.mark.parametrize("sessions", [400, 2500])
def test_filter_and_forecasts_agree_with_arch(sessions: int) -> None:
    returns = us_index().returns[-sessions:]
    found = fitted_garch(returns, label="index")
    parameters = [found.mean * 100, found.omega * 1e4, found.alpha, found.beta]
    other = arch_model(returns * 100, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    fixed = other.fix(parameters)
    variances = found.variances(returns) * 1e4
    assert np.sqrt(variances[:-1]) == pytest.approx(fixed.conditional_volatility, abs=1e-8)
    forecast = fixed.forecast(horizon=21).variance.to_numpy()[-1]
    assert variances[-1] == pytest.approx(forecast[0], rel=1e-8)
    mean = found.mean_variance(variances[-1] / 1e4, 21) * 1e4
    assert mean == pytest.approx(forecast.mean(), rel=1e-8)


def test_the_fit_is_as_likely_as_arch_finds_it() -> None:
    returns = us_index().returns[-2500:]
    found = fitted_garch(returns, label="index")
    other = arch_model(returns * 100, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    best = other.fit(disp="off").loglikelihood
    ours = other.fix([found.mean * 100, found.omega * 1e4, found.alpha, found.beta]).loglikelihood
    assert ours == pytest.approx(best, abs=0.01)


def test_planted_parameters_are_found_again() -> None:
    random = np.random.default_rng(5)
    omega, alpha, beta, variance = 2e-6, 0.08, 0.9, 1e-4
    returns = np.empty(12_000)
    for t in range(returns.size):
        shock = math.sqrt(variance) * random.standard_normal()
        returns[t] = 0.0005 + shock
        variance = omega + alpha * shock**2 + beta * variance
    found = fitted_garch(returns, label="planted")
    assert (found.alpha, found.beta) == pytest.approx((alpha, beta), abs=0.015)
    assert found.long_run_variance == pytest.approx(1e-4, rel=0.15)
    assert found.half_life_sessions == pytest.approx(math.log(0.5) / math.log(0.98), rel=0.3)


def test_forecasts_know_no_later_return() -> None:
    returns = us_index().returns[:1000]
    garch = Garch(mean=0.0005, omega=2e-6, alpha=0.08, beta=0.9, backcast=1e-4)
    whole = garch.variances(returns)
    for stop in (75, 400, 999):
        assert np.array_equal(garch.variances(returns[:stop]), whole[: stop + 1])


def test_single_names_fit_without_a_warning() -> None:
    panel = us_panel(start=7000)
    for place, symbol in enumerate(panel.symbols):
        found = fitted_garch(np.diff(np.log(panel.close[:, place])), label=symbol)
        assert 0 <= found.alpha <= found.persistence <= 1 + 1e-9
        assert found.omega >= 0


def test_shocks_that_never_die_out_have_no_long_run() -> None:
    endless = Garch(mean=0.0, omega=1e-6, alpha=0.1, beta=0.9, backcast=1e-5)
    assert math.isnan(endless.long_run_variance)
    assert endless.half_life_sessions == math.inf
    assert endless.mean_variance(1e-4, 3) == pytest.approx(1e-4 + 1e-6)
    forgetful = Garch(mean=0.0, omega=1e-4, alpha=0.0, beta=0.0, backcast=0.0)
    assert forgetful.half_life_sessions == 0.0
    assert forgetful.mean_variance(1e-4, 21) == pytest.approx(1e-4)


def test_what_has_no_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadDataError, match="flat: the level never changes"):
        fitted_garch(np.zeros(300), label="flat")
    import arch.univariate.base as machinery

    search = machinery.minimize

    def stopped(*arguments: object, **options: object) -> object:
        return search(*arguments, **{**options, "options": {"maxiter": 1}})

    monkeypatch.setattr(machinery, "minimize", stopped)
    with pytest.raises(ConvergenceError, match=r"index: GARCH\(1,1\)"):
        fitted_garch(us_index().returns[:500], label="index")
