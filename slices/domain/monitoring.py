"""Metrics, health, alert rules and incidents: the words of watching a system."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from slices.domain.alerts import Level


class Unit(StrEnum):
    """What a metric counts in; the end of its name in Prometheus."""

    FRACTION = "ratio"
    BYTES = "bytes"
    SECONDS = "seconds"
    SESSIONS = "sessions"
    COUNT = "count"
    MONEY = "currency"
    BASIS_POINTS = "basis_points"
    STATE = "state"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measured value.

    Attributes:
        metric: Name of the metric type, such as `host.cpu`.
        labels: What it is about, such as (("account", "daily"),), sorted by name.
        value: In the unit of the metric type; NaN where it is undefined.
    """

    metric: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Part(StrEnum):
    """What can be healthy or not: the slices, and what they stand on."""

    HOST = "host"
    ORCHESTRATION = "orchestration"
    DATA = "data"
    TRADING = "trading"
    MODELS = "models"
    ALERTING = "alerting"


@dataclass(frozen=True, kw_only=True)
class LostPoints:
    """Why a health score is not 100."""

    points: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """A score from 0 to 100; None where too little is known to give one."""

    part: str
    score: float | None
    lost: tuple[LostPoints, ...]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One event as the outbox kept it.

    Attributes:
        number: Grows with every event that is put in.
        event_id: UUID under which the event stream knows it too.
        name: Of the event, such as `tradeflows.data.stale`.
    """

    number: int
    at: dt.datetime
    event_id: str
    name: str
    subject: str
    level: Level
    message: str


class Comparison(StrEnum):
    """On which side of a threshold a value is beyond it; the threshold itself is beyond it too."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """When somebody has to know, and what to do then.

    A rule is about a metric (`metric`, `comparison`, `threshold`), about events (`events`) or
    about flow runs (`states`).

    Attributes:
        name: In words joined by hyphens; with the subject it names an incident.
        level: Of its alerts; for events the least: an event that says more is believed.
        title: What has happened, in a few words.
        next_step: What a person should do, with the command.
        why: Why its numbers are what they are.
        metric: Name of a metric type.
        where: Labels that a sample must have to be looked at; none of `without` may it have.
        threshold: From which on the value is beyond it.
        worse: Thresholds from which on the same incident is of a higher level, rising.
        clears: Value at which the end of an incident begins, less than the threshold, so that
            noise around the threshold is one incident; None takes the threshold.
        calm_seconds: How long a value must be back before its incident ends.
        ends_when_gone: Whether an incident ends when its part was looked at and what it is about
            is there no longer, such as a run that ended.
        events: Names of the events that open an incident; `*` takes what no other rule names.
            Beside a metric they say the same as it, and only the metric counts.
        is_joint: Whether all subjects make one incident, where one cause reaches many at once.
        states: States of flow runs that open an incident; each run is counted once, and a later run
            of the same deployment that ends well ends it.
        for_seconds: How long the value must be beyond the threshold before anybody is told.
        cooldown_seconds: Least time between two notifications about one incident.
        ends_after_seconds: An incident of events or runs ends when none has come for so long.
        halts: Whether trading stops at once.
        runs: Deployment that is started, as flow/name; empty for none.
        pauses: Tag of the deployments whose schedules are paused; empty for none.
    """

    name: str
    level: Level
    title: str
    next_step: str
    why: str = ""
    metric: str = ""
    where: tuple[tuple[str, str], ...] = ()
    without: tuple[tuple[str, str], ...] = ()
    comparison: Comparison = Comparison.ABOVE
    threshold: float = 0.0
    worse: tuple[tuple[Level, float], ...] = ()
    clears: float | None = None
    calm_seconds: float = 300.0
    ends_when_gone: bool = False
    is_joint: bool = False
    events: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    for_seconds: float = 0.0
    cooldown_seconds: float = 3600.0
    ends_after_seconds: float = 86_400.0
    halts: bool = False
    runs: str = ""
    pauses: str = ""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that is wrong from one moment to another, however often it was seen.

    Attributes:
        key: Rule and subject and when it opened; names it for good.
        subject: What it is about, such as an account or a deployment.
        count: How often it was seen: events, or measurements beyond the threshold.
        attempts: Notifications that were sent, each until its receiver has taken it.
        delivered: When a receiver last took one.
    """

    key: str
    rule: str
    subject: str
    level: Level
    message: str
    next_step: str
    value: float
    threshold: float
    count: int
    opened: dt.datetime
    last_seen: dt.datetime
    resolved: dt.datetime | None = None
    notified: dt.datetime | None = None
    attempts: int = 0
    delivered: dt.datetime | None = None
    acknowledged: dt.datetime | None = None
    acknowledged_by: str = ""
    silenced_until: dt.datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.resolved is None
