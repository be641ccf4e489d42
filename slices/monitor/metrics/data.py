"""Metrics of stored bars."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from slices.domain.monitoring import Unit
from slices.monitor.metrics.registering import labelled, metric, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.observations import FeedFacts, Observation
    from slices.monitor.metrics.registering import Reading

SOURCE = "stored bars"


def _feed(name: str, *, unit: Unit) -> Callable[[Callable[[FeedFacts], float]], object]:
    def registered(read: Callable[[FeedFacts], float]) -> object:
        @metric(name, unit=unit, source=SOURCE)
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return ((_named(each), read(each)) for each in seen.data or ())

        return measured

    return registered


def _named(feed: FeedFacts) -> tuple[tuple[str, str], ...]:
    return labelled(source=feed.source, feed=feed.feed)


@metric("data.age_sessions", unit=Unit.SESSIONS, source=SOURCE)
def _age_sessions(seen: Observation) -> Reading:
    """Sessions that should be there and are not, of the oldest symbol of a growing feed."""
    return ((_named(each), each.age_sessions) for each in seen.data or () if not each.is_final)


@metric("data.since_ingested", unit=Unit.SECONDS, source=SOURCE)
def _since_ingested(seen: Observation) -> Reading:
    """Time since bars of a feed were last taken in."""
    return ((_named(each), (seen.at - each.ingested).total_seconds()) for each in seen.data or ())


@metric("data.feeds", unit=Unit.COUNT, source=SOURCE)
def _feeds(seen: Observation) -> Reading:
    """Feeds that bars are stored of."""
    return () if seen.data is None else (((), len(seen.data)),)


@metric("data.stale_feeds", unit=Unit.COUNT, source=SOURCE)
def _stale_feeds(seen: Observation) -> Reading:
    """Feeds that still grow and lack a session that should be there."""
    if seen.data is None:
        return ()
    return (((), sum(each.age_sessions > 0 and not each.is_final for each in seen.data)),)


@_feed("data.symbols", unit=Unit.COUNT)
def _symbols(feed: FeedFacts) -> float:
    """Symbols that bars of a feed are stored of."""
    return feed.symbols


@_feed("data.rows", unit=Unit.COUNT)
def _rows(feed: FeedFacts) -> float:
    """Bars that are stored of a feed."""
    return feed.rows


@_feed("data.gaps", unit=Unit.COUNT)
def _gaps(feed: FeedFacts) -> float:
    """Sessions missing between first and last, over all symbols of a feed."""
    return feed.gaps


@_feed("data.gap_ratio", unit=Unit.FRACTION)
def _gap_ratio(feed: FeedFacts) -> float:
    """Missing sessions over missing and stored ones."""
    return ratio(feed.gaps, feed.gaps + feed.rows)


@_feed("data.quarantined", unit=Unit.COUNT)
def _quarantined(feed: FeedFacts) -> float:
    """Bars of a feed that validation set aside."""
    return feed.quarantined


@_feed("data.quarantine_ratio", unit=Unit.FRACTION)
def _quarantine_ratio(feed: FeedFacts) -> float:
    """Bars set aside over bars set aside and stored."""
    return ratio(feed.quarantined, feed.quarantined + feed.rows)


@_feed("data.suspected_splits", unit=Unit.COUNT)
def _suspected_splits(feed: FeedFacts) -> float:
    """Price jumps of a feed that look like a split nobody adjusted for."""
    return feed.suspected_splits
