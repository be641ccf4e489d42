"""What a store with known gaps, rows set aside and splits is said to hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from slices.data.ingest import ingest
from slices.data.manifest import Origin
from slices.data.observing import feed_facts
from slices.data.sources import open_source
from slices.data.store import BarStore
from slices.data.validation import ValidatedBars, validate
from slices.domain.bars import BarShape
from slices.domain.clock import SystemClock
from slices.domain.observations import FeedFacts
from slices.runtime.settings import load_settings
from tests.support.frames import INSTANT, delivered, ohlcv, sessions, with_value

ORIGIN = Origin(provider="yfinance", feed="daily", start=None, end=None)
SESSIONS = sessions(40)


@pytest.fixture
def store(fresh_home: str) -> BarStore:
    assert str(load_settings().home) == fresh_home
    return BarStore(load_settings().store_folder)


def checked(symbol: str, bars: pl.DataFrame) -> ValidatedBars:
    return validate(delivered(bars, symbol=symbol), BarShape.OHLCV, "XNYS")


def put(store: BarStore, *batch: ValidatedBars, origin: Origin = ORIGIN, days: int = 0) -> None:
    store.put(batch, origin=origin, ingested_at=INSTANT + dt.timedelta(days=days))


def after_close(session: dt.date, *, hours: float = 6.0) -> dt.datetime:
    """Some hours after 21:00 UTC, at which New York closes in winter."""
    return dt.datetime.combine(session, dt.time(21), tzinfo=dt.UTC) + dt.timedelta(hours=hours)


def only(at: dt.datetime) -> FeedFacts:
    (found,) = feed_facts(at=at)
    return found


def test_an_empty_store_has_no_feeds_and_stays_empty(store: BarStore) -> None:
    assert feed_facts(at=INSTANT) == ()
    assert not Path(store.root).exists()


def test_gaps_rows_set_aside_and_splits_are_counted_over_symbols(store: BarStore) -> None:
    whole = ohlcv(30)
    gone = [SESSIONS[each] for each in (3, 4, 20)]
    gapped = with_value(whole.filter(~pl.col("session").is_in(gone)), 10, close=None)
    prices = ["open", "high", "low", "close"]
    split = whole.with_columns(
        pl.when(pl.col("session") >= SESSIONS[15]).then(pl.col(each) / 2).otherwise(pl.col(each))
        .alias(each) for each in prices
    )  # fmt: skip
    put(store, checked("AAA", whole), checked("BBB", gapped), checked("CCC", split), days=2)
    found = only(after_close(SESSIONS[29]))
    assert (found.source, found.feed, found.symbols) == ("yfinance", "daily", 3)
    assert found.rows == 30 + 26 + 30
    assert (found.gaps, found.quarantined, found.suspected_splits) == (3, 1, 1)
    assert found.ingested == INSTANT + dt.timedelta(days=2)
    assert (found.last_session, found.age_sessions, found.is_final) == (SESSIONS[29], 0, False)


@pytest.mark.parametrize(
    ("session", "hours", "age"),
    [(30, -8.0, 0), (30, 0.4, 0), (30, 0.6, 1), (31, -8.0, 1), (34, 6.0, 5)],
)
def test_r05_a_feed_ages_by_sessions_whose_bars_should_be_there(
    store: BarStore, session: int, hours: float, age: int
) -> None:
    put(store, checked("AAA", ohlcv(30)))
    assert only(after_close(SESSIONS[session], hours=hours)).age_sessions == age


def test_weekends_do_not_age_a_feed(store: BarStore) -> None:
    friday = next(each for each in SESSIONS if each.weekday() == 4)
    put(store, checked("AAA", ohlcv(SESSIONS.index(friday) + 1)))
    assert only(after_close(friday + dt.timedelta(days=2))).age_sessions == 0


def test_the_oldest_symbol_counts(store: BarStore) -> None:
    put(store, checked("AAA", ohlcv(30)), checked("BBB", ohlcv(27)))
    found = only(after_close(SESSIONS[29]))
    assert (found.last_session, found.age_sessions) == (SESSIONS[26], 3)


def test_of_a_symbol_the_bars_that_reach_farthest_count(store: BarStore) -> None:
    chosen = replace(ORIGIN, start=SESSIONS[0], end=SESSIONS[9])
    put(store, checked("AAA", ohlcv(30)))
    put(store, checked("AAA", ohlcv(10)), origin=chosen, days=1)
    put(store, checked("BBB", ohlcv(10)), origin=chosen, days=1)
    found = only(after_close(SESSIONS[29]))
    assert (found.symbols, found.rows) == (2, 40)
    assert (found.last_session, found.age_sessions) == (SESSIONS[29], 0)


def test_bars_up_to_a_chosen_date_do_not_age(store: BarStore) -> None:
    put(store, checked("AAA", ohlcv(10)), origin=replace(ORIGIN, end=SESSIONS[9]))
    found = only(after_close(SESSIONS[29]))
    assert (found.is_final, found.age_sessions) == (True, 0)


def test_embedded_prices_are_final(store: BarStore) -> None:
    source = open_source("embedded", feed="us_ohlcv5")
    symbols = ("AAPL", "META")
    ingest(source, symbols, start=None, end=None, store=store, clock=SystemClock())
    put(store, checked("AAA", ohlcv(30)))
    embedded, other = feed_facts(at=after_close(SESSIONS[34]))
    assert (embedded.source, embedded.feed, embedded.symbols) == ("embedded", "us_ohlcv5", 2)
    assert (embedded.is_final, embedded.age_sessions) == (True, 0)
    assert embedded.last_session == dt.date(2013, 3, 1)
    assert other.age_sessions == 5
