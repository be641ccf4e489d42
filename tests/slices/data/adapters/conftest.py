"""A provider with two real shares, and sources that talk to it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl
import pytest
import yfinance
from yfinance import cache

from slices.data.adapters.embedded import open_embedded
from slices.data.sources import open_source
from tests.support.provider_server import KEY, SECRET, Listing, Provider, serving, session_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from slices.domain.ports import BarSource

SPLIT_DAY, DIVIDEND_DAY = dt.date(2003, 2, 18), dt.date(2003, 2, 19)
FIRST, LAST = dt.date(2003, 1, 2), dt.date(2003, 4, 30)


def listing(symbol: str) -> pl.DataFrame:
    """Take real bars around Microsoft's split and dividend of February 2003."""
    source = open_embedded("us_ohlcv5", [symbol])
    bars = source.fetch(symbol, start=FIRST, end=LAST).bars
    factors = (pl.col(c) / pl.col(c).last() for c in ("split_factor", "total_factor"))
    return bars.with_columns(factors)


def close_caches() -> None:
    """Close the package's SQLite caches in this thread."""
    for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
        manager.close_db()


@pytest.fixture
def provider() -> Iterator[Provider]:
    microsoft = Listing(
        bars=listing("MSFT"), splits={SPLIT_DAY: 2.0}, dividends={DIVIDEND_DAY: 0.08}
    )
    ibm = Listing(bars=listing("IBM"), dividends={dt.date(2003, 2, 6): 0.15})
    with serving({"MSFT": microsoft, "IBM": ibm}) as running:
        yield running


@pytest.fixture
def yahoo(provider: Provider, tmp_path: Path) -> Iterator[BarSource]:
    yfinance.set_tz_cache_location(str(tmp_path))
    with session_to(provider) as session:
        yield open_source("yfinance", yahoo_session=session, timeout_seconds=0.5)
    close_caches()


@pytest.fixture
def alpaca(provider: Provider) -> Iterator[Callable[..., BarSource]]:
    opened = []

    def opening(**options: str) -> BarSource:
        given = {"alpaca_key": KEY, "alpaca_secret": SECRET, **options}
        source = open_source("alpaca", alpaca_url=provider.url, timeout_seconds=0.5, **given)
        opened.append(source)
        return source

    yield opening
    for each in opened:
        each._client._session.close()
