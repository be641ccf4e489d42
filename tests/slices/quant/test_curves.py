from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.backtests import Trade
from slices.quant.curves.episodes import below_peak, drawdown_episodes
from slices.quant.curves.months import returns_by_year
from slices.quant.curves.rolling import rolling_beta, rolling_sharpe_ratio
from slices.quant.curves.stress import STRESS_WINDOWS, stress_windows
from slices.quant.curves.trade_statistics import round_trip_statistics
from slices.quant.metrics.drawdown import max_drawdown
from slices.quant.returns import simple_returns
from tests.slices.quant.market import us_closes

SESSIONS, NAMES, CLOSES = us_closes()
APPLE, EXXON = CLOSES[:, NAMES.index("AAPL")], CLOSES[:, NAMES.index("XOM")]
INDEX = pd.DatetimeIndex(pd.to_datetime(list(SESSIONS)))
positive_paths = st.lists(st.floats(1.0, 1e4), min_size=2, max_size=60)


def days(count: int) -> tuple[dt.date, ...]:
    return tuple(dt.date(2024, 1, 1) + dt.timedelta(days=each) for each in range(count))


@pytest.mark.parametrize("window", [2, 126, 252])
def test_the_rolling_sharpe_ratio_is_that_of_every_window(window: int) -> None:
    returns = pd.Series(simple_returns(APPLE))
    rolling = returns.rolling(window)
    expected = (rolling.mean() / rolling.std() * math.sqrt(252)).dropna()
    found = rolling_sharpe_ratio(returns.to_numpy(), window, periods_per_year=252)
    assert found.size == returns.size - window + 1
    np.testing.assert_allclose(found[np.isfinite(found)], expected, rtol=1e-6, atol=1e-6)


def test_the_rolling_beta_is_the_slope_of_every_window() -> None:
    mine, market = pd.Series(simple_returns(APPLE)), pd.Series(simple_returns(EXXON))
    expected = (mine.rolling(252).cov(market) / market.rolling(252).var()).dropna()
    found = rolling_beta(mine.to_numpy(), market.to_numpy(), 252)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_windows_without_variation_have_no_ratio() -> None:
    flat, market = np.zeros(5), np.array([0.0, 0.1, 0.0, 0.1, 0.0])
    assert np.isnan(rolling_sharpe_ratio(flat, 3, periods_per_year=252)).all()
    assert np.isnan(rolling_beta(market, flat, 3)).all()
    assert rolling_beta(flat, market, 3).tolist() == [0.0, 0.0, 0.0]


def test_a_series_shorter_than_the_window_has_no_values() -> None:
    assert rolling_sharpe_ratio(np.ones(3), 4, periods_per_year=252).size == 0
    assert rolling_beta(np.ones(3), np.ones(3), 4).size == 0


def test_the_deepest_drawdown_is_the_largest_there_was() -> None:
    found = drawdown_episodes(APPLE, SESSIONS, most=5)
    assert found[0].depth == pytest.approx(max_drawdown(simple_returns(APPLE)), rel=1e-12)
    assert [each.depth for each in found] == sorted((e.depth for e in found), reverse=True)
    prices = pd.Series(APPLE, index=list(SESSIONS))
    for each in found:
        assert prices[each.trough] / prices[each.peak] == pytest.approx(1 - each.depth)
        assert each.recovery is not None
        assert prices[each.recovery] >= prices[each.peak]
        between = prices[each.peak : each.recovery][1:-1]
        assert between.max() < prices[each.peak]
        assert len(between) + 1 == each.sessions


def test_a_drawdown_that_lasts_has_no_recovery() -> None:
    values = np.array([100.0, 120.0, 90.0, 110.0])
    (found,) = drawdown_episodes(values, days(4), most=5)
    assert (found.peak, found.trough, found.recovery) == (days(4)[1], days(4)[2], None)
    assert (found.depth, found.sessions, found.sessions_to_trough) == (0.25, 2, 1)


def test_a_path_that_never_falls_has_no_drawdown() -> None:
    assert drawdown_episodes(np.array([1.0, 1.0, 2.0]), days(3), most=5) == ()


@given(path=positive_paths)
def test_drawdowns_cover_every_session_below_the_peak(path: list[float]) -> None:
    values = np.array(path)
    found = drawdown_episodes(values, days(values.size), most=values.size)
    under = sum(each.sessions - (each.recovery is not None) for each in found)
    assert under == int((below_peak(values) > 0).sum())


def test_monthly_returns_are_those_of_month_ends() -> None:
    ends = pd.Series(APPLE, index=INDEX).resample("ME").last()
    expected = ends.pct_change()
    expected.iloc[0] = ends.iloc[0] / APPLE[0] - 1
    years = returns_by_year(APPLE, SESSIONS)
    found = [value for year in years for value in year.months if not math.isnan(value)]
    np.testing.assert_allclose(found, expected.to_numpy(), rtol=1e-10, atol=1e-14)
    assert [each.year for each in years] == list(range(1990, 2023))


def test_years_compound_their_months_and_multiply_to_the_whole() -> None:
    years = returns_by_year(APPLE, SESSIONS)
    annual = pd.Series(APPLE, index=INDEX).resample("YE").last().pct_change()
    np.testing.assert_allclose([e.total for e in years[1:]], annual.to_numpy()[1:], rtol=1e-10)
    assert math.prod(1 + each.total for each in years) == pytest.approx(APPLE[-1] / APPLE[0])


def test_a_first_session_alone_in_its_month_has_no_return() -> None:
    sessions = (dt.date(2023, 11, 30), dt.date(2023, 12, 1), dt.date(2023, 12, 29))
    (year,) = returns_by_year(np.array([100.0, 90.0, 108.0]), sessions)
    assert math.isnan(year.months[10])
    assert year.months[11] == pytest.approx(0.08)
    assert returns_by_year(np.array([100.0]), sessions[:1]) == ()


def test_stress_windows_are_those_the_history_covers() -> None:
    names = [each.name for each in stress_windows(APPLE, EXXON, SESSIONS)]
    assert names == [each.name for each in STRESS_WINDOWS]
    since = SESSIONS.index(dt.date(2010, 1, 4))
    later = stress_windows(APPLE[since:], EXXON[since:], SESSIONS[since:])
    assert [each.name for each in later] == [
        each.name for each in STRESS_WINDOWS if each.start >= SESSIONS[since]
    ]
    assert stress_windows(APPLE[:50], EXXON[:50], SESSIONS[:50]) == ()
    assert stress_windows(np.empty(0), np.empty(0), ()) == ()


def test_a_stress_window_counts_from_the_close_it_names() -> None:
    found = {each.name: each for each in stress_windows(APPLE, EXXON, SESSIONS)}["Covid 2020"]
    prices = pd.Series(APPLE, index=list(SESSIONS))
    start, end = dt.date(2020, 2, 19), dt.date(2020, 3, 23)
    assert (found.first_session, found.last_session) == (start, end)
    assert found.total_return == pytest.approx(prices[end] / prices[start] - 1)
    inside = prices[start:end]
    assert found.max_drawdown == pytest.approx((1 - inside / inside.cummax()).max())


def test_a_window_partly_covered_is_left_out() -> None:
    last = SESSIONS.index(dt.date(2020, 3, 20))
    until = slice(0, last + 1)
    found = stress_windows(APPLE[until], EXXON[until], SESSIONS[until])
    names = [each.name for each in found]
    assert "Covid 2020" not in names
    assert "Fourth quarter 2018" in names


def trade(pnl: float, *, held: int = 5, costs: float = 1.0) -> Trade:
    return Trade(
        symbol="AAA", is_long=True, entry_session=days(1)[0], exit_session=days(2)[1],
        sessions_held=held, quantity=10.0, entry_price=100.0, exit_price=100.0 + pnl / 10,
        pnl=pnl, costs=costs, return_on_entry=pnl / 1000.0, exit_reason="signal",
    )  # fmt: skip


def of(*pnls: float) -> Sequence[Trade]:
    return [trade(each, held=place + 1) for place, each in enumerate(pnls)]


def test_round_trips_by_hand() -> None:
    found = round_trip_statistics(of(100.0, -20.0, -30.0, 0.0, 50.0, -50.0))
    assert (found.count, found.longest_losing_streak) == (6, 2)
    assert found.hit_rate == pytest.approx(2 / 6)
    assert found.profit_factor == pytest.approx(150 / 100)
    assert found.average_win == pytest.approx(0.075)
    assert found.average_loss == pytest.approx(0.1 / 3)
    assert found.payoff_ratio == pytest.approx(2.25)
    assert found.average_return == pytest.approx(0.05 / 6)
    assert found.average_sessions_held == pytest.approx(3.5)
    assert (found.best, found.worst) == (0.1, -0.05)
    assert (found.pnl, found.costs) == (50.0, 6.0)


def test_round_trips_of_no_trades_are_undefined() -> None:
    found = round_trip_statistics(())
    assert (found.count, found.longest_losing_streak, found.pnl) == (0, 0, 0.0)
    for value in (found.hit_rate, found.profit_factor, found.best, found.average_sessions_held):
        assert math.isnan(value)


def test_trades_that_all_gained_have_no_profit_factor() -> None:
    found = round_trip_statistics(of(1.0, 2.0))
    assert found.hit_rate == 1.0
    assert math.isnan(found.profit_factor)
    assert math.isnan(found.average_loss)
