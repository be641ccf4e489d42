"""Telling people: what the watch found becomes events that Prefect's automations act on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from httpx import HTTPError
from prefect.exceptions import PrefectException

from flows.operations.halting import is_to_halt
from flows.operations.observing import one_line
from slices.domain.alerts import AlertFired, AlertResolved, Event, Level
from slices.monitor.alerts.delivering import (
    PACE,
    Pace,
    asked_about,
    begin,
    due,
    fail,
    take_outcomes,
)
from slices.monitor.alerts.incidents import incident as read_incident
from slices.monitor.alerts.incidents import mark_notified
from slices.runtime.server_asking import opened_server
from slices.runtime.server_events import action_outcomes, send

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from prefect.client.orchestration import SyncPrefectClient

    from slices.domain.monitoring import AlertRule, Incident
    from slices.monitor.alerts.delivering import Sending
    from slices.monitor.alerts.judging import Verdicts
    from slices.monitor.store import Store

NO_SERVER = "no Prefect server: PREFECT_API_URL is not set"
AWAY = "the Prefect server is away"
REFUSALS = (HTTPError, PrefectException, OSError, ValueError)


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Sends alerts through a Prefect server and keeps account of who took them.

    Attributes:
        away: Why nothing can be sent while there is no server.
    """

    store: Store
    rules: Sequence[AlertRule]
    pace: Pace = PACE
    away: str = AWAY

    def tell(
        self,
        client: SyncPrefectClient | None,
        verdicts: Verdicts,
        *,
        at: dt.datetime,
        unhalted: Sequence[str] = (),
    ) -> tuple[str, ...]:
        """Send what is new and what nobody took yet.

        Where the server is away, what is new is written down and sent once it is back.

        Args:
            client: Of the server; None while it is away.
            verdicts: Incidents to tell of.
            at: Now (UTC).
            unhalted: Keys of incidents for which trading should have been halted and was not.

        Returns:
            Keys of the incidents that a receiver has taken since the last time.

        Raises:
            StorageError: The disk refuses; nothing was sent about the incident it refused.
        """
        taken = self._asked(client, at=at) if client else ()
        new = {each.key: each for each in (*verdicts.fire, *self._worth_telling(verdicts, at))}
        again = due(self.store, at=at, pace=self.pace) if client else ()
        late = [read_incident(self.store, key) for key in again if key not in new]
        for each in (*new.values(), *late):
            self._send(client, each, at=at, is_unhalted=each.key in unhalted)
        return taken

    def _asked(self, client: SyncPrefectClient, *, at: dt.datetime) -> tuple[str, ...]:
        sent = asked_about(self.store, at=at)
        if not sent:
            return ()
        ids = [event_id for event_id, _ in sent]
        since = min(moment for _, moment in sent)
        try:
            outcomes = action_outcomes(client, since=since, event_ids=ids)
        except REFUSALS:
            return ()
        return take_outcomes(self.store, outcomes)

    def _worth_telling(self, verdicts: Verdicts, at: dt.datetime) -> list[Incident]:
        """Pass over ends that nobody waits for: of what is good to know, and what is silenced."""
        quiet = [each for each in verdicts.ended if _is_quiet(each, at)]
        for each in quiet:
            mark_notified(self.store, each.key, at)
        return [each for each in verdicts.ended if each not in quiet]

    def _send(
        self,
        client: SyncPrefectClient | None,
        incident: Incident,
        *,
        at: dt.datetime,
        is_unhalted: bool,
    ) -> None:
        sending = begin(self.store, incident, at=at)
        if client is None:
            fail(self.store, sending.event_id, self.away)
            return
        event = alert_event(sending, self._rule(incident), is_unhalted=is_unhalted)
        try:
            send(client, event, event_id=sending.event_id, at=at)
        except REFUSALS as refused:
            fail(self.store, sending.event_id, one_line(refused))

    def _rule(self, incident: Incident) -> AlertRule | None:
        return next((each for each in self.rules if each.name == incident.rule), None)


@contextmanager
def reached(api_url: str | None) -> Iterator[SyncPrefectClient | None]:
    """Talk to the server; None where there is none that answers."""
    if api_url is None:
        yield None
        return
    with opened_server(api_url) as client:
        yield client if client.api_healthcheck() is None else None


def alert_event(sending: Sending, rule: AlertRule | None, *, is_unhalted: bool) -> Event:
    """Say what is sent about an incident.

    Args:
        sending: The attempt.
        rule: Of the incident; None where it is no longer one of ours.
        is_unhalted: Whether trading should have been halted and was not.
    """
    incident = sending.incident
    if sending.is_end and incident.resolved is not None:
        return AlertResolved(
            subject=incident.subject,
            level=incident.level,
            message=f"{incident.message} (it ended)",
            incident=incident.key,
            rule=incident.rule,
            lasted_seconds=(incident.resolved - incident.opened).total_seconds(),
            attempt=sending.attempt,
        )
    return AlertFired(
        subject=incident.subject,
        level=incident.level,
        message=f"{incident.message}{_remark(incident, is_unhalted=is_unhalted)}",
        incident=incident.key,
        rule=incident.rule,
        attempt=sending.attempt,
        count=incident.count,
        value=incident.value,
        threshold=incident.threshold,
        opened=incident.opened.isoformat(timespec="seconds"),
        next_step=incident.next_step,
        halts=is_to_halt(incident, rule) and not is_unhalted,
        runs=rule.runs if rule and sending.runs else "",
        pauses=rule.pauses if rule and sending.pauses else "",
    )


def _remark(incident: Incident, *, is_unhalted: bool) -> str:
    if is_unhalted:
        return "; TRADING COULD NOT BE HALTED, run `tradeflows halt`"
    if incident.resolved is not None:
        return f"; it ended at {incident.resolved:%Y-%m-%d %H:%M} UTC"
    return ""


def _is_quiet(incident: Incident, at: dt.datetime) -> bool:
    is_silenced = incident.silenced_until is not None and incident.silenced_until > at
    return is_silenced or incident.level is Level.INFO
