"""Noticing that history was restated: after a dividend or a split adjusted prices change.

The venue remembers the newest closes it has seen. Where bars loaded later say something else, a
common ratio is an adjustment and anything else is bad data.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.quant.panel import Panel

REMEMBERED_SESSIONS = 5
SAME = 1e-6
"""Largest relative difference of two prices that are the same: sources round, and not always
alike. No dividend is as small as that."""

COMMON = 1e-4
"""Largest relative difference of the ratios of one restatement: sources round what they adjust."""

FEWEST_SESSIONS = 2
"""Sessions whose prices must tell the same ratio; one price alone may as well be wrong."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownCloses:
    """The newest closes a venue has seen.

    Attributes:
        symbols: N names.
        sessions: K exchange dates, at most `REMEMBERED_SESSIONS`.
        closes: K x N; NaN where a symbol had no bar.
    """

    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    closes: FloatArray


def newest_closes(panel: Panel) -> KnownCloses:
    """Remember the end of a panel."""
    return KnownCloses(
        symbols=panel.symbols,
        sessions=panel.sessions[-REMEMBERED_SESSIONS:],
        closes=panel.close[-REMEMBERED_SESSIONS:].copy(),
    )


def share_ratios(known: KnownCloses, panel: Panel, symbols: Sequence[str]) -> FloatArray:
    """Return how many new shares every old one has become for its value to stay the same.

    Args:
        known: What was seen before.
        panel: Bars as they are now, of these symbols and perhaps others.
        symbols: N names to look at.

    Returns:
        N ratios; 1 where prices are as they were, or were not seen before.

    Raises:
        BadDataError: Naming the symbol, the session and both prices where a price changed and
            nothing explains it, or is gone.
    """
    rows = {session: row for row, session in enumerate(panel.sessions)}
    columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
    ratios = np.ones(len(symbols))
    for place, symbol in enumerate(symbols):
        if symbol in known.symbols:
            seen = _seen(known, symbol)
            now = [
                (session, before, _price(panel, rows.get(session), columns[symbol]))
                for session, before in seen
            ]
            ratios[place] = _share_ratio(symbol, now)
    return ratios


def _seen(known: KnownCloses, symbol: str) -> list[tuple[dt.date, float]]:
    closes = known.closes[:, known.symbols.index(symbol)].tolist()
    return [(s, c) for s, c in zip(known.sessions, closes, strict=True) if not np.isnan(c)]


def _price(panel: Panel, row: int | None, column: int) -> float:
    return float("nan") if row is None else float(panel.close[row, column])


def _share_ratio(symbol: str, prices: Sequence[tuple[dt.date, float, float]]) -> float:
    """Compare prices of sessions seen before, then and now."""
    if not prices:
        return 1.0
    before, now = (np.array([each[place] for each in prices]) for place in (1, 2))
    ratios = before / np.where(now > 0, now, np.nan)
    if np.all(np.abs(ratios - 1) <= SAME):
        return 1.0
    told = ratios[np.isfinite(ratios)]
    ratio = float(np.median(told)) if told.size else 1.0
    is_off = ~(np.abs(ratios / ratio - 1) <= COMMON)
    if not is_off.any() and ratios.size >= FEWEST_SESSIONS:
        return ratio
    session, old, new = prices[int(np.argmax(is_off))]
    raise BadDataError(
        dataset=symbol,
        problem=f"found {'no close' if np.isnan(new) else f'close {new:g}'} on {session}, where "
        f"it was {old:g}; needed the same price, or prices of all sessions restated by one ratio",
    )
