"""The `embedded` source: real prices that come with installed packages; no network.

Two feeds that are never mixed. `us_ohlcv5` has raw open, high, low, close and volume of five
shares, and an adjusted close; `us_close20` has adjusted closes of twenty and nothing else. The
files are read from their packages' folders without importing the packages, which costs seconds.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from slices.data.actions import with_factors
from slices.domain.bars import Adjustment, BarShape
from slices.domain.errors import (
    IntegrityError,
    ParameterError,
    SourceNotInstalledError,
    SymbolNotFoundError,
    listed,
)
from slices.domain.ports import SourceBars, SourceCapabilities

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

NAME = "embedded"
TODAYS_NAME = {"FB": "META", "GOOG": "GOOGL"}
"""Names in the file that are other names today; its GOOG is the class A share, now GOOGL."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedFeed:
    """A data file of an installed package, pinned by its digest."""

    name: str
    package: str
    distribution: str
    file: str
    sha256: str
    symbols: tuple[str, ...]
    capabilities: SourceCapabilities
    universe_note: str


US_OHLCV5 = EmbeddedFeed(
    name="us_ohlcv5",
    package="bokeh_sampledata",
    distribution="bokeh-sampledata",
    file="_data/stocks.csv.gz",
    sha256="5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd",
    symbols=("AAPL", "GOOGL", "IBM", "META", "MSFT"),
    capabilities=SourceCapabilities(
        shape=BarShape.OHLCV, adjustments=tuple(Adjustment), remote=False
    ),
    universe_note=(
        "Survivorship is not controlled: five US technology shares that did well, chosen with "
        "hindsight, 2000 to 2013."
    ),
)

US_CLOSE20 = EmbeddedFeed(
    name="us_close20",
    package="skfolio",
    distribution="skfolio",
    file="datasets/data/sp500_dataset.csv.gz",
    sha256="ee21cac28befb1d0a739a9ceb22184f995394726aa0cfde9a21941d1ac04ac0d",
    symbols=(
        *("AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO"),
        *("LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM"),
    ),
    capabilities=SourceCapabilities(
        shape=BarShape.CLOSE_ONLY, adjustments=(Adjustment.TOTAL,), remote=False
    ),
    universe_note=(
        "Survivorship is not controlled: twenty US shares of today's index that lived through "
        "1990 to 2022, chosen with hindsight."
    ),
)

FEEDS = {feed.name: feed for feed in (US_OHLCV5, US_CLOSE20)}


class EmbeddedSource:
    """Bars of one embedded feed."""

    def __init__(self, feed: EmbeddedFeed) -> None:
        self._feed = feed
        self.name = NAME
        self.feed = feed.name
        self.calendar = "XNYS"
        self.universe_note = feed.universe_note
        self.capabilities = feed.capabilities

    def symbols(self) -> tuple[str, ...]:
        """List what the feed has, sorted."""
        return self._feed.symbols

    def version(self) -> str:
        """Return the digest the file is checked against."""
        return self._feed.sha256

    def fetch(self, symbol: str, *, start: dt.date | None, end: dt.date | None) -> SourceBars:
        """Read one symbol's history; factors are those of the whole history.

        Raises:
            SymbolNotFoundError: The feed does not have the symbol.
            SourceNotInstalledError: The package with the file is not installed.
            IntegrityError: The file is not the one this was written for.
        """
        if symbol not in self._feed.symbols:
            raise not_found((symbol,), self._feed)
        is_ohlcv = self.capabilities.shape is BarShape.OHLCV
        bars = _ohlcv_bars(symbol) if is_ohlcv else _close_bars(symbol)
        first, last = start or bars["session"].min(), end or bars["session"].max()
        return SourceBars(
            symbol=symbol,
            bars=bars.filter(pl.col("session").is_between(pl.lit(first), pl.lit(last))),
            basis=Adjustment.RAW if is_ohlcv else Adjustment.TOTAL,
            actions_known=True,
        )


def open_embedded(feed: str | None, symbols: Sequence[str]) -> EmbeddedSource:
    """Open the feed asked for, or the first that has all symbols.

    Args:
        feed: `us_ohlcv5`, `us_close20`, or None to choose by symbols.
        symbols: What will be asked of it.

    Raises:
        ParameterError: There is no such feed.
        SymbolNotFoundError: No feed has all symbols; says what the best match lacks and has.
    """
    if feed is not None:
        if feed not in FEEDS:
            raise ParameterError(parameter="feed", found=repr(feed), allowed=", ".join(FEEDS))
        return EmbeddedSource(FEEDS[feed])
    missing = {
        each.name: tuple(s for s in symbols if s not in each.symbols) for each in FEEDS.values()
    }
    best = min(FEEDS.values(), key=lambda each: len(missing[each.name]))
    if missing[best.name]:
        raise not_found(missing[best.name], best)
    return EmbeddedSource(best)


def not_found(symbols: tuple[str, ...], feed: EmbeddedFeed) -> SymbolNotFoundError:
    """Say which symbols a feed lacks, what it has, what the other has and who was renamed."""
    others = [
        f"feed {each.name} has: {listed(each.symbols)}" for each in FEEDS.values() if each != feed
    ]
    renamed = [f"{s} is named {TODAYS_NAME[s]} today" for s in symbols if s in TODAYS_NAME]
    return SymbolNotFoundError(
        symbols=symbols,
        source=f"{NAME}/{feed.name}",
        available=feed.symbols,
        reason="; ".join((*renamed, *others)),
    )


def _file_bytes(feed: EmbeddedFeed) -> bytes:
    spec = importlib.util.find_spec(feed.package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        problem = f"package {feed.distribution} is not installed; install tradeflows anew"
        raise SourceNotInstalledError(source=f"{NAME}/{feed.name}", problem=problem)
    file = Path(next(iter(folders))) / feed.file
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != feed.sha256:
        problem = f"not the file this was written for; install {feed.distribution} anew"
        raise IntegrityError(path=str(file), problem=problem)
    return gzip.decompress(content)


@lru_cache(maxsize=1)
def _stocks() -> pl.DataFrame:
    rows = pl.read_csv(_file_bytes(US_OHLCV5), try_parse_dates=True)
    return rows.select(
        symbol=pl.col("Ticker").replace(TODAYS_NAME),
        session="Date",
        **{c: pl.col(c.capitalize()).cast(pl.Float64) for c in BarShape.OHLCV.values},
        adj_close="Adj Close",
    ).sort("symbol", "session")


@lru_cache(maxsize=1)
def _closes() -> pl.DataFrame:
    rows = pl.read_csv(_file_bytes(US_CLOSE20), try_parse_dates=True)
    return rows.rename({"Date": "session"}).sort("session")


def _ohlcv_bars(symbol: str) -> pl.DataFrame:
    rows = _stocks().filter(pl.col("symbol") == symbol).drop("symbol")
    return with_factors(rows, basis_is_split=False)


def _close_bars(symbol: str) -> pl.DataFrame:
    closes = _closes().select("session", close=symbol)
    return closes.with_columns(split_factor=pl.lit(None, pl.Float64), total_factor=pl.lit(1.0))
