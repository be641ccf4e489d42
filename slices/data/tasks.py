"""The data work flows can order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.data import loading, moves
from slices.data.announcements import announcements
from slices.runtime.events import emit
from slices.runtime.kinds import compute, fetch

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.bars import Adjustment
    from slices.domain.dataset import DatasetRef

fetch_bars = fetch(loading.fetch_bars, version=loading.fetch_version)
assemble_bars = compute(loading.assemble_bars)
check_sizing_allowed = moves.check_sizing_allowed


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
    bars = assemble_bars(
        outcomes,
        source=source,
        feed=feed,
        start=start,
        end=end,
        adjustment=adjustment,
        as_of=loading.asked_session(source, feed=feed, end=end),
        version=loading.fetch_version(
            tuple(symbols), source=source, feed=feed, start=start, end=end
        ),
    )
    for event in announcements(bars):
        emit(event)
    return bars
