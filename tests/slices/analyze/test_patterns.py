from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from slices.analyze.evidence import (
    difference_t_statistics,
    forward_returns,
    pattern_evidence,
)
from slices.analyze.formations import formation_marks
from slices.analyze.marks import Marks
from slices.analyze.patterns import pattern_marks, patterns_left_out, recent_sightings
from slices.analyze.series import SymbolBars
from slices.analyze.swings import swings
from slices.domain.analyses import Direction, PatternGroup
from tests.slices.analyze.bars import (
    bars_of,
    candles,
    closes_only,
    disturbed,
    rescaled,
    still,
    walk,
)

NAMES = [each.pattern.name for each in pattern_marks(walk())]


def marked(bars: SymbolBars, name: str) -> list[int]:
    found = {each.pattern.name: each for each in pattern_marks(bars)}
    return np.flatnonzero(found[name].known).tolist()


def test_there_are_many_patterns_each_with_its_own_name_and_meaning() -> None:
    patterns = [each.pattern for each in pattern_marks(walk())]
    assert len(set(NAMES)) == len(NAMES) >= 40
    assert {each.group for each in patterns} == set(PatternGroup)
    assert all(each.meaning and each.title for each in patterns)


@pytest.mark.parametrize("stop", [30, 260, 301, 487, 599])
def test_no_pattern_knows_later_bars(stop: int) -> None:
    bars = walk()
    whole, cut, changed = (
        pattern_marks(x) for x in (bars, bars.until(stop), disturbed(bars, stop))
    )
    for one, other, third in zip(whole, cut, changed, strict=True):
        np.testing.assert_array_equal(one.known[:stop], other.known)
        np.testing.assert_array_equal(one.known[:stop], third.known[:stop])
        assert one.sightings(bars, since=0)[: other.known.sum()] == other.sightings(bars, since=0)


def test_the_unit_of_prices_changes_no_pattern() -> None:
    bars = walk()
    for one, other in zip(pattern_marks(bars), pattern_marks(rescaled(bars, 8.0)), strict=True):
        np.testing.assert_array_equal(one.known, other.known)


def test_prices_that_never_move_show_no_direction() -> None:
    for each in pattern_marks(still()):
        assert not each.known.any() or each.pattern.group is PatternGroup.CANDLE


def test_no_bars_have_no_patterns() -> None:
    assert pattern_marks(walk().until(0)) == ()


def test_closes_alone_show_breakouts_and_formations_and_say_what_is_left_out() -> None:
    bars = closes_only(walk())
    groups = {each.pattern.group for each in pattern_marks(bars)}
    assert groups == {PatternGroup.BREAKOUT, PatternGroup.FORMATION}
    assert len(patterns_left_out(bars)) == 4
    assert patterns_left_out(walk()) == ()


def test_an_engulfing_points_where_its_body_does() -> None:
    falling = [(100.0 - i, 100.6 - i, 98.4 - i, 99.0 - i) for i in range(20)]
    bars = candles([*falling, (79.5, 82.5, 79.0, 82.0)])
    assert marked(bars, "engulfing_bullish") == [20]
    assert marked(bars, "engulfing_bearish") == []


def test_gaps_lie_wholly_beyond_the_bar_before() -> None:
    bars = candles([(10, 11, 9, 10), (11.5, 12, 11.1, 12), (12, 12.5, 11, 12), (10, 10.9, 9, 10)])
    assert marked(bars, "gap_up") == [1]
    assert marked(bars, "gap_down") == [3]


def test_inside_and_outside_bars() -> None:
    bars = candles([(10, 12, 8, 10), (10, 11, 9, 10), (10, 12, 8, 10), (10, 12, 8, 10)])
    assert marked(bars, "inside_bar") == [1]
    assert marked(bars, "outside_bar") == [2]


def naive_breakouts(bars: SymbolBars, sessions: int) -> list[int]:
    above = [
        t >= sessions and bars.close[t] > max(bars.highs[t - sessions : t])
        for t in range(len(bars))
    ]
    return [t for t in range(len(bars)) if above[t] and not above[t - 1]]


def test_a_breakout_is_the_first_close_above_the_bars_before(ibm: SymbolBars) -> None:
    for sessions in (20, 252):
        heavy = marked(ibm, f"breakout_up_{sessions}_on_volume")
        usual = marked(ibm, f"breakout_up_{sessions}")
        assert sorted([*heavy, *usual]) == naive_breakouts(ibm, sessions)
        assert set(heavy).isdisjoint(usual)
        assert ibm.volume is not None
        for t in heavy:
            assert ibm.volume[t] >= 1.5 * ibm.volume[t - 20 : t].mean()


def test_the_price_a_breakout_went_beyond_is_told(ibm: SymbolBars) -> None:
    marks = next(x for x in pattern_marks(ibm) if x.pattern.name == "breakout_up_20")
    first = marks.sightings(ibm, since=0)[0]
    place = ibm.sessions.index(first.session)
    assert first.direction is Direction.BULLISH
    assert f"{ibm.close[place]:,.2f}" in first.detail
    assert f"{max(ibm.highs[place - 20 : place]):,.2f}" in first.detail


def naive_swings(values: np.ndarray, k: int) -> list[int]:
    return [
        i
        for i in range(k, values.size - k)
        if all(values[i] > values[i - j] for j in range(1, k + 1))
        and all(values[i] >= values[i + j] for j in range(1, k + 1))
    ]


@given(
    st.lists(st.integers(min_value=90, max_value=99), min_size=1, max_size=60),
    st.integers(min_value=2, max_value=6),
)
def test_swings_are_those_a_plain_search_finds(prices: list[int], k: int) -> None:
    bars = bars_of([float(each) for each in prices])
    found = swings(bars, confirmation=k)
    assert [x.place for x in found if x.is_high] == naive_swings(bars.close, k)
    assert [x.place for x in found if not x.is_high] == naive_swings(-bars.close, k)
    assert all(x.known == x.place + k and x.price == bars.close[x.place] for x in found)


def twin_peaks(last: float) -> SymbolBars:
    """Noise, a rise to 120, a fall to 110, a rise to 120, and a fall to a last close."""
    noise = 100 + np.tile([0.0, 0.4], 40)
    legs = [(100, 120, 12), (120, 110, 9), (110, 119.9, 9), (119.9, last, 12)]
    closes = np.concatenate([noise, *(np.linspace(a, b, n)[1:] for a, b, n in legs)])
    return bars_of(closes)


def test_a_double_top_is_complete_at_the_first_close_below_its_trough() -> None:
    bars = twin_peaks(104.0)
    done, forming = formation_marks(bars)[:2]
    (place,) = np.flatnonzero(done.known)
    assert bars.close[place] < 110 <= bars.close[place - 1]
    (sighting,) = done.sightings(bars, since=0)
    assert sighting.session == bars.sessions[int(np.flatnonzero(bars.close == 119.9)[0])]
    assert sighting.known_session == bars.sessions[place] > sighting.session
    (begun,) = np.flatnonzero(forming.known)
    assert bars.sessions[begun - 5] == sighting.session


def test_a_double_top_that_holds_stays_forming() -> None:
    done, forming = formation_marks(twin_peaks(112.0))[:2]
    assert not done.known.any()
    assert forming.known.sum() == 1


def test_a_double_bottom_is_a_double_top_upside_down() -> None:
    bars = twin_peaks(104.0)
    flipped = bars_of(10_000.0 / bars.close)
    top, top_forming, bottom, bottom_forming = formation_marks(bars)[:4]
    other = formation_marks(flipped)
    np.testing.assert_array_equal(top.known, other[2].known)
    np.testing.assert_array_equal(top_forming.known, other[3].known)
    np.testing.assert_array_equal(bottom.known, other[0].known)
    np.testing.assert_array_equal(bottom_forming.known, other[1].known)


def test_rising_swings_are_higher_highs_and_lows() -> None:
    wave = np.arange(200) * 0.2 + 5 * np.sin(np.arange(200) / 6)
    rising, falling = formation_marks(bars_of(100 + wave))[-2:]
    assert rising.known.sum() == 1
    assert not falling.known.any()
    rising, falling = formation_marks(bars_of(100 - 0.4 * wave))[-2:]
    assert falling.known.sum() == 1


def test_forward_returns_buy_at_the_next_fill_and_sell_five_sessions_later(
    ibm: SymbolBars,
) -> None:
    made = forward_returns(ibm)
    assert ibm.open is not None
    assert made[100] == pytest.approx(ibm.open[106] / ibm.open[101] - 1)
    assert np.isnan(made[-6:]).all()
    assert np.isfinite(made[:-6]).all()
    assert np.isnan(forward_returns(walk().until(6))).all()


def test_t_statistics_are_those_of_a_regression_with_robust_errors(ibm: SymbolBars) -> None:
    made = forward_returns(ibm)[:-6]
    marks = [each.known[:-6] for each in pattern_marks(ibm) if each.known[:-6].sum() >= 10]
    found = difference_t_statistics(made, np.array(marks), lags=5)
    for known, statistic in zip(marks, found, strict=True):
        fit = sm.OLS(made, sm.add_constant(known.astype(float))).fit(
            cov_type="HAC", cov_kwds={"maxlags": 5, "use_correction": False}
        )
        assert statistic == pytest.approx(fit.tvalues[1], rel=1e-6)


def test_evidence_counts_complete_windows_alone(ibm: SymbolBars) -> None:
    marks = pattern_marks(ibm)
    made = forward_returns(ibm)
    for each in pattern_evidence(ibm, marks):
        known = next(x.known for x in marks if x.pattern.name == each.name)
        after = made[known & np.isfinite(made)]
        assert each.count == after.size > 0
        assert each.mean_forward_return == pytest.approx(after.mean())
        assert each.unconditional_mean == pytest.approx(np.nanmean(made))
        assert np.isnan(each.t_statistic) == (after.size < 10)
        if each.direction is Direction.BEARISH:
            assert each.hit_rate == pytest.approx((after < 0).mean())


def test_a_pattern_of_the_last_sessions_has_no_evidence_yet() -> None:
    bars = walk(100)
    known = np.zeros(100, dtype=bool)
    known[95:] = True
    mark = Marks(pattern=pattern_marks(bars)[0].pattern, known=known)
    assert pattern_evidence(bars, (mark,)) == ()


def test_a_mark_on_every_bar_or_none_has_no_statistic() -> None:
    returns = forward_returns(walk(100))[:-6]
    known = np.array([np.ones(94, dtype=bool), np.zeros(94, dtype=bool)])
    assert np.isnan(difference_t_statistics(returns, known, lags=5)).all()


def test_recent_sightings_are_newest_first_and_only_recent(ibm: SymbolBars) -> None:
    found = recent_sightings(ibm, pattern_marks(ibm), sessions=10)
    known = [each.known_session for each in found]
    assert known == sorted(known, reverse=True)
    assert min(known) >= ibm.sessions[-10]
    assert len(found) == sum(int(each.known[-10:].sum()) for each in pattern_marks(ibm))
