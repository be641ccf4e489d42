"""The separate drawdowns of an account value, with their dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.tearsheets import DrawdownEpisode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.quant.types import FloatArray


def below_peak(values: FloatArray) -> FloatArray:
    """Return how far each value is below the highest one so far, as a positive fraction.

    >>> below_peak(np.array([100.0, 50.0, 200.0])).tolist()
    [0.0, 0.5, 0.0]
    """
    return np.asarray(1.0 - values / np.maximum.accumulate(values), dtype=np.float64)


def drawdown_episodes(
    values: FloatArray, sessions: Sequence[dt.date], *, most: int
) -> tuple[DrawdownEpisode, ...]:
    """List the deepest drawdowns, deepest first, of equally deep ones the older first.

    Args:
        values: T positive account values.
        sessions: T dates, rising.
        most: How many to list at most.

    Returns:
        Fewer where there were fewer; the one that has not ended is among them.

    >>> import datetime as dt
    >>> days = tuple(dt.date(2024, 1, day) for day in (2, 3, 4, 5))
    >>> first = drawdown_episodes(np.array([100.0, 80.0, 90.0, 100.0]), days, most=5)[0]
    >>> round(first.depth, 12), str(first.trough), str(first.recovery), first.sessions
    (0.2, '2024-01-03', '2024-01-05', 3)
    """
    below = below_peak(values)
    under = np.concatenate(([False], below > 0, [False]))
    edges = np.flatnonzero(under[1:] != under[:-1])
    found = [
        _episode(below, sessions, int(start), int(end))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]
    return tuple(sorted(found, key=lambda each: -each.depth)[:most])


def _episode(
    below: FloatArray, sessions: Sequence[dt.date], start: int, end: int
) -> DrawdownEpisode:
    """Describe the stretch of rows `start` to `end` - 1; row `start` - 1 is at the peak."""
    trough = start + int(below[start:end].argmax())
    recovered = end < below.size
    return DrawdownEpisode(
        depth=float(below[trough]),
        peak=sessions[start - 1],
        trough=sessions[trough],
        recovery=sessions[end] if recovered else None,
        sessions=(end if recovered else end - 1) - (start - 1),
        sessions_to_trough=trough - (start - 1),
    )
