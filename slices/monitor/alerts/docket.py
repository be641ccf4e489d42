"""Incidents while they are judged: what was seen opens, counts, worsens and ends them.

Pure: incidents in, incidents out. What was seen is taken in the order in which it happened, and
each incident depends on that alone, so that it does not matter in how many looks it came.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slices.domain.alerts import Level
from slices.domain.monitoring import AlertRule, Incident
from slices.monitor.alerts.subjects import incident_key

if TYPE_CHECKING:
    from collections.abc import Iterable

REOPENED = dt.timedelta(hours=1)
"""What comes back so soon is the same incident, so that flapping is not many."""

INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Something that a rule is about was seen.

    Attributes:
        at: When it was seen.
        since: When it began.
        value: What was measured; None where the number of sightings is what counts.
        threshold: From which on somebody is told.
        count: How often it was seen.
    """

    rule: AlertRule
    subject: str
    at: dt.datetime
    level: Level
    message: str
    since: dt.datetime
    value: float | None = None
    threshold: float = 1.0
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a rule is about is over."""

    rule: AlertRule
    subject: str
    at: dt.datetime


class Docket:
    """The newest incident of each rule and subject."""

    def __init__(self, incidents: Iterable[Incident], rules: Iterable[AlertRule]) -> None:
        self._rules = {each.name: each for each in rules}
        known = sorted(incidents, key=lambda each: (each.is_open, each.opened))
        self._newest = {(each.rule, each.subject): each for each in known}
        self._changed: dict[str, Incident] = {}

    @property
    def changed(self) -> tuple[Incident, ...]:
        """Incidents that are not as they were."""
        return tuple(self._changed.values())

    @property
    def open(self) -> tuple[Incident, ...]:
        """Incidents that last."""
        return tuple(each for each in self._newest.values() if each.is_open)

    def is_open(self, rule: str, subject: str) -> bool:
        """Tell whether there is an incident that lasts."""
        known = self._newest.get((rule, subject))
        return known is not None and known.is_open

    def take(self, news: Iterable[Sighting | Ending]) -> None:
        """Take what was seen, in its order."""
        for each in news:
            if isinstance(each, Sighting):
                self._see(each)
            else:
                self._end(each)

    def expire(self, at: dt.datetime) -> None:
        """End incidents of events and runs of which nothing has been heard for long."""
        for each in self.open:
            self._expire(each, at)

    def _see(self, sighting: Sighting) -> None:
        known = self._newest.get((sighting.rule.name, sighting.subject))
        if known is not None and known.is_open:
            known = self._expire(known, sighting.at)
        if known is None:
            self._keep(_opened(sighting))
        elif known.is_open:
            self._keep(_counted(known, sighting))
        elif _is_same(known, sighting):
            self._keep(_counted(replace(known, resolved=None, acknowledged=None), sighting))
        else:
            self._keep(_opened(sighting))

    def _end(self, ending: Ending) -> None:
        known = self._newest.get((ending.rule.name, ending.subject))
        if known is None or not known.is_open:
            return
        # A run may have ended before the one that opened the incident. What was measured comes in
        # order: where its moment is earlier, the clock was set back.
        if ending.rule.metric or ending.at >= known.last_seen:
            self._keep(_ended(known, ending.at))

    def _expire(self, known: Incident, at: dt.datetime) -> Incident:
        rule = self._rules.get(known.rule)
        if rule is not None and rule.metric:
            return known
        seconds = rule.ends_after_seconds if rule else AlertRule.ends_after_seconds
        last = known.last_seen + dt.timedelta(seconds=seconds)
        return known if at <= last else self._keep(_ended(known, last))

    def _keep(self, incident: Incident) -> Incident:
        self._newest[incident.rule, incident.subject] = incident
        self._changed[incident.key] = incident
        return incident


def _opened(sighting: Sighting) -> Incident:
    rule = sighting.rule
    return Incident(
        key=incident_key(rule.name, sighting.subject, sighting.since),
        rule=rule.name,
        subject=sighting.subject,
        level=sighting.level,
        message=sighting.message,
        next_step=rule.next_step,
        value=float(sighting.count) if sighting.value is None else sighting.value,
        threshold=sighting.threshold,
        count=sighting.count,
        opened=sighting.since,
        last_seen=sighting.at,
    )


def _counted(known: Incident, sighting: Sighting) -> Incident:
    """Count a sighting; one that is worse has to be told at once, whoever knew of the lesser."""
    count = known.count + sighting.count
    counted = replace(
        known,
        count=count,
        last_seen=max(known.last_seen, sighting.at),
        value=float(count) if sighting.value is None else sighting.value,
    )
    if sighting.level.rank < known.level.rank:
        return counted
    said = replace(counted, message=sighting.message, threshold=sighting.threshold)
    if sighting.level is known.level:
        return said
    return replace(said, level=sighting.level, notified=None, acknowledged=None, acknowledged_by="")


def _ended(known: Incident, at: dt.datetime) -> Incident:
    told = known.notified + INSTANT if known.notified else at
    return replace(known, resolved=max(at, told, known.opened))


def _is_same(known: Incident, sighting: Sighting) -> bool:
    """Tell whether an incident goes on; what is critical is always told anew."""
    if Level.CRITICAL in (known.level, sighting.level) or known.resolved is None:
        return False
    return known.opened - REOPENED < sighting.since < known.resolved + REOPENED
