"""What is worth an event when a dataset is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.alerts import Event, Level, RowsQuarantined, SplitSuspected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.domain.dataset import DatasetRef


def announcements(bars: DatasetRef) -> Iterator[Event]:
    """List what validation set aside and which jumps look like missed splits, by symbol."""
    for each in bars.quality:
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
