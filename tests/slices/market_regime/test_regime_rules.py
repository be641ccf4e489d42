"""Regimes by rules: windows, hysteresis, minimum duration, and no look ahead."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slices.domain.errors import BadDataError, InsufficientHistoryError, ParameterError
from slices.domain.regimes import DEFAULT_REGIME_RULES, REGIMES, UNKNOWN, Regime, RegimeRules
from slices.market_regime.kernels import latched, settled
from slices.market_regime.rules import (
    evidence,
    rule_codes,
    running_deviation,
    trailing_deviation,
    trailing_drawdown,
    trailing_rank,
    trend_strength,
)
from slices.market_regime.series import ReturnSeries, index_series, series_of, symbol_series
from tests.slices.market_regime.regime_markets import panel_of, us_index, us_panel

RULES = DEFAULT_REGIME_RULES
SHORT = RegimeRules(
    trend_sessions=10, volatility_sessions=5, ranking_sessions=40, peak_sessions=20,
    minimum_sessions=4,
)  # fmt: skip
CRISIS = REGIMES.index(Regime.CRISIS)


def series(log_returns: np.ndarray) -> ReturnSeries:
    closes = 100 * np.exp(np.cumsum(np.concatenate([[0.0], log_returns])))
    return symbol_series(panel_of(closes, "A"), "A")


def codes_of(found: ReturnSeries, rules: RegimeRules = RULES) -> np.ndarray:
    return rule_codes(evidence(found, rules), rules)


def regimes_of(found: ReturnSeries, rules: RegimeRules = RULES) -> list[Regime]:
    return [REGIMES[code] for code in codes_of(found, rules) if code != UNKNOWN]


def test_windows_are_those_of_plain_loops() -> None:
    found = us_index()
    returns, levels = found.returns[:700], found.levels[:700]
    volatility = trailing_deviation(returns, 21)
    ranks, strengths = trailing_rank(volatility, 100), trend_strength(returns, 63)
    drawdowns, running = trailing_drawdown(levels, 50), running_deviation(returns)
    for t in (62, 150, 699):
        assert volatility[t] == pytest.approx(np.std(returns[t - 20 : t + 1], ddof=1), rel=1e-12)
        window = returns[t - 62 : t + 1]
        expected = window.sum() / (window.std(ddof=1) * 63**0.5)
        assert strengths[t] == pytest.approx(expected, rel=1e-12)
        assert drawdowns[t] == pytest.approx(1 - levels[t] / levels[max(t - 49, 0) : t + 1].max())
        assert running[t] == pytest.approx(np.std(returns[: t + 1], ddof=1), rel=1e-9)
    earlier = volatility[600:699]
    assert ranks[699] == pytest.approx(np.mean(earlier < volatility[699]))
    assert np.flatnonzero(np.isfinite(ranks))[0] == 20 + 49
    assert np.isnan(volatility[:20]).all()
    assert np.isnan(strengths[:62]).all()


def test_the_first_regime_comes_when_every_window_is_full() -> None:
    known = codes_of(us_index()) != UNKNOWN
    assert np.flatnonzero(known)[0] == RULES.needed_returns - 1
    assert known[RULES.needed_returns - 1 :].all()


def test_a_latch_needs_more_to_switch_on_than_to_stay_on() -> None:
    values = np.array([0.0, 0.5, 0.8, 0.5, 0.3, 0.1, 0.5, 0.9])
    assert latched(values > 0.7, values > 0.2).astype(int).tolist() == [0, 0, 1, 1, 1, 0, 0, 1]


def test_a_spell_lasts_and_only_the_urgent_code_cuts_it_short() -> None:
    codes = np.array([-1, 0, 1, 1, 1, 0, 6, 0, 0, 0, 0])
    assert settled(codes, 3, 6).tolist() == [-1, 0, 0, 0, 1, 1, 6, 6, 6, 0, 0]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.integers(1, 8))
def test_no_settled_spell_is_short_but_before_a_crisis_and_at_the_end(
    codes: list[int], minimum: int
) -> None:
    held = settled(np.array(codes), minimum, CRISIS)
    edges = [0, *(np.flatnonzero(np.diff(held)) + 1), held.size]
    for start, stop in itertools.pairwise(edges):
        cut_short = stop == held.size or held[stop] == CRISIS
        assert stop - start >= minimum or cut_short


def test_trends_are_told_apart() -> None:
    random = np.random.default_rng(1)
    noise = random.normal(0, 0.004, 400)
    noise -= noise.mean()
    for drift, names in ((0.002, "bull"), (-0.002, "bear")):
        found = regimes_of(series(noise + drift))
        assert all(each.startswith((names, "crisis")) for each in found)
    calm = np.tile([0.005, -0.005], 200)
    assert {each.split("_")[0] for each in regimes_of(series(calm))} == {"sideways"}


def test_a_storm_is_volatile_and_a_crash_a_crisis() -> None:
    random = np.random.default_rng(2)
    quiet = random.normal(0.0006, 0.006, 600)
    storm = np.where(np.arange(60) % 2, 0.02, -0.02) + 0.0006
    crash = np.where(np.arange(40) % 3, -0.03, 0.025)
    found = regimes_of(series(np.concatenate([quiet, storm])))
    assert found[-1] in (Regime.BULL_VOLATILE, Regime.SIDEWAYS_VOLATILE)
    assert Regime.CRISIS not in found
    assert regimes_of(series(np.concatenate([quiet, crash])))[-1] is Regime.CRISIS


def test_crises_of_the_index_of_twenty_names() -> None:
    found, codes = us_index(), codes_of(us_index())
    starts = np.flatnonzero((codes == CRISIS) & np.concatenate([[True], codes[:-1] != CRISIS]))
    assert [found.sessions[i] for i in starts] == [
        dt.date(1998, 8, 31),
        dt.date(2002, 7, 15),
        dt.date(2008, 7, 16),
        dt.date(2018, 12, 24),
        dt.date(2020, 3, 11),
    ]
    in_autumn = [
        codes[i] for i, day in enumerate(found.sessions)
        if dt.date(2008, 9, 15) <= day <= dt.date(2009, 3, 31)
    ]  # fmt: skip
    assert set(in_autumn) == {CRISIS}
    in_2017 = [codes[i] for i, day in enumerate(found.sessions) if day.year == 2017]
    assert all(REGIMES[code].endswith("quiet") for code in in_2017)


def test_regimes_do_not_flicker() -> None:
    codes = codes_of(us_index())
    codes = codes[codes != UNKNOWN]
    edges = np.flatnonzero(np.diff(codes)) + 1
    for start, stop in itertools.pairwise(edges):
        assert stop - start >= RULES.minimum_sessions or codes[stop] == CRISIS
    assert len(edges) < codes.size / 25


@given(st.integers(0, 2**32 - 1), st.integers(60, 299))
def test_cutting_off_the_future_changes_no_regime(seed: int, stop: int) -> None:
    random = np.random.default_rng(seed)
    returns = random.standard_t(3, 300) * 0.01
    other = np.concatenate([returns[:stop], random.standard_t(3, 300 - stop) * 0.05])
    whole = codes_of(series(returns), SHORT)
    assert np.array_equal(codes_of(series(returns[:stop]), SHORT), whole[:stop])
    assert np.array_equal(codes_of(series(other), SHORT)[:stop], whole[:stop])


def test_the_unit_of_prices_changes_nothing() -> None:
    panel = us_panel(stop=1500, symbols=4)
    dearer = panel_of(panel.close * 8.0, *panel.symbols)
    assert np.array_equal(codes_of(index_series(panel)), codes_of(index_series(dearer)))
    one, other = symbol_series(panel, "AAPL"), symbol_series(dearer, "AAPL")
    assert np.array_equal(codes_of(one), codes_of(other))


def test_the_order_of_symbols_changes_nothing() -> None:
    panel = us_panel(stop=900)
    panel.close[100:300, 3] = np.nan
    shuffled = panel.columns(np.random.default_rng(0).permutation(20).tolist())
    one, other = index_series(panel), index_series(shuffled)
    assert np.array_equal(one.returns, other.returns)
    assert np.array_equal(codes_of(one), codes_of(other))


def test_the_index_is_the_mean_of_the_returns_there_are() -> None:
    closes = np.array([[10.0, np.nan], [11.0, 5.0], [11.0, 6.0], [np.nan, 6.0], [12.1, 9.0]])
    found = index_series(panel_of(closes))
    assert found.simple == pytest.approx([0.1, 0.1, 0.0, 0.5])
    assert found.levels == pytest.approx([1.1, 1.21, 1.21, 1.815])
    assert found.returns == pytest.approx(np.log1p(found.simple))


def test_a_session_without_a_bar_takes_two_returns_and_no_level() -> None:
    closes = us_panel(stop=400, symbols=1).close[:, 0]
    holed = closes.copy()
    holed[[100, 250]] = np.nan
    found = symbol_series(panel_of(holed, "A"), "A")
    kept = np.setdiff1d(np.arange(1, 400), [100, 101, 250, 251])
    assert found.levels == pytest.approx(closes[kept])
    assert found.simple == pytest.approx(closes[kept] / closes[kept - 1] - 1)
    assert len(codes_of(found)) == kept.size


def test_sparse_short_or_still_series_are_refused() -> None:
    closes = us_panel(stop=400, symbols=1).close
    closes[50:350:15] = np.nan
    with pytest.raises(BadDataError, match="A: 10"):
        symbol_series(panel_of(closes, "A"), "A")
    with pytest.raises(ParameterError, match="symbol: found ZZZ; allowed: A"):
        series_of(panel_of(np.ones((9, 1)), "A"), "ZZZ")
    with pytest.raises(InsufficientHistoryError, match="A: needs 30 sessions of bars, found 9"):
        symbol_series(panel_of(np.ones((9, 1)), "A"), "A").check_usable(29)
    with pytest.raises(BadDataError, match="A: the level never changes"):
        symbol_series(panel_of(np.ones((9, 1)), "A"), "A").check_usable(5)
    empty = symbol_series(panel_of(np.full((9, 2), np.nan)), "A")
    with pytest.raises(InsufficientHistoryError, match="A: needs 6 sessions"):
        empty.check_usable(5)


def test_one_symbol_is_its_own_index() -> None:
    panel = us_panel(stop=400, symbols=1)
    assert series_of(panel, None).label == "AAPL"
    assert np.array_equal(series_of(panel, None).levels, panel.close[1:, 0])


def test_limits_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"volatile_leave 0.8 must not exceed"):
        RegimeRules(volatile_leave=0.8)
