from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.analyze.levels import levels
from slices.analyze.series import SymbolBars
from slices.analyze.swings import swings
from slices.domain.analyses import LevelRole
from tests.slices.analyze.bars import bars_of, closes_only, rescaled, still, walk


@given(
    st.lists(st.floats(min_value=-0.08, max_value=0.08), min_size=2, max_size=150),
    st.integers(min_value=2, max_value=5),
)
def test_levels_lie_within_the_range_of_prices(changes: list[float], confirmation: int) -> None:
    bars = bars_of(100 * np.exp(np.cumsum(changes)))
    for each in levels(bars, confirmation=confirmation):
        assert bars.close.min() <= each.low <= each.price <= each.high <= bars.close.max()
        assert each.touches >= 2
        assert 0 < each.strength <= each.touches
        assert (each.role is LevelRole.SUPPORT) == (each.price <= bars.close[-1])
        assert each.distance == pytest.approx(each.price / bars.close[-1] - 1)


def test_a_price_that_turns_at_the_same_two_prices_has_these_levels() -> None:
    wave = 100 + 10 * np.sin(np.arange(300) * 2 * math.pi / 40)
    found = levels(bars_of(wave))
    assert [each.role for each in found] == [LevelRole.SUPPORT, LevelRole.RESISTANCE] or [
        each.role for each in found
    ] == [LevelRole.RESISTANCE, LevelRole.SUPPORT]
    by_role = {each.role: each for each in found}
    assert by_role[LevelRole.SUPPORT].price == pytest.approx(90.0)
    assert by_role[LevelRole.RESISTANCE].price == pytest.approx(110.0)
    assert by_role[LevelRole.SUPPORT].touches == 7


def test_no_cluster_is_wider_than_one_and_a_half_deviations(ibm: SymbolBars) -> None:
    deviation = np.diff(np.log(ibm.close[-504:])).std(ddof=1)
    found = levels(ibm, most=99)
    assert found
    assert all(math.log(each.high / each.low) <= 1.5 * deviation * (1 + 1e-12) for each in found)


def test_touches_are_the_confirmed_swings_of_the_last_two_years(ibm: SymbolBars) -> None:
    prices = [each.price for each in swings(ibm) if each.place >= len(ibm) - 504]
    found = levels(ibm, most=99)
    for each in found:
        assert each.touches == sum(each.low <= price <= each.high for price in prices)


def test_levels_are_nearest_first_and_the_strongest_of_each_side(ibm: SymbolBars) -> None:
    every, two = levels(ibm, most=99), levels(ibm, most=2)
    assert [abs(x.distance) for x in two] == sorted(abs(x.distance) for x in two)
    for role in LevelRole:
        strengths = sorted((x.strength for x in every if x.role is role), reverse=True)
        kept = sorted((x.strength for x in two if x.role is role), reverse=True)
        assert kept == strengths[:2]


def test_newer_touches_make_a_level_stronger() -> None:
    wave = 100 + 10 * np.sin(np.arange(300) * 2 * math.pi / 40)
    fresh = levels(bars_of(wave))
    old = levels(bars_of(np.concatenate([wave, np.full(126, 100.0)])))
    strength = {each.role: each.strength for each in fresh}
    for each in old:
        assert each.strength == pytest.approx(strength[each.role] / 2, rel=1e-6)


def test_the_last_bars_confirm_nothing_yet() -> None:
    wave = 100 + 10 * np.sin(np.arange(300) * 2 * math.pi / 40)
    spiked = np.concatenate([wave, [150.0, 100.0, 150.0, 100.0]])
    assert all(each.price < 120 for each in levels(bars_of(spiked)))


def test_the_unit_of_prices_scales_levels(ibm: SymbolBars) -> None:
    one, other = levels(ibm), levels(rescaled(ibm, 4.0))
    assert [x.price * 4 for x in one] == pytest.approx([x.price for x in other])
    assert [x.distance for x in one] == pytest.approx([x.distance for x in other])
    assert [x.strength for x in one] == pytest.approx([x.strength for x in other])


def test_closes_make_levels_of_closes() -> None:
    bars = closes_only(walk())
    prices = set(bars.close.tolist())
    found = levels(bars)
    assert found
    assert all(each.low in prices and each.high in prices for each in found)


@pytest.mark.parametrize("bars", [still(), walk().until(5), walk().until(12)])
def test_without_two_swings_that_agree_there_is_no_level(bars: SymbolBars) -> None:
    assert levels(bars) == ()
