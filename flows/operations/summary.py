"""The state of the system for notebooks and terminals: as the watch saw it, or seen now."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from prefect.settings import PREFECT_API_URL

from flows.operations.observing import Observer
from slices.domain.clock import Clock, SystemClock
from slices.monitor.alerts.incidents import alert_facts
from slices.monitor.dashboard.seeing import Seen, see
from slices.monitor.dashboard.text import summary
from slices.monitor.health import health
from slices.monitor.history import Measurement
from slices.monitor.metrics import measure
from slices.monitor.store import Store, open_store
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from typing import Self

    from slices.domain.observations import Observation


NO_WATCH = "No watch runs: measured here, and no alert is sent. Start: tradeflows watch"


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The system at one moment.

    Attributes:
        measured_here: Whether it was measured for this call, because no watch runs.
    """

    seen: Seen
    measured_here: bool

    def generate_summary(self) -> str:
        """Say in plain text how everything is."""
        text = summary(self.seen)
        if not self.measured_here:
            return text
        return f"{NO_WATCH}\n{text}"

    def __repr__(self) -> str:
        return self.generate_summary()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.generate_summary())}</pre>"


class Looker:
    """Shows what the watch measured and, where none runs, measures.

    Args:
        store: Of the watch.
        api_url: Of the Prefect server; None where there is none.
        interval_seconds: Between two measurements.
        clock: What time it is.
    """

    def __init__(
        self, *, store: Store, api_url: str | None, interval_seconds: float, clock: Clock
    ) -> None:
        self.store = store
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._observer = Observer(api_url=api_url, store=store)
        self._own: Measurement | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_problem: object) -> None:
        """Close what was opened."""
        self.close()

    def close(self) -> None:
        """Close what was opened."""
        self._observer.close()

    def look(self) -> Dashboard:
        """Return the present state."""
        now = self._clock.now()
        seen = see(self.store, now=now, interval_seconds=self._interval_seconds)
        if seen.is_watched:
            return Dashboard(seen=seen, measured_here=False)
        return Dashboard(seen=replace(seen, measurement=self._measured(seen)), measured_here=True)

    def _measured(self, seen: Seen) -> Measurement:
        pause = dt.timedelta(seconds=self._interval_seconds)
        if self._own is None or abs(seen.now - self._own.at) >= pause:
            self._own = _measurement(self._observation(seen.now), seen)
        return self._own

    def _observation(self, at: dt.datetime) -> Observation:
        """Look at everything, at the alerts of the watch that ended too."""
        return replace(self._observer.observe(at), alerts=alert_facts(self.store, at=at))


def _measurement(observation: Observation, seen: Seen) -> Measurement:
    samples = measure(observation)
    scores = health(observation, samples, seen.incidents)
    return Measurement(at=seen.now, observation=observation, samples=samples, health=scores)


def opened_looker(store: Store) -> Looker:
    """Make a looker of the settings."""
    return Looker(
        store=store,
        api_url=PREFECT_API_URL.value() or None,
        interval_seconds=load_settings().watch_seconds,
        clock=SystemClock(),
    )


def current_dashboard() -> Dashboard:
    """Look at the system of the settings."""
    with closing(open_store()) as store, opened_looker(store) as looker:
        return looker.look()
