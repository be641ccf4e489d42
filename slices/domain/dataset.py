"""References to datasets: what travels between tasks in place of large frames.

A dataset is one immutable Parquet file of checked bars. `read_bars` is the only way in, and it
proves that the file is the one the reference was made for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from slices.domain.bars import Adjustment, BarShape, check_bars
from slices.domain.errors import IntegrityError, counted
from slices.domain.fingerprint import LOCATION, bytes_digest


@runtime_checkable
class StoredContent(Protocol):
    """A value that stands for a file; a cached one is worth nothing unless the file is intact."""

    @property
    def path(self) -> str:
        """Where the file is."""
        ...

    def is_intact(self) -> bool:
        """Tell whether the file is still exactly the one referred to."""
        ...


@dataclass(frozen=True, kw_only=True)
class LargeMove:
    """A close-to-close change large enough to ask about.

    `explained` says that the source itself accounts for it, by a factor or by showing none;
    `looks_like_split` that it has the shape of a split without a factor.
    """

    session: dt.date
    change: float
    explained: bool
    looks_like_split: bool


@dataclass(frozen=True, kw_only=True)
class SymbolQuality:
    """What validation found in the history of one symbol.

    `quarantined` counts rows set aside by reason; `missing_sessions` lists exchange sessions
    between the first and the last bar that have none.
    """

    symbol: str
    rows: int
    first_session: dt.date
    last_session: dt.date
    quarantined: tuple[tuple[str, int], ...] = ()
    missing_sessions: tuple[dt.date, ...] = ()
    large_moves: tuple[LargeMove, ...] = ()

    @property
    def quarantined_rows(self) -> int:
        """Total of rows set aside."""
        return sum(count for _, count in self.quarantined)

    @property
    def suspected_splits(self) -> tuple[LargeMove, ...]:
        """The large moves that look like splits nobody adjusted for."""
        return tuple(each for each in self.large_moves if each.looks_like_split)


@dataclass(frozen=True, kw_only=True)
class DatasetRef:
    """Bars of several symbols under one adjustment, by content.

    Attributes:
        fingerprint: Digest over (symbol, content) pairs, dates, adjustment, source and feed.
        checksum: Digest of the file's bytes, proven on every read.
        path: Where the file is on this machine; not part of the content.
        universe_note: Whether survivorship is controlled, in one sentence.
        as_of: The session a live source should have reached when it was asked; None where the
            end of the data was chosen or the source is not a live one.
    """

    symbols: tuple[str, ...]
    first_session: dt.date
    last_session: dt.date
    rows: int
    shape: BarShape
    adjustment: Adjustment
    source: str
    feed: str
    calendar: str
    fingerprint: str
    checksum: str
    universe_note: str
    quality: tuple[SymbolQuality, ...]
    as_of: dt.date | None = None
    path: str = field(metadata=LOCATION)

    def __str__(self) -> str:
        return (
            f"{counted(len(self.symbols), 'symbol')}, {self.first_session} to {self.last_session}, "
            f"{self.adjustment} prices from {self.source}/{self.feed} [{self.fingerprint[:12]}]"
        )

    def is_intact(self) -> bool:
        """Tell whether the file is still exactly the one referred to."""
        file = Path(self.path)
        return file.is_file() and bytes_digest(file.read_bytes()) == self.checksum


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A symbol that was asked for and is not among the data, with the reason."""

    symbol: str
    reason: str

    def __str__(self) -> str:
        return f"{self.symbol}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class LoadedBars:
    """The bars that could be had, and what was left out."""

    bars: DatasetRef
    left_out: tuple[LeftOut, ...]


def read_bars(ref: DatasetRef) -> pl.DataFrame:
    """Read the bars a reference stands for.

    Returns:
        Rows sorted by symbol and session, columns as `ref.shape.schema`.

    Raises:
        IntegrityError: Where the file is gone or not the one referred to.
    """
    file = Path(ref.path)
    if not file.is_file():
        raise IntegrityError(path=ref.path, problem="the dataset file is gone; load the bars again")
    content = file.read_bytes()
    if bytes_digest(content) != ref.checksum:
        raise IntegrityError(path=ref.path, problem="the dataset file has changed since written")
    bars = pl.read_parquet(content)
    check_bars(bars, dataset=str(ref))
    return bars


def read_closes(ref: DatasetRef) -> pl.DataFrame:
    """Read the closes as one wide frame.

    Returns:
        Column `session`, then one float column per symbol in the order of `ref.symbols`; null
        where a symbol has no bar. Nothing is filled.
    """
    return wide_values(read_bars(ref), "close", ref.symbols)


def wide_values(bars: pl.DataFrame, column: str, symbols: tuple[str, ...]) -> pl.DataFrame:
    """Set one column of bars side by side.

    Returns:
        Column `session`, sorted, then one column per symbol in this order; null where a symbol
        has no bar.
    """
    wide = bars.pivot(on="symbol", index="session", values=column).sort("session")
    return wide.select("session", *symbols)
