from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from slices.data.loading import asked_session, batches, fetch_version, joined
from slices.domain.calendar import last_completed_session
from slices.domain.errors import SymbolNotFoundError, TransientSourceError

PRICES = "date,AAA,BBB\n2024-01-02,10,20\n2024-01-03,11,19\n2024-01-04,12,21\n"


def version(file: Path) -> str:
    return fetch_version(("AAA",), source="files", feed=str(file), start=None, end=None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(PRICES)
    return path


def test_r09_a_changed_file_is_another_version(file: Path) -> None:
    before = version(file)
    assert version(file) == before
    file.write_text(PRICES.replace("21", "22"))
    assert version(file) != before


def test_r17_a_setting_that_changes_the_meaning_of_prices_is_another_version(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version(file)
    monkeypatch.setenv("TRADEFLOWS_FILES_BASIS", "total")
    assert version(file) != before


def test_a_local_source_is_read_in_one_go_and_a_remote_one_symbol_by_symbol(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert batches(["AAPL", "MSFT"], source="embedded", feed=None) == [("AAPL", "MSFT")]
    monkeypatch.setenv("TRADEFLOWS_ALPACA_KEY", "key")
    monkeypatch.setenv("TRADEFLOWS_ALPACA_SECRET", "secret")
    assert batches(["AAPL", "MSFT"], source="alpaca", feed=None) == [("AAPL",), ("MSFT",)]


def test_r07_no_feed_with_all_symbols_names_the_missing_one() -> None:
    with pytest.raises(SymbolNotFoundError, match="ZZZZ"):
        batches(["AAPL", "ZZZZ"], source="embedded", feed=None)


def test_r07_all_unknown_symbols_of_parallel_fetches_are_named_at_once() -> None:
    missing = [
        SymbolNotFoundError(symbols=(name,), source="alpaca/iex") for name in ("XXXX", "YYYY")
    ]
    with pytest.raises(SymbolNotFoundError) as unknown:
        joined([missing[0], (), missing[1]])
    assert unknown.value.symbols == ("XXXX", "YYYY")
    with pytest.raises(TransientSourceError):
        joined([missing[0], TransientSourceError(source="alpaca", problem="down")])
    assert joined([(), ()]) == ()


def test_only_a_live_source_without_a_chosen_end_has_a_session_to_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRADEFLOWS_ALPACA_KEY", "key")
    monkeypatch.setenv("TRADEFLOWS_ALPACA_SECRET", "secret")
    assert asked_session("embedded", feed=None, end=None) is None
    assert asked_session("alpaca", feed=None, end=dt.date(2024, 1, 2)) is None
    reached = asked_session("alpaca", feed=None, end=None)
    assert reached == last_completed_session(
        dt.datetime.now(dt.UTC), delay=dt.timedelta(minutes=30)
    )
