from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from slices.analyze.series import SymbolBars
from slices.analyze.state import (
    fitted_line,
    momentum_state,
    movement,
    trend_state,
    trend_votes,
    volatility_percentiles,
    volatility_state,
)
from slices.analyze.volatility import realised_volatility
from slices.domain.analyses import (
    MomentumLevel,
    TrendDirection,
    TrendStrength,
    VolatilityLevel,
)
from tests.slices.analyze.bars import bars_of, closes_only, disturbed, rescaled, still, walk


def drifting(rate: float, *, count: int = 400, noise: float = 0.004, seed: int = 3) -> SymbolBars:
    random = np.random.default_rng(seed)
    closes = 100 * np.exp(rate * np.arange(count) + random.normal(0, noise, count).cumsum() * 0.3)
    return bars_of(
        closes, open=closes, high=closes * 1.004, low=closes * 0.996, volume=np.ones(count)
    )


def test_a_steady_rise_is_an_up_trend_by_all_rules() -> None:
    found = trend_state(drifting(0.003))
    assert (found.direction, found.votes, found.rules) == (TrendDirection.UP, 3, 3)
    assert found.strength is TrendStrength.STRONG
    assert found.slope_annualized == pytest.approx(0.003 * 252, rel=0.1)
    assert found.r_squared > 0.95


def test_a_steady_fall_is_a_down_trend() -> None:
    found = trend_state(drifting(-0.003))
    assert (found.direction, found.votes) == (TrendDirection.DOWN, -3)


def test_a_wave_goes_sideways() -> None:
    wave = bars_of(100 + np.sin(np.arange(400) / 3))
    assert trend_state(wave).direction is TrendDirection.SIDEWAYS


def test_closes_alone_have_two_rules_and_strength_from_the_fitted_line() -> None:
    found = trend_state(closes_only(drifting(0.003)))
    assert (found.direction, found.votes, found.rules) == (TrendDirection.UP, 2, 2)
    assert math.isnan(found.adx)
    assert found.strength is TrendStrength.STRONG


def test_prices_that_never_move_have_no_strength_and_no_direction() -> None:
    found = trend_state(still())
    assert found.direction is TrendDirection.SIDEWAYS
    assert found.strength is TrendStrength.UNDEFINED
    assert volatility_state(still()).level is VolatilityLevel.UNDEFINED
    assert momentum_state(still()).level is MomentumLevel.MIXED


def test_the_fitted_line_is_the_regression_of_log_closes(ibm: SymbolBars) -> None:
    line = fitted_line(ibm.close)
    for end in (100, 1500, len(ibm)):
        window = np.log(ibm.close[end - 63 : end])
        fit = sm.OLS(window, sm.add_constant(np.arange(63.0))).fit()
        assert line.slope[end - 1] == pytest.approx(fit.params[1], rel=1e-6)
        assert line.r_squared[end - 1] == pytest.approx(fit.rsquared, rel=1e-6)


def test_votes_follow_their_rules(ibm: SymbolBars) -> None:
    votes = trend_votes(ibm)
    close = pd.Series(ibm.close)
    short, long = close.rolling(50).mean(), close.rolling(200).mean()
    expected = ((close > short) & (short > long)).astype(int) - (
        (close < short) & (short < long)
    ).astype(int)
    np.testing.assert_array_equal(votes[199:, 0], expected[199:])
    moving = movement(ibm)
    assert (votes[moving.adx < 20, 2] == 0).all()
    assert set(votes[moving.adx >= 20, 2]) == {-1.0, 1.0}
    ratio = fitted_line(ibm.close).drift_ratio
    assert (votes[np.abs(ratio) < 0.5, 1] == 0).all()
    assert (votes[ratio >= 0.5, 1] == 1).all()


@pytest.mark.parametrize("stop", [280, 401, 599])
def test_no_state_knows_later_bars(stop: int) -> None:
    bars = walk()
    changed = disturbed(bars, stop)
    for history in (trend_votes, volatility_percentiles):
        whole = history(bars)[:stop]
        np.testing.assert_array_equal(history(bars.until(stop)), whole)
        np.testing.assert_array_equal(history(changed)[:stop], whole)


def test_states_do_not_depend_on_the_unit_of_prices() -> None:
    bars = walk()
    one, other = trend_state(bars), trend_state(rescaled(bars, 8.0))
    assert (one.direction, one.strength, one.votes) == (
        other.direction,
        other.strength,
        other.votes,
    )
    assert volatility_state(bars).level is volatility_state(rescaled(bars, 8.0)).level


def test_the_percentile_counts_the_trailing_year(ibm: SymbolBars) -> None:
    found = volatility_percentiles(ibm)
    values = realised_volatility(ibm)
    assert np.isnan(found[:272]).all()
    for end in (272, 1000, len(ibm) - 1):
        window = values[end - 251 : end + 1]
        assert found[end] == pytest.approx((window <= values[end]).mean())


@pytest.mark.parametrize(
    ("scale", "level"), [(4.0, VolatilityLevel.EXTREME), (0.1, VolatilityLevel.LOW)]
)
def test_volatility_is_judged_against_its_own_year(scale: float, level: VolatilityLevel) -> None:
    change = np.random.default_rng(5).normal(0, 0.01, 500)
    change[-21:] *= scale
    assert volatility_state(bars_of(100 * np.exp(change.cumsum()))).level is level


@pytest.mark.parametrize(
    ("rates", "level"),
    [
        ((0.002, 0.004), MomentumLevel.OVERBOUGHT),
        ((-0.002, -0.004), MomentumLevel.OVERSOLD),
    ],
)
def test_relative_strength_decides_first(rates: tuple[float, float], level: MomentumLevel) -> None:
    closes = 100 * np.exp(np.concatenate([np.full(300, rates[0]), np.full(30, rates[1])]).cumsum())
    assert momentum_state(bars_of(closes)).level is level


def test_momentum_is_positive_where_quarter_and_year_agree() -> None:
    wobble = 0.02 * np.sin(np.arange(400))
    rising = bars_of(100 * np.exp(0.001 * np.arange(400) + wobble))
    falling = bars_of(100 * np.exp(-0.001 * np.arange(400) + wobble))
    turning = bars_of(100 * np.exp(-0.001 * np.abs(np.arange(400) - 340) + wobble))
    assert momentum_state(rising).level is MomentumLevel.POSITIVE
    assert momentum_state(falling).level is MomentumLevel.NEGATIVE
    assert momentum_state(turning).level is MomentumLevel.MIXED


def test_the_percentile_needs_a_full_year() -> None:
    assert np.isnan(volatility_percentiles(walk(272))).all()
    assert np.isfinite(volatility_percentiles(walk(273))[-1])
