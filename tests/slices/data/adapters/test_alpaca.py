from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl
import pytest

from slices.data.adjustment import adjusted
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
from tests.slices.data.adapters.conftest import FIRST, LAST, listing
from tests.support.provider_server import KEY, PAGE, Listing

if TYPE_CHECKING:
    from tests.support.provider_server import Provider

Opening = "Callable[..., BarSource]"


def test_alpaca_bars_are_raw_with_the_factors_of_the_real_actions(alpaca: Opening) -> None:
    fetched = alpaca().fetch("MSFT", start=FIRST, end=LAST)
    expected = listing("MSFT")
    assert expected.height > 3 * PAGE, "several pages must be joined"
    assert fetched.basis is Adjustment.RAW
    assert fetched.bars.drop("split_factor", "total_factor").equals(
        expected.drop("split_factor", "total_factor")
    )
    assert fetched.bars["split_factor"].equals(expected["split_factor"])
    wrong = (fetched.bars["total_factor"] / expected["total_factor"] - 1).abs().max()
    assert wrong < 1e-5


def test_alpaca_splits_are_explained_and_vanish_when_adjusted(alpaca: Opening) -> None:
    checked = validate(alpaca().fetch("MSFT", start=FIRST, end=LAST), BarShape.OHLCV, "XNYS")
    (move,) = checked.quality.large_moves
    assert (move.explained, move.looks_like_split) == (True, False)
    smooth = adjusted(checked.bars, checked.basis, Adjustment.SPLIT)
    assert (smooth["close"].pct_change().abs().max() or 1) < 0.1


def test_alpaca_records_the_feed_and_asks_for_it(alpaca: Opening, provider: Provider) -> None:
    source = alpaca(feed="sip")
    source.fetch("IBM", start=FIRST, end=LAST)
    assert source.feed == "sip"
    assert provider.asked
    assert all("feed=sip" in each for each in provider.asked)
    assert alpaca().feed == "iex"


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
def test_r04_alpaca_faults_are_typed_and_asked_once(
    alpaca: Opening, provider: Provider, fault: str, error: type[SourceError]
) -> None:
    provider.misbehave(fault)
    with pytest.raises(error) as raised:
        alpaca().fetch("MSFT", start=FIRST, end=LAST)
    assert raised.value.retryable is (error is not AuthMissingError)
    assert len(provider.asked) == 1, "the package must not retry by itself"
    provider.misbehave(None)
    assert alpaca().fetch("MSFT", start=FIRST, end=LAST).bars.height == listing("MSFT").height


def test_r04_alpaca_says_how_long_to_wait(alpaca: Opening, provider: Provider) -> None:
    provider.misbehave("429")
    with pytest.raises(RateLimitedError) as raised:
        alpaca().fetch("MSFT", start=FIRST, end=LAST)
    assert raised.value.retry_after_seconds == 7


def test_alpaca_refuses_wrong_and_missing_keys(alpaca: Opening) -> None:
    with pytest.raises(AuthMissingError, match="refused"):
        alpaca(alpaca_secret=KEY).fetch("MSFT", start=FIRST, end=LAST)
    with pytest.raises(AuthMissingError, match="needs a key"):
        alpaca(alpaca_key="")


@pytest.mark.parametrize("symbol", ["ZZZZ", "B@D"])
def test_r07_alpaca_names_a_symbol_it_does_not_have(alpaca: Opening, symbol: str) -> None:
    with pytest.raises(SymbolNotFoundError, match=symbol):
        alpaca().fetch(symbol, start=None, end=None)


def test_r07_alpaca_names_a_symbol_without_bars_between_the_dates(alpaca: Opening) -> None:
    with pytest.raises(SymbolNotFoundError, match="no bars between 2010-01-04"):
        alpaca().fetch("MSFT", start=dt.date(2010, 1, 4), end=dt.date(2010, 1, 29))


def test_alpaca_measures_the_factor_of_an_uncommon_split(
    alpaca: Opening, provider: Provider
) -> None:
    before = pl.col("session") < dt.date(2003, 3, 3)
    bars = listing("IBM").with_columns(
        split_factor=pl.when(before).then(1 / 1.7).otherwise(1.0),
        total_factor=pl.when(before).then(1 / 1.7).otherwise(1.0),
    )
    provider.listings["ODD"] = Listing(bars=bars)
    found = alpaca().fetch("ODD", start=FIRST, end=LAST).bars
    assert (found["split_factor"] / bars["split_factor"] - 1).abs().max() < 1e-5
    assert found["split_factor"].n_unique() == 2, "no rounding noise"


def test_r04_alpaca_rows_without_prices_are_not_bars(alpaca: Opening, provider: Provider) -> None:
    provider.listings["MSFT"].bars = listing("MSFT").with_columns(close=pl.lit("n/a"))
    provider.listings["MSFT"].prices = lambda _: provider.listings["MSFT"].bars
    with pytest.raises(MalformedAnswerError, match="cannot be read"):
        alpaca().fetch("MSFT", start=FIRST, end=LAST)


def test_alpaca_rejects_answers_about_different_sessions(
    alpaca: Opening, provider: Provider
) -> None:
    source = alpaca()
    original = source._bars

    def one_short(symbol: str, adjustment: str, *dates: dt.date | None) -> object:
        bars = original(symbol, adjustment, *dates)
        return bars.head(-1) if adjustment == "split" else bars

    source._bars = one_short
    with pytest.raises(MalformedAnswerError, match="different sessions"):
        source.fetch("MSFT", start=FIRST, end=LAST)


def test_alpaca_has_known_feeds_and_no_list_of_symbols(alpaca: Opening) -> None:
    source = alpaca()
    assert (source.symbols(), source.version(), source.capabilities.remote) == ((), "", True)
    with pytest.raises(ParameterError, match="feed"):
        open_source("alpaca", feed="other")
