"""The watch: looks at the system, judges what it sees, halts, tells, and shows that it lives."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import uuid4

from prefect.logging import get_logger

from flows.operations.halting import halt, halt_unjudged, is_to_halt
from flows.operations.observing import PROBLEMS, one_line
from flows.operations.telling import AWAY, NO_SERVER, REFUSALS, Teller, reached
from slices.domain.alerts import Level, WatchBeat
from slices.domain.monitoring import Part
from slices.domain.observations import Observation
from slices.monitor.alerts.delivering import PACE, Pace
from slices.monitor.alerts.incidents import (
    alert_facts,
    begin_outbox,
    open_incidents,
    outbox_cursor,
)
from slices.monitor.alerts.judging import Verdicts, judge
from slices.monitor.alerts.rules import RULES
from slices.monitor.health import health
from slices.monitor.history import Measurement, prune, write_measurement
from slices.monitor.metrics import measure
from slices.runtime import outbox
from slices.runtime.server_events import send
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from logging import Logger

    from prefect.client.orchestration import SyncPrefectClient

    from slices.domain.clock import Clock
    from slices.domain.monitoring import AlertRule, Health, Incident, Notice, Sample
    from slices.monitor.store import Store


class Observing(Protocol):
    """Whoever looks at the system."""

    def observe(self, at: dt.datetime) -> Observation:
        """Look at everything."""
        ...


T = TypeVar("T")

FAILURES = (*PROBLEMS, *REFUSALS, TypeError, AttributeError)
"""What a step of one look may fail with; the other steps are taken all the same."""

MOST_EVENTS = 200_000
PRUNED_SECONDS = 3600.0
NOTHING = Verdicts(fire=(), ended=())


class Watch:
    """Looks, judges, halts and tells, over and over.

    No step depends on another that may fail: what cannot be written down is told, what cannot be
    told is written down, and trading is halted before either.

    Args:
        api_url: Of the Prefect server; None where there is none, so that nobody can be told.
        store: Where measurements and alerts are kept.
        observer: Looks at the system.
        clock: What time it is.
        rules: What to look for.
        pace: How soon is repeated what nobody took.
    """

    def __init__(
        self,
        *,
        api_url: str | None,
        store: Store,
        observer: Observing,
        clock: Clock,
        rules: Sequence[AlertRule] = RULES,
        pace: Pace = PACE,
    ) -> None:
        self.api_url = api_url
        self.store = store
        self.observer = observer
        self.clock = clock
        self.rules = tuple(rules)
        self.troubles: dict[str, str] = {}
        away = AWAY if api_url else NO_SERVER
        self._teller = Teller(store=store, rules=self.rules, pace=pace, away=away)
        self._known: dict[str, str] = {}
        self._pruned: dt.datetime | None = None

    def tick(self, at: dt.datetime) -> Measurement:
        """Look once, and do all that follows from what is seen.

        Args:
            at: Now (UTC).

        Returns:
            What was measured; `troubles` says which step failed, and why.
        """
        self._known, self.troubles = self.troubles, {}
        observation = self._observed(at)
        samples = self._step("measuring", lambda: measure(observation)) or ()
        seen = observation if "measuring" not in self.troubles else _unseen(observation)
        verdicts = self._step("judging", lambda: self._judged(seen, samples, at)) or NOTHING
        if "judging" in self.troubles:
            self._step("halting unjudged", lambda: self._halted_unjudged(seen, samples))
        unhalted = self._step("halting", lambda: self._halted(at)) or ()
        found = self._step("health", lambda: self._health(observation, samples)) or ()
        measurement = Measurement(at=at, observation=observation, samples=samples, health=found)
        self._step("history", lambda: write_measurement(self.store, measurement))
        self._step("telling", lambda: self._tell(verdicts, at, unhalted, len(samples)))
        self._step("pruning", lambda: self._prune(at))
        self._say()
        return measurement

    def run(self, stop: threading.Event, *, every_seconds: float) -> None:
        """Look over and over until told to stop.

        Args:
            stop: Set by whoever wants it to end; the look that is being taken is finished.
            every_seconds: From the beginning of one look to that of the next.
        """
        while not stop.is_set():
            begun = time.monotonic()
            self.tick(self.clock.now())
            stop.wait(max(0.0, every_seconds - (time.monotonic() - begun)))

    def _step(self, name: str, take: Callable[[], T]) -> T | None:
        try:
            return take()
        except FAILURES as problem:
            self.troubles[name] = one_line(problem)
            return None

    def _observed(self, at: dt.datetime) -> Observation:
        """Look at everything, at alerts and at what went wrong with the look before too."""
        seen = self._step("observing", lambda: self.observer.observe(at))
        facts = self._step("alerts", lambda: alert_facts(self.store, at=at))
        seen = seen or _unseen(Observation(at=at), why=self.troubles["observing"])
        own = {**self._known, **self.troubles}
        unknown = tuple(
            (Part.ALERTING.value, f"{name}: {problem}") for name, problem in own.items()
        )
        return replace(seen, alerts=facts, unknown=(*seen.unknown, *unknown[:1]))

    def _judged(
        self, observation: Observation, samples: Sequence[Sample], at: dt.datetime
    ) -> Verdicts:
        notices = self._step("outbox", self._notices) or ()
        return judge(self.store, observation, samples, notices, at=at, rules=self.rules)

    def _notices(self) -> tuple[Notice, ...]:
        counted = outbox_cursor(self.store)
        if outbox.last_number() < counted:
            # Another file took the place of the one that was counted, and its numbers begin anew.
            begin_outbox(self.store)
            counted = 0
        return outbox.take(counted, most=MOST_EVENTS)

    def _halted(self, at: dt.datetime) -> tuple[str, ...]:
        """Halt what has to be halted; keys of the incidents where that failed."""
        unhalted = []
        for each in open_incidents(self.store):
            if is_to_halt(each, self._rule(each)):
                try:
                    self._report(each, halt(self.store, each, at=at))
                except FAILURES as problem:
                    self.troubles["halting"] = one_line(problem)
                    unhalted.append(each.key)
        return tuple(unhalted)

    def _halted_unjudged(self, observation: Observation, samples: Sequence[Sample]) -> None:
        for each in halt_unjudged(observation, samples, self.rules):
            self._logger.critical("Halted %s, though alerts cannot be kept", each)

    def _report(self, incident: Incident, halted: str) -> None:
        if halted:
            self._logger.critical("Halted %s: %s: %s", halted, incident.rule, incident.message)

    def _health(self, observation: Observation, samples: Sequence[Sample]) -> tuple[Health, ...]:
        return health(observation, samples, open_incidents(self.store))

    def _tell(
        self,
        verdicts: Verdicts,
        at: dt.datetime,
        unhalted: Sequence[str],
        measured: int,
    ) -> None:
        with reached(self.api_url) as client:
            taken = self._teller.tell(client, verdicts, at=at, unhalted=unhalted)
            if client and "judging" not in self.troubles:
                self._beat(client, measured, at)
        for key in taken:
            self._logger.info("A receiver has taken %s", key)

    def _beat(self, client: SyncPrefectClient, measured: int, at: dt.datetime) -> None:
        """Show that somebody looks and judges; silence means that nobody does."""
        beat = WatchBeat(
            subject="watch", level=Level.INFO, message="looked and judged", measured=measured
        )
        send(client, beat, event_id=str(uuid4()), at=at)

    def _prune(self, at: dt.datetime) -> None:
        if self._pruned and abs((at - self._pruned).total_seconds()) < PRUNED_SECONDS:
            return
        self._pruned = at
        before = at - dt.timedelta(days=load_settings().history_days)
        prune(self.store, before=before)
        outbox.prune(before, through=outbox_cursor(self.store))

    def _rule(self, incident: Incident) -> AlertRule | None:
        return next((each for each in self.rules if each.name == incident.rule), None)

    def _say(self) -> None:
        """Log what began to go wrong, and what no longer does."""
        for name, problem in self.troubles.items():
            if self._known.get(name) != problem:
                self._logger.error("%s failed: %s", name, problem)
        for name in self._known.keys() - self.troubles.keys():
            self._logger.warning("%s works again", name)

    @property
    def _logger(self) -> Logger:
        return get_logger("tradeflows.watch")


def _unseen(observation: Observation, *, why: str = "nothing could be measured") -> Observation:
    """Say of every part that it was not looked at, so that nothing that lasts seems to be over."""
    parts = (each.value for each in Part if each is not Part.ALERTING)
    return Observation(at=observation.at, unknown=tuple((each, why) for each in parts))
