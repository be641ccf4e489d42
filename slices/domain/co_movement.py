"""How the symbols of a market move together."""

from __future__ import annotations

from dataclasses import dataclass

from slices.domain.analyses import NotComputed
from slices.domain.portfolio import Diversification


@dataclass(frozen=True, kw_only=True)
class CorrelatedPair:
    """Two symbols and the correlation of their returns."""

    first: str
    second: str
    correlation: float


@dataclass(frozen=True, kw_only=True)
class MarketStructure:
    """How the symbols of a market moved together over its newest sessions.

    Attributes:
        structure: Of the symbols that have enough bars there.
        most_alike: Pairs with the highest correlations, highest first.
        least_alike: Pairs with the lowest, lowest first.
        left_out: Symbols without enough bars, with the reason.
    """

    structure: Diversification
    most_alike: tuple[CorrelatedPair, ...]
    least_alike: tuple[CorrelatedPair, ...]
    left_out: tuple[NotComputed, ...] = ()
