from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
import yfinance

from slices.data.adapters.yahoo import CHART
from slices.data.sources import open_source
from slices.data.validation import validate
from slices.domain.bars import Adjustment, BarShape
from slices.domain.errors import (
    AuthMissingError,
    MalformedAnswerError,
    ParameterError,
    RateLimitedError,
    SourceError,
    SymbolNotFoundError,
    TransientSourceError,
)
from tests.slices.data.adapters.conftest import DIVIDEND_DAY, FIRST, LAST, close_caches, listing
from tests.support.provider_server import session_to

if TYPE_CHECKING:
    from slices.domain.ports import BarSource
    from tests.support.provider_server import Provider

# yfinance 1.7 sorts in place, which pandas 3.1 calls deprecated; nothing here can change that.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The inplace keyword in DataFrame:pandas.errors.Pandas4Warning"
)


def test_yahoo_bars_are_split_adjusted_and_carry_the_dividend_factor(yahoo: BarSource) -> None:
    fetched = yahoo.fetch("MSFT", start=FIRST, end=LAST)
    expected = listing("MSFT")
    assert fetched.basis is Adjustment.SPLIT
    assert fetched.bars["session"].to_list() == expected["session"].to_list()
    closes = (expected["close"] * expected["split_factor"] - fetched.bars["close"]).abs()
    assert closes.max() < 1e-4
    before = fetched.bars.filter(pl.col("session") < DIVIDEND_DAY)["total_factor"]
    assert before.to_list() == pytest.approx([1 / 1.0032613] * len(before), rel=1e-5)
    assert (fetched.bars["split_factor"] == 1).all()
    quality = validate(fetched, BarShape.OHLCV, "XNYS").quality
    assert (quality.quarantined, quality.missing_sessions, quality.large_moves) == ((), (), ())


def test_yahoo_end_is_included_and_start_may_be_missing(yahoo: BarSource) -> None:
    end = dt.date(2003, 1, 31)
    fetched = yahoo.fetch("IBM", start=None, end=end)
    assert fetched.bars["session"].max() == end
    assert fetched.bars["session"].min() == FIRST
    assert yahoo.fetch("IBM", start=end, end=None).bars["session"].min() == end


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("429", RateLimitedError),
        ("500", TransientSourceError),
        ("503", TransientSourceError),
        ("hang", TransientSourceError),
        ("reset", TransientSourceError),
        ("truncated", MalformedAnswerError),
        ("html", MalformedAnswerError),
        ("garbage", MalformedAnswerError),
        ("wrong-shape", MalformedAnswerError),
        ("401", AuthMissingError),
    ],
)
def test_r04_yahoo_faults_are_typed_and_the_next_try_is_fresh(
    yahoo: BarSource, provider: Provider, fault: str, error: type[SourceError]
) -> None:
    provider.misbehave(fault, path=CHART)
    with pytest.raises(error) as raised:
        yahoo.fetch("MSFT", start=FIRST, end=LAST)
    assert raised.value.retryable is (error is not AuthMissingError)
    provider.misbehave(None)
    assert yahoo.fetch("MSFT", start=FIRST, end=LAST).bars.height == listing("MSFT").height


def test_r04_yahoo_says_how_long_to_wait(yahoo: BarSource, provider: Provider) -> None:
    provider.misbehave("429", path=CHART)
    with pytest.raises(RateLimitedError) as raised:
        yahoo.fetch("MSFT", start=FIRST, end=LAST)
    assert raised.value.retry_after_seconds == 7


def test_r07_yahoo_names_a_symbol_it_does_not_have(yahoo: BarSource) -> None:
    with pytest.raises(SymbolNotFoundError, match=r"ZZZZ: not found in source 'yfinance/chart'"):
        yahoo.fetch("ZZZZ", start=FIRST, end=LAST)


def test_r07_yahoo_names_a_symbol_without_bars_between_the_dates(yahoo: BarSource) -> None:
    with pytest.raises(SymbolNotFoundError, match="MSFT"):
        yahoo.fetch("MSFT", start=dt.date(2010, 1, 4), end=dt.date(2010, 1, 29))


def test_r04_yahoo_rows_without_prices_are_not_bars(yahoo: BarSource, provider: Provider) -> None:
    original = provider.listings["MSFT"].prices
    provider.listings["MSFT"].prices = lambda factor: original(factor).with_columns(
        open=pl.lit("n/a")
    )
    with pytest.raises(MalformedAnswerError, match="cannot be read"):
        yahoo.fetch("MSFT", start=FIRST, end=LAST)


def test_r04_yahoo_errors_keep_to_their_thread(provider: Provider, tmp_path: Path) -> None:
    """The package shares one session among threads; their answers must not be mixed up."""
    yfinance.set_tz_cache_location(str(tmp_path))
    with session_to(provider) as session:
        sources = [
            open_source("yfinance", yahoo_session=session, timeout_seconds=2.0) for _ in range(8)
        ]
        symbols = ["MSFT", "ZZZZ"] * 4
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(outcome, sources, symbols))
    assert found == [listing("MSFT").height, "SymbolNotFoundError"] * 4


def outcome(source: BarSource, symbol: str) -> int | str:
    try:
        return source.fetch(symbol, start=FIRST, end=LAST).bars.height
    except SymbolNotFoundError as error:
        return type(error).__name__
    finally:
        close_caches()


def test_yahoo_cannot_list_and_has_one_feed(yahoo: BarSource) -> None:
    assert (yahoo.symbols(), yahoo.version(), yahoo.capabilities.remote) == ((), "", True)
    with pytest.raises(ParameterError, match="feed"):
        open_source("yfinance", feed="other")
