from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from slices.adaptive_portfolio.stops.levels import (
    Guarded,
    Track,
    average_ranges,
    first_hit,
    levels_of,
)
from slices.domain.stops import Stop, StopKind

DAY = dt.date(2020, 1, 1)


def walk(seed: int, count: int = 80) -> Track:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.03, count)))
    high = close * (1 + random.uniform(0, 0.03, count))
    low = close * (1 - random.uniform(0, 0.03, count))
    return Track(
        sessions=tuple(DAY + dt.timedelta(days=i) for i in range(count)),
        close=close,
        high=high,
        low=low,
        ranges=average_ranges(high, low, close),
    )


def turned_over(track: Track) -> Track:
    """The same market seen from below: every price mirrored at a constant."""
    top = 2 * float(track.high.max())
    return Track(
        sessions=track.sessions,
        close=top - track.close,
        high=top - track.low,
        low=top - track.high,
        ranges=track.ranges,
    )


def stop(kind: StopKind, **given: object) -> Stop:
    return Stop(stop_id="s", account="a", symbol="X", kind=kind, armed=DAY, **given)


STOPS = (
    stop(StopKind.FIXED, level=Decimal(90)),
    stop(StopKind.TARGET, level=Decimal(112)),
    stop(StopKind.TRAILING, trail=0.08),
    stop(StopKind.ATR, multiple=2.0),
)


@given(st.integers(0, 2**32 - 1))
def test_average_ranges_are_those_of_an_independent_library(seed: int) -> None:
    track = walk(seed)
    expected = talib.ATR(track.high, track.low, track.close, timeperiod=14)
    assert np.allclose(track.ranges, expected, rtol=1e-10, equal_nan=True)


def plain_level(wanted: Stop, track: Track, guarded: Guarded, t: int) -> float:
    """The level of bar t, written down from its definition for a long position."""
    since = range(guarded.first, t)
    match wanted.kind:
        case StopKind.TRAILING:
            best = max([guarded.reference, *(track.high[i] for i in since)])
            return best * (1 - wanted.trail)
        case StopKind.ATR:
            best = max([guarded.reference, *(track.close[i] for i in since)])
            return best - wanted.multiple * track.ranges[t - 1]
        case _:
            return float(wanted.level)


@pytest.mark.parametrize("wanted", STOPS, ids=lambda each: each.kind.value)
@given(seed=st.integers(0, 2**32 - 1), first=st.integers(20, 70))
def test_the_first_bar_at_its_level_is_the_hit(wanted: Stop, seed: int, first: int) -> None:
    track = walk(seed)
    guarded = Guarded(sign=1, first=first, reference=float(track.close[first - 1]))
    levels = levels_of(wanted, track, guarded)
    expected = None
    for t in range(first, 80):
        level = plain_level(wanted, track, guarded, t)
        assert levels[t - first] == pytest.approx(level, rel=1e-12)
        is_target = wanted.kind is StopKind.TARGET
        if (track.high[t] >= level) if is_target else (track.low[t] <= level):
            expected = t
            break
    assert first_hit(wanted, track, guarded, levels) == expected


@pytest.mark.parametrize("wanted", STOPS, ids=lambda each: each.kind.value)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_level_knows_its_own_bar_or_a_later_one(wanted: Stop, seed: int) -> None:
    track, other = walk(seed), walk(seed + 1)
    cut = 50
    mixed = Track(
        sessions=track.sessions,
        close=np.concatenate([track.close[:cut], other.close[cut:]]),
        high=np.concatenate([track.high[:cut], other.high[cut:]]),
        low=np.concatenate([track.low[:cut], other.low[cut:]]),
        ranges=np.concatenate([track.ranges[:cut], other.ranges[cut:]]),
    )
    guarded = Guarded(sign=1, first=30, reference=100.0)
    before, after = (levels_of(wanted, each, guarded)[: cut - 30 + 1] for each in (track, mixed))
    assert np.array_equal(before, after)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_short_position_is_the_long_one_turned_over(seed: int) -> None:
    track = walk(seed)
    mirror = turned_over(track)
    top = 2 * float(track.high.max())
    wanted = stop(StopKind.ATR, multiple=2.0)
    long = Guarded(sign=1, first=30, reference=float(track.close[29]))
    short = Guarded(sign=-1, first=30, reference=float(mirror.close[29]))
    levels, turned = levels_of(wanted, track, long), levels_of(wanted, mirror, short)
    assert np.allclose(top - levels, turned, rtol=1e-9)
    assert first_hit(wanted, track, long, levels) == first_hit(wanted, mirror, short, turned)


def test_a_trailing_stop_of_a_short_position_follows_the_lows() -> None:
    prices = np.array([100.0, 90.0, 80.0, 87.0, 89.0])
    track = Track(
        sessions=tuple(DAY + dt.timedelta(days=i) for i in range(5)),
        close=prices, high=prices, low=prices, ranges=np.full(5, math.nan),
    )  # fmt: skip
    guarded = Guarded(sign=-1, first=1, reference=100.0)
    levels = levels_of(stop(StopKind.TRAILING, trail=0.1), track, guarded)
    assert levels.tolist() == pytest.approx([110.0, 99.0, 88.0, 88.0, 88.0])
    assert first_hit(stop(StopKind.TRAILING, trail=0.1), track, guarded, levels) == 4


def test_a_touch_is_enough_and_a_split_moves_the_level() -> None:
    prices = np.array([100.0, 50.0, 45.0])
    track = Track(
        sessions=tuple(DAY + dt.timedelta(days=i) for i in range(3)),
        close=prices, high=prices, low=prices, ranges=np.full(3, math.nan),
    )  # fmt: skip
    wanted = stop(StopKind.FIXED, level=Decimal(90))
    halved = Guarded(sign=1, first=1, reference=100.0, ratio=0.5)
    levels = levels_of(wanted, track, halved)
    assert levels.tolist() == [45.0, 45.0, 45.0]
    assert first_hit(wanted, track, halved, levels) == 2
