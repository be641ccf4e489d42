"""Which capital tier an account is in: a fold over its equity with a band about every threshold."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from slices.domain.tiers import CapitalTier, TierStanding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.accounts import AccountBook
    from slices.domain.tiers import CapitalTiers

TIERS = tuple(CapitalTier)


def starting_tier(equity: float, tiers: CapitalTiers) -> CapitalTier:
    """Return the tier of an account without a past: by the thresholds alone.

    >>> from slices.domain.tiers import CapitalTiers
    >>> starting_tier(5_000, CapitalTiers()).value
    'small'
    """
    return TIERS[sum(equity >= each for each in tiers.thresholds)]


def next_tier(tier: CapitalTier, equity: float, tiers: CapitalTiers) -> CapitalTier:
    """Return the tier after one more session.

    A threshold counts as passed upwards from `threshold * (1 + band)` on, and downwards below
    `threshold * (1 - band)`; in between everything stays as it is.

    >>> from slices.domain.tiers import CapitalTiers
    >>> [next_tier(CapitalTier.SMALL, e, CapitalTiers()).value for e in (4_499, 4_500, 28_000)]
    ['micro', 'small', 'medium']
    """
    least = sum(equity >= each * (1 + tiers.band) for each in tiers.thresholds)
    most = sum(equity >= each * (1 - tiers.band) for each in tiers.thresholds)
    return TIERS[min(max(tier.rank, least), most)]


def tier_path(equities: Sequence[float], tiers: CapitalTiers) -> tuple[CapitalTier, ...]:
    """Return the tier after every session.

    Args:
        equities: T account values.
        tiers: Thresholds and band.

    Returns:
        T tiers.
    """
    if not equities:
        return ()
    start = starting_tier(equities[0], tiers)
    return tuple(
        accumulate(equities[1:], lambda tier, equity: next_tier(tier, equity, tiers), initial=start)
    )


def tier_standing(book: AccountBook, tiers: CapitalTiers) -> TierStanding:
    """Say which tier an account is in, and which positions are beyond what it allows."""
    equities = [float(each.equity) for each in book.curve] or [float(book.equity)]
    path = tier_path(equities, tiers)
    tier, equity = path[-1], float(book.equity)
    rules = tiers.rules(tier)
    by_size = sorted(book.positions, key=lambda each: (abs(each.value), each.symbol))
    beyond = max(0, len(by_size) - rules.positions)
    heavy = rules.largest_weight * equity
    return TierStanding(
        tier=tier,
        rules=rules,
        equity=equity,
        up_from=_threshold(tiers, tier.rank, 1 + tiers.band),
        down_below=_threshold(tiers, tier.rank - 1, 1 - tiers.band),
        changes=sum(earlier is not later for earlier, later in pairwise(path)),
        positions=len(by_size),
        excess=tuple(each.symbol for each in by_size[:beyond]),
        too_heavy=tuple(each.symbol for each in by_size if abs(float(each.value)) > heavy),
    )


def _threshold(tiers: CapitalTiers, place: int, factor: float) -> float:
    inside = 0 <= place < len(tiers.thresholds)
    return tiers.thresholds[place] * factor if inside else math.nan
