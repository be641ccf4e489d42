"""Levels of alerts and the typed events that slices emit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Level(StrEnum):
    """How much an event matters, from good to know to act now."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place among the levels, from 0.

        >>> Level.WARNING.rank < Level.CRITICAL.rank
        True
        """
        return list(Level).index(self)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened and that a person or an automation may act on.

    Subclasses set `name`; their fields become the payload. `subject` is what it happened to.
    """

    name: ClassVar[str] = "tradeflows.event"
    subject: str
    level: Level
    message: str

    def labels(self) -> dict[str, str]:
        """Say what automations may match beyond name, subject and level."""
        return {}


@dataclass(frozen=True, kw_only=True)
class RowsQuarantined(Event):
    """Validation set rows of a symbol aside."""

    name: ClassVar[str] = "tradeflows.data.quarantined"
    rows: int


@dataclass(frozen=True, kw_only=True)
class SplitSuspected(Event):
    """A price jump looks like a split nobody adjusted for."""

    name: ClassVar[str] = "tradeflows.data.split-suspected"
    change: float


@dataclass(frozen=True, kw_only=True)
class DataStale(Event):
    """The newest bar is older than allowed."""

    name: ClassVar[str] = "tradeflows.data.stale"
    missing_sessions: int


@dataclass(frozen=True, kw_only=True)
class ResultRefused(Event):
    """A cached result was not what had been written and was thrown away."""

    name: ClassVar[str] = "tradeflows.cache.refused"
    path: str


@dataclass(frozen=True, kw_only=True)
class TradingPaused(Event):
    """Losses took an account part or all of its right to trade."""

    name: ClassVar[str] = "tradeflows.risk.paused"
    state: str
    session: str


@dataclass(frozen=True, kw_only=True)
class LimitBreached(Event):
    """An account is beyond one of its limits."""

    name: ClassVar[str] = "tradeflows.risk.limit-breached"
    limit: str
    used: float
    allowed: float
    session: str


@dataclass(frozen=True, kw_only=True)
class FeatureDrifted(Event):
    """Features no longer look as they did in training."""

    name: ClassVar[str] = "tradeflows.model.drifted"
    features: int
    worst: str
    session: str


@dataclass(frozen=True, kw_only=True)
class SkillDecayed(Event):
    """A model no longer predicts as it did out of sample."""

    name: ClassVar[str] = "tradeflows.model.decayed"
    information_coefficient: float
    expected: float
    session: str


@dataclass(frozen=True, kw_only=True)
class ModelAged(Event):
    """A champion was trained longer ago than allowed."""

    name: ClassVar[str] = "tradeflows.model.aged"
    age_sessions: int
    allowed_sessions: int


@dataclass(frozen=True, kw_only=True)
class PredictionRefused(Event):
    """A model was not asked, or not listened to."""

    name: ClassVar[str] = "tradeflows.model.refused"
    session: str


@dataclass(frozen=True, kw_only=True)
class ChampionChanged(Event):
    """Another version of a model trades from now on, or none does."""

    name: ClassVar[str] = "tradeflows.model.champion-changed"
    version: int
    before: int


@dataclass(frozen=True, kw_only=True)
class AlertFired(Event):
    """An incident somebody has to know about; `attempt` counts what was sent about it.

    Attributes:
        incident: Its key.
        rule: Name of the rule.
        halts: Whether trading was stopped.
        runs: Deployment to be started, as flow/name; empty for none.
        pauses: Tag of the deployments to be paused; empty for none.
        count: How often it was seen.
    """

    name: ClassVar[str] = "tradeflows.alert.fired"
    incident: str
    rule: str
    attempt: int
    count: int
    value: float
    threshold: float
    opened: str
    next_step: str
    halts: bool
    runs: str
    pauses: str

    def labels(self) -> dict[str, str]:
        """Name incident, rule, attempt and actions, which automations tell apart."""
        return {
            "tradeflows.incident": self.incident,
            "tradeflows.rule": self.rule,
            "tradeflows.attempt": str(self.attempt),
            "tradeflows.halts": "yes" if self.halts else "no",
            "tradeflows.runs": self.runs or "none",
            "tradeflows.pauses": self.pauses or "none",
        }


@dataclass(frozen=True, kw_only=True)
class AlertResolved(Event):
    """An incident has ended."""

    name: ClassVar[str] = "tradeflows.alert.resolved"
    incident: str
    rule: str
    lasted_seconds: float
    attempt: int = 1

    def labels(self) -> dict[str, str]:
        """Name incident, rule and attempt, which automations tell apart."""
        return {
            "tradeflows.incident": self.incident,
            "tradeflows.rule": self.rule,
            "tradeflows.attempt": str(self.attempt),
        }


@dataclass(frozen=True, kw_only=True)
class AlertTested(Event):
    """Somebody wants to see whether alerts arrive."""

    name: ClassVar[str] = "tradeflows.alert.tested"


@dataclass(frozen=True, kw_only=True)
class WatchBeat(Event):
    """The watch looks; silence means that nobody does."""

    name: ClassVar[str] = "tradeflows.watch.beat"
    measured: int


@dataclass(frozen=True, kw_only=True)
class BrokerUnreachable(Event):
    """A broker did not answer where an answer was needed."""

    name: ClassVar[str] = "tradeflows.broker.unreachable"
    broker: str


@dataclass(frozen=True, kw_only=True)
class BooksDisagree(Event):
    """A broker and the books of an account differ, and nothing explains it."""

    name: ClassVar[str] = "tradeflows.ledger.disagree"
    broker: str
