"""What is worth an event when a dataset is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.data.freshness import freshness
from slices.domain.alerts import DataStale, Event, Level, RowsQuarantined, SplitSuspected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.domain.dataset import DatasetRef, SymbolQuality


def _staleness(quality: SymbolQuality, bars: DatasetRef) -> Iterator[Event]:
    if bars.as_of is None:
        return
    age = freshness(quality.last_session, bars.as_of, calendar=bars.calendar)
    if age.level is not None:
        yield DataStale(
            subject=quality.symbol,
            level=age.level,
            message=f"{quality.symbol}: newest bar of {age.last_session}, asked for {age.as_of}",
            missing_sessions=age.missing_sessions,
        )


def announcements(bars: DatasetRef) -> Iterator[Event]:
    """List what was set aside, which jumps look like missed splits and what is old, by symbol."""
    for each in bars.quality:
        yield from _staleness(each, bars)
        if each.quarantined_rows:
            why = ", ".join(f"{count} x {reason}" for reason, count in each.quarantined)
            yield RowsQuarantined(
                subject=each.symbol,
                level=Level.WARNING,
                message=f"{each.symbol}: {each.quarantined_rows} rows set aside ({why})",
                rows=each.quarantined_rows,
            )
        for move in each.suspected_splits:
            yield SplitSuspected(
                subject=each.symbol,
                level=Level.ERROR,
                message=f"{each.symbol}: {move.change:+.1%} on {move.session} looks like a split",
                change=move.change,
            )
