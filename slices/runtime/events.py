"""Typed events on Prefect's event stream.

Automations match names and labels, never payloads, so the level is a label.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from prefect.events import emit_event

if TYPE_CHECKING:
    from slices.domain.alerts import Event

LEVEL_LABEL = "tradeflows.level"


def emit(event: Event) -> None:
    """Send an event; its fields are the payload, its subject the resource."""
    emit_event(
        event=event.name,
        resource={
            "prefect.resource.id": f"{event.name}.{event.subject}",
            "prefect.resource.name": event.subject,
            LEVEL_LABEL: event.level.value,
            **event.labels(),
        },
        payload=dataclasses.asdict(event),
    )
