"""What people read when something is wrong: plain text, made from the fields of an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployments.variables import DASHBOARD

if TYPE_CHECKING:
    from datetime import timedelta

PAGES = f"{{{{ variables.{DASHBOARD} }}}}"
LEVEL = "{{ event.payload.level | upper }}"
ABOUT = '{{ event.payload.rule | replace("-", " ") }}: {{ event.payload.subject }}'
TIMES = "{% if event.payload.count > 1 %} ({{ event.payload.count }} times){% endif %}"
VALUE = (
    "{% if event.payload.value is number %}"
    'Value: {{ "%.6g" | format(event.payload.value) }},'
    ' against {{ "%.6g" | format(event.payload.threshold or 0) }}\n'
    "{% endif %}"
)
DONE = (
    "{% if event.payload.halts %}"
    'Trading was halted; "tradeflows release" ends it, and "python -m deployments.resume" lets'
    " schedules trade again.\n"
    "{% endif %}"
    "{% if event.payload.runs %}Started: {{ event.payload.runs }}\n{% endif %}"
    "{% if event.payload.pauses %}"
    "Paused: deployments tagged {{ event.payload.pauses }}\n"
    "{% endif %}"
)


@dataclass(frozen=True, kw_only=True)
class Message:
    """Templates of a title and a text."""

    title: str
    text: str


FIRED = Message(
    title=f"{LEVEL} {ABOUT}{TIMES}",
    text=(
        "{{ event.payload.message }}\n"
        "Level: {{ event.payload.level }}, of the rule {{ event.payload.rule }}\n"
        "Seen: {{ event.payload.count }} since {{ event.payload.opened }}\n"
        f"{VALUE}{DONE}"
        "Next step: {{ event.payload.next_step }}\n"
        "Incident: {{ event.payload.incident }}, message {{ event.payload.attempt }}\n"
        f"Dashboard: {PAGES}/alerts"
    ),
)
RESOLVED = Message(
    title=f"RESOLVED {ABOUT}",
    text=(
        "{{ event.payload.message }}\n"
        "It lasted {{ (event.payload.lasted_seconds / 60) | round(1) }} minutes.\n"
        "Incident: {{ event.payload.incident }}\n"
        f"Dashboard: {PAGES}/alerts"
    ),
)
FAILING = Message(
    title="ERROR {{ deployment.name }} failed again and again: {{ flow.name }}",
    text=(
        "{{ flow.name }}/{{ deployment.name }} failed three times within a day; its schedules are"
        " paused.\n"
        "Last: {{ flow_run.name }} is {{ flow_run.state.name }}: {{ flow_run.state.message }}\n"
        "Next step: read why, then resume it on its page.\n"
        "Run: {{ flow_run | ui_url }}\n"
        f"Dashboard: {PAGES}"
    ),
)
CRASHED = "No sign of life from this run: its process or its machine is gone."
UNDONE = Message(
    title="ERROR an automation could not act: {{ event.resource.name }}",
    text=(
        "{{ event.payload.action_type }} failed: {{ event.payload.reason }}\n"
        "Next step: `python -m deployments.apply --check` says whether something is missing on the"
        " server.\n"
        f"Dashboard: {PAGES}"
    ),
)


def silent(silence: timedelta) -> Message:
    """Write that the watch is not heard of any more."""
    return Message(
        title="CRITICAL nobody watches",
        text=(
            f"The watch has not been heard of for {silence.total_seconds():.0f} seconds: nothing is"
            " measured, and nothing is alerted.\n"
            "Next step: `make up` starts what does not run; `run/watch.log` in the home says why it"
            " ended.\n"
            f"Dashboard: {PAGES}"
        ),
    )
