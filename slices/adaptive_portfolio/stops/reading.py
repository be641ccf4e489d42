"""Reading the stops of an account: how near each is, and which were hit."""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.stops.levels import (
    Guarded,
    Track,
    average_ranges,
    first_hit,
    levels_of,
)
from slices.domain.calendar import sessions_between
from slices.domain.errors import BadDataError, ParameterError, SymbolNotFoundError
from slices.domain.stop_monitor import StopReading
from slices.domain.stops import StopKind

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Position
    from slices.domain.dataset import DatasetRef
    from slices.domain.stop_monitor import StandingStop, StopBook
    from slices.domain.stops import Stop
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

DAY = dt.timedelta(days=1)


def track_of(panel: Panel, symbol: str) -> Track:
    """Take the bars of one symbol out of a panel."""
    place = panel.symbols.index(symbol)
    has_bar = np.isfinite(panel.close[:, place])
    close = panel.close[has_bar, place]
    high = close if panel.high is None else panel.high[has_bar, place]
    low = close if panel.low is None else panel.low[has_bar, place]
    return Track(
        sessions=tuple(panel.sessions[i] for i in np.flatnonzero(has_bar)),
        close=close,
        high=high,
        low=low,
        ranges=average_ranges(high, low, close),
    )


def guarded_by(stop: Stop, position: Position, track: Track, *, ratio: float) -> Guarded:
    """Say from which bar on a stop looks, and at what price it begins.

    A position that was opened later than its stop was armed is looked at from its entry on.

    Raises:
        ParameterError: Where the bars begin after that.
    """
    is_later = position.opened > stop.armed
    begins = position.opened if is_later else stop.armed
    if track.sessions[0] > begins:
        raise ParameterError(
            parameter="start",
            found=f"bars of {stop.symbol} from {track.sessions[0]} on",
            allowed=f"{begins} or earlier, from which on its {stop.kind} stop looks at them",
        )
    first = bisect_right(track.sessions, max(stop.armed, position.opened - DAY))
    reference = float(position.average_price) if is_later else float(track.close[first - 1])
    return Guarded(
        sign=1 if position.quantity > 0 else -1, first=first, reference=reference, ratio=ratio
    )


def read_stops(
    bars: DatasetRef, panel: Panel, book: AccountBook, stops: StopBook
) -> tuple[StopReading, ...]:
    """Read every stop that guards a position, the nearest first.

    Raises:
        SymbolNotFoundError: Where there are no bars of something held.
    """
    lacking = tuple(each.symbol for each in book.positions if each.symbol not in panel.symbols)
    if lacking:
        raise SymbolNotFoundError(
            symbols=lacking,
            source=f"{bars.source}/{bars.feed}",
            available=bars.symbols,
            reason=f"account '{book.name}' holds it, so its stops cannot be checked",
        )
    held = {each.symbol: each for each in book.positions}
    tracks = {each: track_of(panel, each) for each in held}
    found = [
        _reading(each, held[each.stop.symbol], tracks[each.stop.symbol], bars)
        for each in stops.standing
        if each.stop.symbol in held and not each.is_waiting
    ]
    return tuple(sorted(found, key=_nearness))


def _nearness(reading: StopReading) -> tuple[bool, float, str, str]:
    distance = math.inf if math.isnan(reading.distance) else reading.distance
    return (not reading.is_due, distance, reading.stop.symbol, reading.stop.stop_id)


def _reading(
    standing: StandingStop, position: Position, track: Track, bars: DatasetRef
) -> StopReading:
    stop = standing.stop
    if not track.sessions:
        raise BadDataError(dataset="bars", problem=f"{stop.symbol} has none, and it is held")
    guarded = guarded_by(stop, position, track, ratio=standing.ratio)
    levels = levels_of(stop, track, guarded)
    close, level, usual = float(track.close[-1]), float(levels[-1]), float(track.ranges[-1])
    hit, hit_level, left = _hit(stop, track, guarded, levels, bars)
    ahead = (level - close) * guarded.sign * (1 if stop.kind is StopKind.TARGET else -1)
    covered = position.quantity
    if standing.covers is not None:
        covered = standing.covers.copy_sign(covered)
    shares = abs(float(covered))
    return StopReading(
        stop=stop,
        order=standing.order,
        quantity=covered,
        entry="" if standing.covers is None else stop.stop_id.partition(":")[0],
        average_price=float(position.average_price),
        close=close,
        level=level,
        distance=ahead / close,
        distance_ranges=ahead / usual if usual > 0 else math.nan,
        sessions_left=left,
        unrealized_pnl=(close - float(position.average_price)) * float(covered),
        at_risk=math.nan if stop.kind is StopKind.TARGET else _at_risk(ahead, shares),
        hit=hit,
        hit_level=hit_level,
        looked=len(track.sessions) - guarded.first,
    )


def _at_risk(ahead: float, shares: float) -> float:
    return math.nan if math.isnan(ahead) else max(0.0, ahead) * shares


def _hit(
    stop: Stop, track: Track, guarded: Guarded, levels: FloatArray, bars: DatasetRef
) -> tuple[dt.date | None, float, float]:
    """Return the session of the first hit, its level, and the sessions left of a stop by time."""
    if stop.kind is StopKind.TIME:
        passed = sessions_between(stop.armed + DAY, bars.last_session, calendar=bars.calendar)
        most = stop.most_sessions or 1
        hit = passed[most - 1] if len(passed) >= most else None
        return hit, math.nan, float(max(0, most - len(passed)))
    place = first_hit(stop, track, guarded, levels)
    if place is None:
        return None, math.nan, math.nan
    return track.sessions[place], float(levels[place - guarded.first]), math.nan
