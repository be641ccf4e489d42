"""The data work flows can order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from slices.data import available, loading, moves, observing
from slices.data.announcements import announcements
from slices.domain.dataset import LoadedBars
from slices.runtime.events import emit
from slices.runtime.kinds import compute, fetch

if TYPE_CHECKING:
    import datetime as dt

    from slices.data.ingest import IngestOutcome
    from slices.domain.bars import Adjustment
    from slices.domain.dataset import DatasetRef

fetch_bars = fetch(loading.fetch_bars, version=loading.fetch_version)
assemble_bars = compute(loading.assemble_bars)
check_sizing_allowed = moves.check_sizing_allowed
feed_facts = observing.feed_facts


def load_bars(
    symbols: list[str],
    *,
    source: str,
    feed: str | None,
    start: dt.date | None,
    end: dt.date | None,
    adjustment: Adjustment,
) -> DatasetRef:
    """Fetch symbols in parallel and assemble one dataset.

    Raises:
        SymbolNotFoundError: Naming every symbol the source does not have, and what it has.
        SourceError: Where a provider does not deliver after the retries.
    """
    groups = loading.batches(symbols, source=source, feed=feed)
    fetched = fetch_bars.map(groups, source=source, feed=feed, start=start, end=end)
    outcomes = loading.joined(each.result(raise_on_failure=False) for each in fetched)
    return _announced(
        _assembled(outcomes, source=source, feed=feed, start=start, end=end, adjustment=adjustment)
    )


def load_available(
    symbols: list[str],
    *,
    source: str,
    feed: str | None,
    start: dt.date | None,
    end: dt.date | None,
    adjustment: Adjustment,
) -> LoadedBars:
    """Fetch symbols in parallel, assemble those that can be used and name the others.

    A symbol is left out where the source does not have it or cannot deliver it, where it has no
    bars between the dates, and where a jump looks like a split nobody adjusted for.

    Raises:
        SymbolNotFoundError: Where the source has none of the symbols.
        SourceError: Where a provider delivers none of them.
    """
    known, unknown = available.known_symbols(symbols, source=source, feed=feed)
    groups = loading.batches(list(known), source=source, feed=feed)
    fetched = fetch_bars.map(groups, source=source, feed=feed, start=start, end=end)
    answers = [each.result(raise_on_failure=False) for each in fetched]
    outcomes, failed = available.parted(groups, answers, start=start, end=end)
    assembled = partial(
        _assembled, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    bars = assembled(outcomes)
    suspects = available.suspects(bars)
    usable = available.without(outcomes, suspects)
    _announced(bars)
    if suspects and not usable:
        check_sizing_allowed(bars)
    if suspects:
        bars = assembled(usable)
    return LoadedBars(bars=bars, left_out=(*unknown, *failed, *suspects))


def _assembled(
    outcomes: tuple[IngestOutcome, ...],
    *,
    source: str,
    feed: str | None,
    start: dt.date | None,
    end: dt.date | None,
    adjustment: Adjustment,
) -> DatasetRef:
    symbols = tuple(each.symbol for each in outcomes)
    return assemble_bars(
        outcomes,
        source=source,
        feed=feed,
        start=start,
        end=end,
        adjustment=adjustment,
        as_of=loading.asked_session(source, feed=feed, end=end),
        version=loading.fetch_version(symbols, source=source, feed=feed, start=start, end=end),
    )


def _announced(bars: DatasetRef) -> DatasetRef:
    for event in announcements(bars):
        emit(event)
    return bars
