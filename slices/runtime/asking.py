"""Asking a person in the middle of a run, which pauses; a form waits in the UI and the API."""

from __future__ import annotations

from dataclasses import dataclass

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from pydantic import Field


class ApprovalForm(RunInput):
    """What a person fills in."""

    approve: bool = Field(default=False, description="Whether to go on.")
    note: str = Field(default="", max_length=500, description="Why, for the journal.")
    by: str = Field(default="", max_length=100, description="Who decides.")


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What a person said.

    Attributes:
        is_approved: Whether to go on.
        note: Why, in the person's words.
        by: Who, as they call themselves.
    """

    is_approved: bool
    note: str = ""
    by: str = ""


def ask_for_approval(question: str, *, timeout_seconds: int, poll_seconds: int) -> Approval:
    """Pause the run of this flow until a person answers; silence is a refusal.

    Args:
        question: What is asked, in Markdown.
        timeout_seconds: How long to wait.
        poll_seconds: How often to look for the answer.
    """
    form = ApprovalForm.with_initial_data(description=question)
    try:
        filled = pause_flow_run(
            wait_for_input=form, timeout=timeout_seconds, poll_interval=poll_seconds
        )
    except FlowPauseTimeout:
        note = f"nobody answered within {timeout_seconds} seconds"
        return Approval(is_approved=False, note=note)
    return Approval(is_approved=filled.approve, note=filled.note, by=filled.by)
