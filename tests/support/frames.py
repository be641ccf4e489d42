"""Frames of bars for tests, a source that serves them, and the price data outside the project."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest

from slices.data.assemble import assemble
from slices.data.ingest import ingest
from slices.data.store import BarStore
from slices.domain.bars import Adjustment, BarShape
from slices.domain.calendar import sessions_between
from slices.domain.clock import FixedClock
from slices.domain.dataset import DatasetRef, SymbolQuality
from slices.domain.errors import SymbolNotFoundError
from slices.domain.ports import BarSource, SourceBars, SourceCapabilities

FIRST = dt.date(2024, 1, 2)
INSTANT = dt.datetime(2026, 1, 5, 22, 0, tzinfo=dt.UTC)


def repository() -> Path:
    """Find the checkout by its project file."""
    here = Path(__file__).resolve()
    return next(each for each in here.parents if (each / "pyproject.toml").is_file())


def shared_data(name: str) -> Path:
    """Return a file of the shared price data; skip the test where it is absent."""
    folder = Path(os.environ.get("TRADEFLOWS_SHARED_DATA") or repository().parent / "shared/data")
    if not (folder / name).is_file():
        pytest.skip(f"{name} is not in {folder}; set TRADEFLOWS_SHARED_DATA to its folder")
    return folder / name


def sessions(count: int, *, first: dt.date = FIRST) -> list[dt.date]:
    """Return exchange sessions in a row."""
    return sessions_between(first, first + dt.timedelta(days=2 * count + 10))[:count]


def made_up_ref(*quality: SymbolQuality, shape: BarShape = BarShape.OHLCV) -> DatasetRef:
    """Make a reference to a dataset that only its description is asked of; there is no file."""
    return DatasetRef(
        symbols=tuple(each.symbol for each in quality),
        first_session=min(each.first_session for each in quality),
        last_session=max(each.last_session for each in quality),
        rows=sum(each.rows for each in quality),
        shape=shape,
        adjustment=Adjustment.TOTAL,
        source="files",
        feed="x",
        calendar="XNYS",
        fingerprint="f",
        checksum="c",
        universe_note="Survivorship is not controlled.",
        quality=quality,
        path="p",
    )


def ohlcv(
    count: int = 30, *, first: dt.date = FIRST, level: float = 100.0, volume: float = 1e6
) -> pl.DataFrame:
    """Return good bars that rise by half a percent a session, with factors of 1."""
    dates = sessions(count, first=first)
    closes = pl.Series([level * 1.005**i for i in range(count)], dtype=pl.Float64)
    return pl.DataFrame(
        {
            "session": dates,
            "open": closes * 0.998,
            "high": closes * 1.01,
            "low": closes * 0.99,
            "close": closes,
            "volume": [volume] * count,
            "split_factor": [1.0] * count,
            "total_factor": [1.0] * count,
        }
    )


def delivered(
    bars: pl.DataFrame,
    *,
    symbol: str = "AAA",
    basis: Adjustment = Adjustment.SPLIT,
    actions_known: bool = False,
) -> SourceBars:
    """Wrap a frame as a source delivers it."""
    return SourceBars(symbol=symbol, bars=bars, basis=basis, actions_known=actions_known)


def with_value(bars: pl.DataFrame, row: int, **values: float | None) -> pl.DataFrame:
    """Replace values of one row."""
    here = pl.int_range(pl.len()) == row
    return bars.with_columns(
        pl.when(here).then(pl.lit(value, dtype=pl.Float64)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


def scaled(bars: pl.DataFrame, first_row: int, factor: float) -> pl.DataFrame:
    """Multiply all prices from one row on and divide the volume, as a split does."""
    after = pl.int_range(pl.len()) >= first_row
    prices = [
        pl.when(after).then(pl.col(c) * factor).otherwise(pl.col(c)).alias(c)
        for c in ("open", "high", "low", "close")
    ]
    volume = pl.when(after).then(pl.col("volume") / factor).otherwise(pl.col("volume"))
    return bars.with_columns(*prices, volume=volume)


class FrameSource:
    """A source that serves frames, or raises what it was given instead."""

    def __init__(
        self,
        answers: dict[str, pl.DataFrame | Exception],
        *,
        basis: Adjustment = Adjustment.SPLIT,
        remote: bool = False,
        feed: str = "frames",
    ) -> None:
        self.answers = answers
        self.basis = basis
        self.asked: list[str] = []
        self.name = "test"
        self.feed = feed
        self.calendar = "XNYS"
        self.universe_note = "Made up for a test."
        self.capabilities = SourceCapabilities(
            shape=BarShape.OHLCV, adjustments=(Adjustment.SPLIT, Adjustment.TOTAL), remote=remote
        )

    def symbols(self) -> tuple[str, ...]:
        return tuple(sorted(self.answers))

    def version(self) -> str:
        return "1"

    def fetch(self, symbol: str, *, start: dt.date | None, end: dt.date | None) -> SourceBars:
        self.asked.append(symbol)
        answer = self.answers.get(symbol)
        if answer is None:
            raise SymbolNotFoundError(symbols=(symbol,), source="test/frames")
        if isinstance(answer, Exception):
            raise answer
        inside = pl.col("session").is_between(start or dt.date.min, end or dt.date.max)
        return delivered(answer.filter(inside), symbol=symbol, basis=self.basis)


def load(
    source: BarSource,
    folder: Path,
    *symbols: str,
    start: dt.date | None = None,
    end: dt.date | None = None,
    adjustment: Adjustment = Adjustment.SPLIT,
) -> DatasetRef:
    """Take symbols all the way from a source to a dataset; store and datasets lie in the folder."""
    store = BarStore(folder / "store")
    outcomes = ingest(source, symbols, start=start, end=end, store=store, clock=FixedClock(INSTANT))
    return assemble(
        outcomes,
        source=source,
        store=store,
        start=start,
        end=end,
        adjustment=adjustment,
        datasets_dir=folder / "datasets",
    )
