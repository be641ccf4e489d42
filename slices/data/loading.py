"""Loading bars as this installation is set up: which source, which store, which folders."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, cast

from slices.data.assemble import assemble, check_complete
from slices.data.expiry import expires_with
from slices.data.ingest import IngestOutcome, ingest
from slices.data.sources import open_source
from slices.data.store import BarStore
from slices.domain.calendar import last_completed_session
from slices.domain.clock import SystemClock
from slices.domain.errors import SymbolNotFoundError
from slices.domain.fingerprint import fingerprint
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.domain.bars import Adjustment
    from slices.domain.dataset import DatasetRef
    from slices.domain.ports import BarSource


def configured_source(name: str, *, feed: str | None, symbols: tuple[str, ...]) -> BarSource:
    """Open a source with the credentials and time limits of the settings."""
    settings = load_settings()
    return open_source(
        name,
        feed=feed,
        symbols=symbols,
        basis=settings.files_basis,
        alpaca_key=settings.alpaca_key.get_secret_value() if settings.alpaca_key else "",
        alpaca_secret=settings.alpaca_secret.get_secret_value() if settings.alpaca_secret else "",
        alpaca_url=settings.alpaca_url or None,
        yahoo_cache=settings.home / "cache" / "yfinance",
        timeout_seconds=settings.source_timeout_seconds,
    )


def source_delay() -> dt.timedelta:
    """Return how long after the close a remote bar is final."""
    return dt.timedelta(minutes=load_settings().source_delay_minutes)


def fetch_version(
    symbols: tuple[str, ...],
    *,
    source: str,
    feed: str | None,
    start: dt.date | None,  # noqa: ARG001 - the arguments of `fetch_bars`
    end: dt.date | None,  # noqa: ARG001 - the arguments of `fetch_bars`
) -> str:
    """Say what a fetch depends on besides its arguments.

    That is the content of a local source or the last completed session of a remote one, and the
    settings that change what the same source would deliver.
    """
    settings = load_settings()
    opened = configured_source(source, feed=feed, symbols=symbols)
    age = expires_with(opened, SystemClock(), source_delay())
    return fingerprint(age, settings.files_basis, settings.alpaca_url)


def asked_session(source: str, *, feed: str | None, end: dt.date | None) -> dt.date | None:
    """Return the session a live source should have reached; None where the end was chosen."""
    opened = configured_source(source, feed=feed, symbols=())
    if end is not None or not opened.capabilities.remote:
        return None
    now = SystemClock().now()
    return last_completed_session(now, calendar=opened.calendar, delay=source_delay())


def fetch_bars(
    symbols: tuple[str, ...],
    *,
    source: str,
    feed: str | None,
    start: dt.date | None,
    end: dt.date | None,
) -> tuple[IngestOutcome, ...]:
    """Fetch, validate and store the bars of some symbols.

    Raises:
        DataError: Where a remote source lacks a symbol or delivers bars that are no good: an
            answer that may be another one tomorrow is not kept as a result.
    """
    opened = configured_source(source, feed=feed, symbols=symbols)
    outcomes = ingest(
        opened,
        symbols,
        start=start,
        end=end,
        store=BarStore(load_settings().store_folder),
        clock=SystemClock(),
        delay=source_delay(),
    )
    if opened.capabilities.remote:
        check_complete(outcomes, opened)
    return outcomes


def joined(answers: Iterable[object]) -> tuple[IngestOutcome, ...]:
    """Put the answers of parallel fetches together.

    Raises:
        SymbolNotFoundError: Naming every symbol that no fetch found.
        TradingError: The first other failure.
    """
    outcomes: list[IngestOutcome] = []
    unknown: list[SymbolNotFoundError] = []
    for answer in answers:
        if isinstance(answer, SymbolNotFoundError):
            unknown.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            outcomes += cast("tuple[IngestOutcome, ...]", answer)
    if unknown:
        names = tuple(name for each in unknown for name in each.symbols)
        raise dataclasses.replace(unknown[0], symbols=names)
    return tuple(outcomes)


def assemble_bars(
    outcomes: tuple[IngestOutcome, ...],
    *,
    source: str,
    feed: str | None,
    start: dt.date | None,
    end: dt.date | None,
    adjustment: Adjustment,
    as_of: dt.date | None,
    version: str,  # noqa: ARG001 - what the source says of itself is part of the answer
) -> DatasetRef:
    """Make one dataset of all symbols, or name every symbol that is missing."""
    settings = load_settings()
    symbols = tuple(each.symbol for each in outcomes)
    bars = assemble(
        outcomes,
        source=configured_source(source, feed=feed, symbols=symbols),
        store=BarStore(settings.store_folder),
        start=start,
        end=end,
        adjustment=adjustment,
        datasets_dir=settings.datasets_folder,
    )
    return dataclasses.replace(bars, as_of=as_of)


def batches(symbols: list[str], *, source: str, feed: str | None) -> list[tuple[str, ...]]:
    """Split symbols into what one task fetches: all of a local source, one of a remote one."""
    if configured_source(source, feed=feed, symbols=tuple(symbols)).capabilities.remote:
        return [(symbol,) for symbol in symbols]
    return [tuple(symbols)]
