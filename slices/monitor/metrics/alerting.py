"""Metrics of alerts themselves, and of what the watch could not look at."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from slices.domain.alerts import Level
from slices.domain.monitoring import Part, Unit
from slices.monitor.metrics.registering import labelled, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.observations import AlertFacts, Observation
    from slices.monitor.metrics.registering import Reading

SOURCE = "incidents"


def _alerts(name: str, *, unit: Unit) -> Callable[[Callable[[AlertFacts], float]], object]:
    def registered(read: Callable[[AlertFacts], float]) -> object:
        @metric(name, unit=unit, source=SOURCE)
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return () if seen.alerts is None else (((), read(seen.alerts)),)

        return measured

    return registered


@metric("alerts.open", unit=Unit.COUNT, source=SOURCE)
def _open(seen: Observation) -> Reading:
    """Incidents that last, by level."""
    return () if seen.alerts is None else _by_level(dict(seen.alerts.open))


@metric("alerts.opened", unit=Unit.COUNT, source=SOURCE)
def _opened(seen: Observation) -> Reading:
    """Incidents that began in the last 24 hours, by level."""
    return () if seen.alerts is None else _by_level(dict(seen.alerts.opened))


@_alerts("alerts.unacknowledged", unit=Unit.COUNT)
def _unacknowledged(alerts: AlertFacts) -> float:
    """Incidents that last and that nobody has acknowledged."""
    return alerts.unacknowledged


@_alerts("alerts.undelivered", unit=Unit.COUNT)
def _undelivered(alerts: AlertFacts) -> float:
    """Notifications that no receiver has taken yet."""
    return alerts.undelivered


@_alerts("alerts.oldest_undelivered", unit=Unit.SECONDS)
def _oldest_undelivered(alerts: AlertFacts) -> float:
    """How long the oldest notification has waited for a receiver."""
    return alerts.oldest_undelivered_seconds


@_alerts("alerts.delivered", unit=Unit.COUNT)
def _delivered(alerts: AlertFacts) -> float:
    """Notifications that a receiver has taken."""
    return alerts.delivered


@_alerts("events.count", unit=Unit.COUNT)
def _events(alerts: AlertFacts) -> float:
    """Events that were counted into incidents."""
    return alerts.events


@metric("watch.unseen", unit=Unit.STATE, source="watch")
def _unseen(seen: Observation) -> Reading:
    """1 for a part that could not be looked at, else 0."""
    unknown = {part for part, _ in seen.unknown}
    return ((labelled(part=each.value), float(each.value in unknown)) for each in Part)


def _by_level(counts: dict[str, int]) -> Reading:
    return ((labelled(level=each.value), counts.get(each.value, 0)) for each in Level)
