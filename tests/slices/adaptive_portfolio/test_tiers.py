from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from slices.adaptive_portfolio.tiers import next_tier, starting_tier, tier_path, tier_standing
from slices.domain.accounts import AccountBook, Position, TradingMode
from slices.domain.tiers import CapitalTier, CapitalTiers

equities = st.floats(1, 1e7)
paths = st.lists(equities, min_size=1, max_size=40)
bands = st.floats(0, 0.6)


@st.composite
def tier_rules(draw: st.DrawFn) -> CapitalTiers:
    found = draw(st.lists(st.floats(10, 1e6), min_size=3, max_size=3, unique=True))
    return CapitalTiers(thresholds=sorted(found), band=draw(bands))


def stepped(tier: CapitalTier, equity: float, tiers: CapitalTiers) -> CapitalTier:
    """Move one threshold at a time, the way the rule is told."""
    order, place = list(CapitalTier), list(CapitalTier).index(tier)
    while place < 3 and equity >= tiers.thresholds[place] * (1 + tiers.band):
        place += 1
    while place > 0 and equity < tiers.thresholds[place - 1] * (1 - tiers.band):
        place -= 1
    return order[place]


@given(tier=st.sampled_from(CapitalTier), equity=equities, tiers=tier_rules())
def test_it_moves_like_a_rule_told_threshold_by_threshold(
    tier: CapitalTier, equity: float, tiers: CapitalTiers
) -> None:
    assert next_tier(tier, equity, tiers) is stepped(tier, equity, tiers)


@given(tier=st.sampled_from(CapitalTier), equity=equities, tiers=tier_rules())
def test_the_same_equity_once_more_changes_nothing(
    tier: CapitalTier, equity: float, tiers: CapitalTiers
) -> None:
    once = next_tier(tier, equity, tiers)
    assert next_tier(once, equity, tiers) is once


@given(level=st.integers(0, 2), shifts=st.lists(st.floats(-1, 1), max_size=30), tiers=tier_rules())
def test_inside_the_band_of_a_threshold_nothing_flaps(
    level: int, shifts: list[float], tiers: CapitalTiers
) -> None:
    threshold = tiers.thresholds[level]
    others = [each for each in tiers.thresholds if each != threshold]
    assume(all(abs(each / threshold - 1) > 3 * tiers.band + 1e-9 for each in others))
    path = [threshold * (1 + shift * tiers.band * 0.999) for shift in shifts]
    reached = tier_path([threshold, *path], tiers)
    assert set(reached) == {reached[0]}


@given(
    first=equities, more=st.floats(0, 1e6), tier=st.sampled_from(CapitalTier), tiers=tier_rules()
)
def test_more_equity_never_means_a_smaller_tier(
    first: float, more: float, tier: CapitalTier, tiers: CapitalTiers
) -> None:
    assert next_tier(tier, first + more, tiers).rank >= next_tier(tier, first, tiers).rank
    assert starting_tier(first + more, tiers).rank >= starting_tier(first, tiers).rank


@given(path=paths, tiers=tier_rules())
def test_a_tier_depends_on_the_past_alone_and_changes_only_beyond_the_band(
    path: list[float], tiers: CapitalTiers
) -> None:
    whole = tier_path(path, tiers)
    assert whole[0] is starting_tier(path[0], tiers)
    assert tier_path(path[: len(path) // 2 + 1], tiers) == whole[: len(path) // 2 + 1]
    for equity, (before, after) in zip(path[1:], pairwise(whole), strict=True):
        if after.rank > before.rank:
            assert equity >= tiers.thresholds[after.rank - 1] * (1 + tiers.band)
        if after.rank < before.rank:
            assert equity < tiers.thresholds[after.rank] * (1 - tiers.band)


@pytest.mark.parametrize(
    ("equity", "tier"),
    [
        (4_999.99, CapitalTier.MICRO),
        (5_000, CapitalTier.SMALL),
        (25_000, CapitalTier.MEDIUM),
        (249_999, CapitalTier.MEDIUM),
        (250_000, CapitalTier.LARGE),
    ],
)
def test_an_account_starts_by_the_thresholds_alone(equity: float, tier: CapitalTier) -> None:
    assert tier_path([equity], CapitalTiers()) == (tier,)


@pytest.mark.parametrize(
    "given_values",
    [
        {"thresholds": [5.0, 5.0, 6.0]},
        {"thresholds": [5.0, 6.0]},
        {"thresholds": "9,8,7"},
        {"band": 1.0},
        {"positions": [1, 2, 3]},
        {"positions": [0, 1, 2, 3]},
        {"largest_weight": [0.5, 0.5, 0.5, 1.5]},
        {"rebalance": ["weekly", "weekly", "weekly", "hourly"]},
        {"unknown": 1},
    ],
)
def test_what_is_no_table_of_tiers_is_refused(given_values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CapitalTiers.model_validate(given_values)


def test_lists_may_be_written_with_commas() -> None:
    tiers = CapitalTiers.model_validate(
        {"thresholds": "10,20,30", "positions": "1, 2,3,4", "fractional": "true,no,0,1"}
    )
    assert tiers.thresholds == [10.0, 20.0, 30.0]
    assert tiers.rules(CapitalTier.MICRO).positions == 1
    assert tiers.fractional == [True, False, False, True]


def held(symbol: str, value: int) -> Position:
    day = dt.date(2024, 1, 2)
    return Position(
        symbol=symbol, quantity=Decimal(value), basis=Decimal(value), mark=Decimal(1), marked=day,
        opened=day,
    )  # fmt: skip


def test_the_smallest_positions_are_the_ones_too_many() -> None:
    book = AccountBook(
        name="main", mode=TradingMode.PAPER, capital=Decimal(4000), opened=dt.date(2024, 1, 2),
        session=None, cash=Decimal(0), day_start_equity=Decimal(4000), peak_equity=Decimal(4000),
        positions=(held("A", 2500), held("B", 300), held("C", 200), held("D", 500), held("E", 500)),
    )  # fmt: skip
    standing = tier_standing(book, CapitalTiers())
    assert standing.tier is CapitalTier.MICRO
    assert standing.excess == ("C", "B")
    assert standing.too_heavy == ("A",)
    assert standing.up_from == pytest.approx(5_500)
    assert standing.down_below != standing.down_below  # NaN: there is no smaller tier
