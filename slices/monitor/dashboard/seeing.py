"""What there is to show at a moment: the latest measurement, how old it is, and what is wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.monitoring import Incident
from slices.monitor.alerts.incidents import open_incidents
from slices.monitor.dashboard.wording import plural
from slices.monitor.history import Measurement, read_latest

if TYPE_CHECKING:
    from slices.domain.alerts import Level
    from slices.domain.monitoring import Health
    from slices.domain.observations import Observation
    from slices.monitor.store import Store

OVERDUE_INTERVALS = 3
"""A measurement that is older than so many intervals is no longer the present."""

OVERALL = "overall"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The system as the watch last saw it.

    Attributes:
        now: When it is looked at, UTC.
        measurement: The latest; None where nothing was measured yet.
        incidents: Those that last, the most serious first.
        interval_seconds: Between two measurements of a watch that runs.
    """

    now: dt.datetime
    measurement: Measurement | None
    incidents: tuple[Incident, ...]
    interval_seconds: float

    @property
    def observation(self) -> Observation | None:
        """What was seen, if anything."""
        return self.measurement.observation if self.measurement else None

    @property
    def age_seconds(self) -> float:
        """Seconds since the measurement; infinite without one."""
        if self.measurement is None:
            return float("inf")
        return max(0.0, (self.now - self.measurement.at).total_seconds())

    @property
    def is_watched(self) -> bool:
        """Whether a watch runs, as far as the age of the measurement can tell."""
        return self.age_seconds <= OVERDUE_INTERVALS * self.interval_seconds

    @property
    def health(self) -> tuple[Health, ...]:
        """Scores as measured, overall first; empty without a measurement."""
        return self.measurement.health if self.measurement else ()

    @property
    def score(self) -> float | None:
        """The overall score; None where it is not known."""
        return next((each.score for each in self.health if each.part == OVERALL), None)

    @property
    def worst(self) -> Level | None:
        """The highest level of an open incident; None without any."""
        return self.incidents[0].level if self.incidents else None

    @property
    def halted(self) -> str | None:
        """Why all trading is halted; None where it is not, or nobody looked."""
        return self.observation.halted if self.observation else None

    @property
    def trading(self) -> tuple[str, str]:
        """Tone and words for who may trade; what was not looked at is never called well."""
        if self.halted is not None:
            return "bad", "Halted"
        if not self.is_watched or self.observation is None or self.observation.accounts is None:
            return "neutral", "Not known now"
        states = [each.state for each in self.observation.accounts]
        if halted := states.count(TradingState.HALTED):
            return "bad", f"{plural(halted, 'account')} halted"
        if reducing := states.count(TradingState.REDUCING):
            return "warning", f"{plural(reducing, 'account')} only reducing"
        return "good", "Not halted"

    def reason_unknown(self, part: str) -> str:
        """Say why a part could not be looked at."""
        if self.observation is None:
            return "nothing has been measured yet"
        return dict(self.observation.unknown).get(part, "it was not looked at")


def see(store: Store, *, now: dt.datetime, interval_seconds: float) -> Seen:
    """Read what the watch wrote."""
    return Seen(
        now=now,
        measurement=read_latest(store),
        incidents=open_incidents(store),
        interval_seconds=interval_seconds,
    )
