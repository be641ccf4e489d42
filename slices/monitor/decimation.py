"""Decimation: as many points as pixels can show, and never without the extremes."""

from __future__ import annotations

import numpy as np

from slices.monitor.svg import Floats

Run = tuple[Floats, Floats]


def finite_runs(x: Floats, y: Floats) -> list[Run]:
    """Split a line where it is undefined, so that no gap is drawn over or drawn to zero."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not known.size:
        return []
    pieces = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
    return [(x[piece], y[piece]) for piece in pieces]


def decimated(x: Floats, y: Floats, *, bucket: float) -> Run:
    """Keep the ends of a line and, of every stretch of `bucket` pixels, its highest and lowest.

    Args:
        x: Pixels across, without NaN.
        y: Pixels down, equally many, without NaN.
        bucket: Width of a stretch in pixels.

    Returns:
        The kept points in their original order; all of them where there are few.
    """
    stretch = np.floor((x - x.min()) / bucket)
    if x.size <= 2 * (stretch.max() + 1):
        return x, y
    starts = np.flatnonzero(np.diff(stretch)) + 1
    kept = {0, x.size - 1}
    for piece in np.split(np.arange(x.size), starts):
        kept.update((int(piece[y[piece].argmin()]), int(piece[y[piece].argmax()])))
    order = np.array(sorted(kept))
    return x[order], y[order]
