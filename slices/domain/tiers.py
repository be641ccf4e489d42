"""Capital tiers: how many strategies and positions an account of a size should carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from slices.domain.parameters import Fraction, ParameterGroup, RebalanceFrequency


class CapitalTier(StrEnum):
    """Sizes of accounts, rising."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def rank(self) -> int:
        """0 for the smallest."""
        return list(CapitalTier).index(self)


@dataclass(frozen=True, kw_only=True)
class TierRules:
    """What an account of one tier should keep to.

    Attributes:
        strategies: How many at most.
        positions: How many at most.
        largest_weight: Of one position, as a fraction of equity.
        rebalance: How often at most.
        fractional: Whether parts of shares are worth holding.
    """

    strategies: int
    positions: int
    largest_weight: float
    rebalance: RebalanceFrequency
    fractional: bool


def _split(value: object) -> object:
    return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


Counts = Annotated[
    list[Annotated[int, Field(ge=1, le=2000)]],
    BeforeValidator(_split),
    Field(min_length=4, max_length=4),
]
Weights = Annotated[
    list[Annotated[float, Field(gt=0, le=1)]],
    BeforeValidator(_split),
    Field(min_length=4, max_length=4),
]
Frequencies = Annotated[
    list[RebalanceFrequency], BeforeValidator(_split), Field(min_length=4, max_length=4)
]
Thresholds = Annotated[
    list[Annotated[float, Field(gt=0, le=1e12)]],
    BeforeValidator(_split),
    Field(min_length=3, max_length=3),
]


class CapitalTiers(ParameterGroup):
    """Where tiers begin and what each allows; lists go from micro to large."""

    thresholds: Thresholds = Field(
        default=[5_000.0, 25_000.0, 250_000.0],
        description="Equity at which small, medium and large begin, rising, such as"
        " 5000,25000,250000.",
    )
    band: Fraction = Field(
        default=0.1, lt=1, description="Up beyond a threshold times 1 + band, down below it times"
        " 1 - band."
    )  # fmt: skip
    strategies: Counts = Field(default=[1, 2, 4, 8], description="Most strategies at once.")
    positions: Counts = Field(default=[3, 8, 20, 50], description="Most positions at once.")
    largest_weight: Weights = Field(
        default=[0.5, 0.35, 0.25, 0.15], description="Largest weight of one position."
    )
    rebalance: Frequencies = Field(
        default=["quarterly", "monthly", "weekly", "weekly"],
        description="How often weights are traded at most.",
    )
    fractional: Annotated[
        list[bool], BeforeValidator(_split), Field(min_length=4, max_length=4)
    ] = Field(default=[True, True, False, False], description="Whether parts of shares are held.")

    @field_validator("thresholds")
    @classmethod
    def _rising(cls, thresholds: list[float]) -> list[float]:
        if any(later <= earlier for earlier, later in pairwise(thresholds)):
            message = "thresholds that rise"
            raise ValueError(message)
        return thresholds

    def rules(self, tier: CapitalTier) -> TierRules:
        """Return what one tier allows.

        >>> CapitalTiers().rules(CapitalTier.SMALL).positions
        8
        """
        place = tier.rank
        return TierRules(
            strategies=self.strategies[place],
            positions=self.positions[place],
            largest_weight=self.largest_weight[place],
            rebalance=self.rebalance[place],
            fractional=self.fractional[place],
        )


DEFAULT_TIERS = CapitalTiers()


@dataclass(frozen=True, kw_only=True)
class TierStanding:
    """The tier of an account and what it means.

    Attributes:
        tier: After the whole equity path.
        equity: Newest.
        up_from: Equity at which the next tier begins; NaN in the largest.
        down_below: Equity below which the tier before takes over; NaN in the smallest.
        changes: How often the tier changed along the path.
        positions: How many the account has.
        excess: Symbols held beyond the tier's number of positions: the smallest, smallest first.
        too_heavy: Symbols above the tier's largest weight.
    """

    tier: CapitalTier
    rules: TierRules
    equity: float
    up_from: float
    down_below: float
    changes: int
    positions: int
    excess: tuple[str, ...]
    too_heavy: tuple[str, ...]
