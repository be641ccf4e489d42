"""Events to the Prefect server and back: sent so that it is known whether they arrived."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.events import Event as StreamEvent
from prefect.events import Resource
from prefect.events.filters import (
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
    EventRelatedFilter,
)

from slices.runtime.events import payload, resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.events import EventPage
    from prefect.events.schemas.events import ReceivedEvent

    from slices.domain.alerts import Event

EXECUTED = "prefect.automation.action.executed"
FAILED = "prefect.automation.action.failed"
TRIGGER_ROLE = "triggering-event"
EVENT_PREFIX = "prefect.event."
PAGE = 50
IDS_AT_ONCE = 50
FIRST_REFUSAL = 300
"""HTTP status from which on a webhook has not taken what was sent."""


@dataclass(frozen=True, kw_only=True)
class ActionOutcome:
    """What an action of an automation came to.

    Attributes:
        event_id: Of the event that triggered it.
        action: Its type, such as `send-notification`.
        reason: Why it failed; empty where it did not.
    """

    event_id: str
    succeeded: bool
    action: str
    reason: str
    at: dt.datetime


def send(client: SyncPrefectClient, event: Event, *, event_id: str, at: dt.datetime) -> None:
    """Send an event; once this returns the server has it.

    Raises:
        HTTPError: The server is away or refuses it.
    """
    sent = StreamEvent(
        id=UUID(event_id),
        occurred=at,
        event=event.name,
        resource=Resource.model_validate(resource(event)),
        payload=payload(event),
    )
    client.request("POST", "/events", json=[sent.model_dump(mode="json")])


def action_outcomes(
    client: SyncPrefectClient, *, since: dt.datetime, event_ids: Sequence[str] = ()
) -> tuple[ActionOutcome, ...]:
    """Ask what automations did.

    Args:
        client: Of the server.
        since: What happened before is not looked at.
        event_ids: Of the triggering events; empty for all.

    Raises:
        HTTPError: The server is away or refuses to say.
    """
    parts = [event_ids[n : n + IDS_AT_ONCE] for n in range(0, len(event_ids), IDS_AT_ONCE)]
    return tuple(
        outcome
        for part in parts or [()]
        for event in _events(client, _wanted(since, part))
        for outcome in _outcomes(event)
    )


def _wanted(since: dt.datetime, event_ids: Iterable[str]) -> EventFilter:
    ids = [f"{EVENT_PREFIX}{each}" for each in event_ids]
    related = EventRelatedFilter(id=ids, role=[TRIGGER_ROLE]) if ids else None
    return EventFilter(
        event=EventNameFilter(name=[EXECUTED, FAILED]),
        occurred=EventOccurredFilter(since=since),
        related=related,
    )


def _events(client: SyncPrefectClient, wanted: EventFilter) -> Iterator[ReceivedEvent]:
    page: EventPage | None = client.read_events(wanted, limit=PAGE)
    while page is not None:
        yield from page.events
        page = page.get_next_page_sync(client)


def _outcomes(event: ReceivedEvent) -> Iterator[ActionOutcome]:
    reason = _reason(event.event == FAILED, event.payload)
    for each in event.related:
        if each.role == TRIGGER_ROLE:
            yield ActionOutcome(
                event_id=each.id.removeprefix(EVENT_PREFIX),
                succeeded=not reason,
                action=str(event.payload.get("action_type", "")),
                reason=reason,
                at=dt.datetime.fromtimestamp(event.occurred.timestamp(), dt.UTC),
            )


def _reason(is_failed: bool, found: dict[str, Any]) -> str:  # noqa: FBT001 - of two values
    """Say why an action failed; a webhook that answers with an error counts as executed."""
    if is_failed:
        details = (str(found.get("reason", "failed")), str(found.get("notification_log", "")))
        return ": ".join(each for each in details if each)
    status = found.get("status_code")
    if isinstance(status, int) and status >= FIRST_REFUSAL:
        return f"answered with HTTP status {status}"
    return ""
