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
"""An event like one before it goes to Prefect at most once in this time."""

MOST_KEPT = 1000


def emit(event: Event) -> str:
    """Write an event down, then send it; never fails and hardly ever waits.

    Where the outbox cannot be written the event still goes to Prefect, and the trouble is logged.
    Of events that are alike in name, subject and level Prefect gets one a second; the outbox has
    all of them.

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
    """When events of each kind were last sent by this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._last: dict[tuple[str, str, str], float] = {}

    def is_due(self, event: Event) -> bool:
        alike, now = (event.name, event.subject, event.level.value), time.monotonic()
        with self._guard:
            if now - self._last.get(alike, -math.inf) < AGAIN_SECONDS:
                return False
            self._last.pop(alike, None)
            self._last[alike] = now
            while len(self._last) > MOST_KEPT:
                del self._last[next(iter(self._last))]
            return True


_SAID = _Said()
