"""From a source into the store: fetch, validate, keep, and say what happened to each symbol."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from slices.data.manifest import Origin, StoredBars
from slices.data.validation import ValidatedBars, validate
from slices.domain.calendar import last_completed_session
from slices.domain.errors import DataError, SourceError, SymbolNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.data.store import BarStore
    from slices.domain.clock import Clock
    from slices.domain.ports import BarSource, SourceBars

CLOSE_DELAY = dt.timedelta(minutes=30)
"""How long after the close a remote source needs until its bar is final."""


@dataclass(frozen=True, kw_only=True)
class IngestFailure:
    """Why a symbol has no bars.

    Attributes:
        kind: Class name of the error.
        reason: Its message.
        detail: What the source added about a symbol it does not have.
    """

    kind: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class IngestOutcome:
    """What became of one symbol: either stored bars or a failure."""

    symbol: str
    stored: StoredBars | None = None
    failure: IngestFailure | None = None


def ingest(
    source: BarSource,
    symbols: Sequence[str],
    *,
    start: dt.date | None,
    end: dt.date | None,
    store: BarStore,
    clock: Clock,
    delay: dt.timedelta = CLOSE_DELAY,
) -> tuple[IngestOutcome, ...]:
    """Fetch, validate and store each symbol.

    A symbol the source does not have, or whose bars are no good, is a failure with its reason. A
    local source is read whole, so that its bars are stored once. The bar of a session that is not
    over is no bar: a remote source's rows after the last completed session are left out.

    Args:
        source: Where bars come from.
        symbols: What to fetch.
        start: First date wanted, or None for all there is.
        end: Last date wanted, or None for all there is.
        store: Where bars are kept.
        clock: Tells which session is over and when this was.
        delay: How long after the close a remote source's bar is final.

    Returns:
        One outcome per symbol, in the order asked.

    Raises:
        SourceError: Where the source does not deliver or its answer cannot be read (`retryable`
            says whether to try again); the symbols fetched until then are stored.
        StorageError: Where the disk refuses.
    """
    now = clock.now()
    remote = source.capabilities.remote
    final = last_completed_session(now, calendar=source.calendar, delay=delay) if remote else None
    origin = Origin(
        provider=source.name,
        feed=source.feed,
        start=start if remote else None,
        end=end if remote else None,
    )
    good: list[ValidatedBars] = []
    failed: dict[str, IngestFailure] = {}
    try:
        for symbol in symbols:
            found = _checked(source, symbol, origin, final)
            if isinstance(found, IngestFailure):
                failed[symbol] = found
            else:
                good.append(found)
    except SourceError:
        store.put(good, origin=origin, ingested_at=now)
        raise
    stored = {e.symbol: e for e in store.put(good, origin=origin, ingested_at=now)}
    return tuple(
        IngestOutcome(symbol=each, stored=stored.get(each), failure=failed.get(each))
        for each in symbols
    )


def stored_bars(outcomes: Sequence[IngestOutcome]) -> tuple[StoredBars, ...]:
    """List the bars that were stored, in the order asked."""
    return tuple(each.stored for each in outcomes if each.stored is not None)


def failures(outcomes: Sequence[IngestOutcome]) -> tuple[IngestOutcome, ...]:
    """List the outcomes without bars, in the order asked."""
    return tuple(each for each in outcomes if each.stored is None)


def _checked(
    source: BarSource, symbol: str, origin: Origin, final: dt.date | None
) -> ValidatedBars | IngestFailure:
    try:
        fetched = _until(source.fetch(symbol, start=origin.start, end=origin.end), final)
        return validate(fetched, source.capabilities.shape, source.calendar)
    except DataError as failure:
        return _failure(failure)


def _failure(error: DataError) -> IngestFailure:
    detail = error.reason if isinstance(error, SymbolNotFoundError) else ""
    return IngestFailure(kind=type(error).__name__, reason=str(error), detail=detail)


def _until(fetched: SourceBars, last: dt.date | None) -> SourceBars:
    if last is None:
        return fetched
    return dataclasses.replace(fetched, bars=fetched.bars.filter(pl.col("session") <= last))
