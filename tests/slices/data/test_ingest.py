from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from slices.data.ingest import IngestOutcome, failures, ingest, stored_bars
from slices.data.store import BarStore
from slices.domain.clock import FixedClock
from slices.domain.errors import (
    AuthMissingError,
    MalformedAnswerError,
    RateLimitedError,
    SourceError,
    TransientSourceError,
)
from tests.support.frames import INSTANT, FrameSource, ohlcv, sessions


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    return BarStore(tmp_path)


def run(source: FrameSource, store: BarStore, *symbols: str) -> tuple[IngestOutcome, ...]:
    return ingest(source, symbols, start=None, end=None, store=store, clock=FixedClock(INSTANT))


def test_each_symbol_has_an_outcome_in_the_order_asked(store: BarStore) -> None:
    source = FrameSource({"AAA": ohlcv(), "BBB": ohlcv(level=7)})
    outcomes = run(source, store, "BBB", "AAA")
    assert [each.symbol for each in outcomes] == ["BBB", "AAA"]
    assert [each.symbol for each in stored_bars(outcomes)] == ["BBB", "AAA"]
    assert failures(outcomes) == ()
    assert store.manifest().version == 1, "one batch is one version"


def test_r07_a_symbol_the_source_lacks_is_a_failure_beside_the_good_ones(store: BarStore) -> None:
    outcomes = run(FrameSource({"AAA": ohlcv()}), store, "ZZZZ", "AAA")
    (failed,) = failures(outcomes)
    assert failed.symbol == "ZZZZ"
    assert failed.failure is not None
    assert failed.failure.kind == "SymbolNotFoundError"
    assert "ZZZZ: not found" in failed.failure.reason
    assert outcomes[1].stored is not None


def test_r01_a_symbol_without_a_good_row_is_a_failure_with_its_reason(store: BarStore) -> None:
    rotten = ohlcv().with_columns(volume=0.0)
    (failed,) = failures(run(FrameSource({"AAA": ohlcv(), "BAD": rotten}), store, "AAA", "BAD"))
    assert failed.failure is not None
    assert failed.failure.kind == "BadDataError"
    assert "30 x zero volume" in failed.failure.reason


@pytest.mark.parametrize(
    "error",
    [
        TransientSourceError(source="test", problem="HTTP 500"),
        RateLimitedError(source="test", problem="HTTP 429", retry_after_seconds=7),
        AuthMissingError(source="test", problem="refused"),
        MalformedAnswerError(source="test", problem="HTML"),
    ],
)
def test_r04_a_source_that_does_not_deliver_raises_after_the_good_symbols_are_stored(
    store: BarStore, error: SourceError
) -> None:
    source = FrameSource({"AAA": ohlcv(), "BBB": error, "CCC": ohlcv(level=3)})
    with pytest.raises(type(error)) as raised:
        run(source, store, "AAA", "BBB", "CCC")
    assert raised.value is error
    assert [each.symbol for each in store.manifest().entries] == ["AAA"]
    assert source.asked == ["AAA", "BBB"], "a source in trouble is not asked for more"


def test_a_local_source_is_read_whole_and_stored_once(store: BarStore) -> None:
    source = FrameSource({"AAA": ohlcv()})
    for first in (None, sessions(30)[4]):
        ingest(source, ["AAA"], start=first, end=None, store=store, clock=FixedClock(INSTANT))
    (entry,) = store.manifest().entries
    assert (entry.quality.rows, entry.origin.start) == (30, None)


def test_a_remote_source_is_asked_for_the_dates(store: BarStore) -> None:
    dates = sessions(30)
    (outcome,) = ingest(
        FrameSource({"AAA": ohlcv()}, remote=True),
        ["AAA"],
        start=dates[4],
        end=dates[9],
        store=store,
        clock=FixedClock(INSTANT),
    )
    assert outcome.stored is not None
    assert outcome.stored.quality.rows == 6
    assert (outcome.stored.origin.start, outcome.stored.origin.end) == (dates[4], dates[9])


def test_the_bar_of_a_session_that_is_not_over_is_left_out(store: BarStore) -> None:
    dates = sessions(30)
    midday = dt.datetime.combine(dates[-1], dt.time(17, 0), tzinfo=dt.UTC)
    for instant, expected in ((midday, 29), (midday + dt.timedelta(hours=5), 30)):
        (outcome,) = ingest(
            FrameSource({"AAA": ohlcv()}, remote=True),
            ["AAA"],
            start=None,
            end=None,
            store=store,
            clock=FixedClock(instant),
        )
        assert outcome.stored is not None
        assert outcome.stored.quality.rows == expected
        assert outcome.stored.quality.quarantined == ()
