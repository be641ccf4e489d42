"""Ports: what the system asks of the outside world, and the values that cross."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass fields are resolved at run time
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from slices.domain.bars import Adjustment, BarShape


@dataclass(frozen=True, kw_only=True)
class SourceCapabilities:
    """What a source can deliver.

    Attributes:
        shape: Columns its bars have.
        adjustments: Adjustments that can be produced from what it delivers.
        remote: Whether it is reached over a network, so that its answers age.
    """

    shape: BarShape
    adjustments: tuple[Adjustment, ...]
    remote: bool


@dataclass(frozen=True, kw_only=True)
class SourceBars:
    """One symbol's history as a source delivered it, before validation.

    Attributes:
        symbol: The symbol asked for.
        bars: Columns session (date) and the values of the source's shape, plus `split_factor`
            and `total_factor`: what a price of this row, as delivered, is multiplied by to be
            split-adjusted, or split- and dividend-adjusted. Null where the source does not know.
        basis: The adjustment of the prices as delivered.
        actions_known: Whether the source says where splits are, so that a jump without one is
            a real move.
    """

    symbol: str
    bars: pl.DataFrame
    basis: Adjustment
    actions_known: bool


class BarSource(Protocol):
    """A place that has bars."""

    name: str
    feed: str
    calendar: str
    universe_note: str
    capabilities: SourceCapabilities

    def symbols(self) -> tuple[str, ...]:
        """List what it has, sorted; empty where a source cannot say."""
        ...

    def version(self) -> str:
        """Digest what it would deliver, for a local source; empty for a remote one."""
        ...

    def fetch(self, symbol: str, *, start: dt.date | None, end: dt.date | None) -> SourceBars:
        """Fetch one symbol's history, `start` and `end` included.

        Raises:
            SymbolNotFoundError: The source does not have the symbol.
            SourceError: It did not deliver; `retryable` says whether to try again.
            BadDataError: It delivered something that is not bars.
        """
        ...
