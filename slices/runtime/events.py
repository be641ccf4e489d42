"""Typed events: first into the outbox of this home, then onto Prefect's event stream.

Automations match names and labels, never payloads, so the level is a label. Nothing that happens
here stops whoever has something to say: an event is news, the trade goes on.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from prefect.context import FlowRunContext, TaskRunContext
from prefect.events import emit_event
from prefect.exceptions import EventTooLarge
from prefect.logging import get_logger
from prefect.settings import PREFECT_API_URL

from slices.domain.errors import StorageError
from slices.runtime import outbox

if TYPE_CHECKING:
    from slices.domain.alerts import Event

LEVEL_LABEL = "tradeflows.level"
AGAIN_SECONDS = 1.0
"""An event that is the same as one before goes to Prefect at most once in this time."""

MOST_ALIKE = 10
"""Of one name, subject and level no more go to Prefect in that time, whatever they say."""

MOST_KEPT = 1000


def emit(event: Event) -> str:
    """Write an event down, then send it; never fails and hardly ever waits.

    Where the outbox cannot be written the event still goes to Prefect, and the trouble is logged.
    Prefect gets the same event once a second, and ten a second of one name, subject and level; the
    outbox has all of them.

    Returns:
        The UUID that names the event in both places.
    """
    try:
        event_id = outbox.put(event)
    except StorageError as refused:
        get_logger("tradeflows.events").critical(
            "%s about %s is not in the outbox, so nobody is alerted by it: %s",
            event.name, event.subject, refused,
        )  # fmt: skip
        event_id = str(uuid4())
    if has_server() and _SAID.is_due(event):
        _stream(event, event_id)
    return event_id


def resource(event: Event) -> dict[str, str]:
    """Name what the event is about, with the labels that automations match."""
    return {
        "prefect.resource.id": f"{event.name}.{event.subject}",
        "prefect.resource.name": event.subject,
        LEVEL_LABEL: event.level.value,
        **event.labels(),
    }


def payload(event: Event) -> dict[str, Any]:
    """List the fields; numbers that JSON does not have become null."""
    fields = dataclasses.asdict(event)
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in fields.items()
    }


def has_server() -> bool:
    """Tell whether an event can be sent without starting a server for it."""
    is_running = FlowRunContext.get() is not None or TaskRunContext.get() is not None
    return is_running or bool(PREFECT_API_URL.value())


def _stream(event: Event, event_id: str) -> None:
    try:
        emit_event(
            event=event.name, resource=resource(event), payload=payload(event), id=UUID(event_id)
        )
    except EventTooLarge as refused:
        get_logger("tradeflows.events").error(
            "%s about %s was not sent: %s", event.name, event.subject, refused
        )


class _Said:
    """What this process has sent within the last second, by name, subject and level."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._said: dict[tuple[str, str, str], tuple[float, set[Event]]] = {}

    def is_due(self, event: Event) -> bool:
        alike, now = (event.name, event.subject, event.level.value), time.monotonic()
        with self._guard:
            begun, said = self._said.pop(alike, (now, set()))
            if now - begun >= AGAIN_SECONDS:
                begun, said = now, set()
            self._said[alike] = (begun, said)
            while len(self._said) > MOST_KEPT:
                del self._said[next(iter(self._said))]
            if event in said or len(said) >= MOST_ALIKE:
                return False
            said.add(event)
            return True


_SAID = _Said()
