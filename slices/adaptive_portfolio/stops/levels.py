"""Levels of stops, bar by bar, each known before its bar begins; and the first bar that hits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from slices.domain.stops import Stop, StopKind
from slices.quant.types import FloatArray

RANGE_SESSIONS = 14


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """The bars of one symbol, those without one left out.

    Attributes:
        sessions: T dates, rising.
        high: T highs; closes where the data has nothing else. Likewise low.
        ranges: T average true ranges; NaN before there are enough bars.
    """

    sessions: tuple[dt.date, ...]
    close: FloatArray
    high: FloatArray
    low: FloatArray
    ranges: FloatArray


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A position as its stop sees it.

    Attributes:
        sign: 1 where it is long, -1 where short.
        first: Place of the first bar that is looked at.
        reference: Price the best price begins with: of the entry, or the close it was armed at.
        ratio: See `StandingStop`.
    """

    sign: int
    first: int
    reference: float
    ratio: float = 1.0


def average_ranges(
    high: FloatArray, low: FloatArray, close: FloatArray, *, sessions: int = RANGE_SESSIONS
) -> FloatArray:
    """Return average true ranges: smoothed as Wilder does, each known at its close.

    Args:
        high: T highs without NaN; likewise low and close.
        low: Lows.
        close: Closes.
        sessions: How many the average begins with.

    Returns:
        T values; NaN for the first `sessions`.

    References:
        Wilder (1978), New concepts in technical trading systems.

    >>> average_ranges(*[np.array([1.0, 2.0, 4.0, 4.0])] * 3, sessions=2).tolist()
    [nan, nan, 1.5, 0.75]
    """
    found = np.full(close.size, np.nan)
    if close.size <= sessions:
        return found
    before = close[:-1]
    true = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    found[sessions] = true[:sessions].mean()
    for t in range(sessions + 1, close.size):
        found[t] = found[t - 1] + (true[t - 1] - found[t - 1]) / sessions
    return found


def levels_of(stop: Stop, track: Track, guarded: Guarded) -> FloatArray:
    """Return the level of every bar looked at, and of the next one, which has not come yet.

    A level stands on earlier bars alone.

    Args:
        stop: Whose.
        track: The symbol's bars.
        guarded: The position.

    Returns:
        K + 1 prices, K the bars from `guarded.first` on; NaN where unknown, and for a stop by
        time.
    """
    first, sign, count = guarded.first, guarded.sign, len(track.sessions) - guarded.first + 1
    match stop.kind:
        case StopKind.FIXED | StopKind.TARGET:
            level = np.nan if stop.level is None else float(stop.level) * guarded.ratio
            return np.full(count, level)
        case StopKind.TRAILING:
            best = _best(track.high if sign > 0 else track.low, guarded)
            return best * (1.0 - sign * (np.nan if stop.trail is None else stop.trail))
        case StopKind.ATR:
            ranges = np.concatenate([[np.nan], track.ranges])[first:]
            multiple = np.nan if stop.multiple is None else stop.multiple
            return _best(track.close, guarded) - sign * multiple * ranges
        case StopKind.TIME:
            return np.full(count, np.nan)


def _best(prices: FloatArray, guarded: Guarded) -> FloatArray:
    """Return the best price before each bar, from the reference on."""
    seen = np.concatenate([[guarded.reference], prices[guarded.first :]])
    best = np.maximum.accumulate(seen) if guarded.sign > 0 else np.minimum.accumulate(seen)
    return np.asarray(best)


def first_hit(stop: Stop, track: Track, guarded: Guarded, levels: FloatArray) -> int | None:
    """Return the place of the first bar that reaches its level; None where none does.

    A touch is enough; with closes alone, closes are looked at.
    """
    first, sign = guarded.first, guarded.sign
    is_low = (stop.kind is StopKind.TARGET) != (sign > 0)
    reached = track.low[first:] <= levels[:-1] if is_low else track.high[first:] >= levels[:-1]
    found = np.flatnonzero(reached)
    return first + int(found[0]) if found.size else None
