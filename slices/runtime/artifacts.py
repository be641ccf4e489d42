"""What a run shows in the Prefect UI: its artifacts, and what it knows about itself."""

from __future__ import annotations

import base64
import math
import time
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.runtime import flow_run
from pydantic_core import to_json

SECONDS_BETWEEN_SHOWS = 1.0
"""A progress bar is sent to the server at most this often."""


@dataclass(frozen=True, kw_only=True)
class CurrentRun:
    """The flow run this code is part of; empty where there is none."""

    run_id: str
    flow: str
    parameters: tuple[tuple[str, str], ...]
    seed: int | None


def current_run() -> CurrentRun:
    """Describe the flow run this code is part of."""
    parameters: dict[str, Any] = flow_run.get_parameters()
    seed = parameters.get("seed")
    return CurrentRun(
        run_id=str(flow_run.get_id() or ""),
        flow=str(flow_run.get_flow_name() or ""),
        parameters=tuple((name, _shown(value)) for name, value in parameters.items()),
        seed=seed if isinstance(seed, int) else None,
    )


def _shown(value: object) -> str:
    return to_json(value).decode().strip('"')


def show_markdown(key: str, markdown: str, *, description: str) -> None:
    """Attach a page of text to the run."""
    create_markdown_artifact(markdown, key=key, description=description)


def show_table(
    key: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...], *, description: str
) -> None:
    """Attach a table of written numbers to the run."""
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    create_table_artifact(table, key=key, description=description)


def show_svg(key: str, svg: str, *, description: str) -> None:
    """Attach a drawing to the run; it travels inside the artifact."""
    content = base64.b64encode(svg.encode()).decode("ascii")
    create_image_artifact(f"data:image/svg+xml;base64,{content}", key=key, description=description)


def show_link(key: str, uri: str, *, text: str, description: str) -> None:
    """Link the run to a file on disk, or to a page."""
    create_link_artifact(uri, link_text=text, key=key, description=description)


@dataclass
class ProgressBar:
    """How far a long step of the run is; outside of a run nothing is shown.

    Attributes:
        key: Of the artifact: lower case letters, digits and dashes.
        description: What is being done.
    """

    key: str
    description: str
    _artifact: UUID | None = field(default=None, init=False, repr=False)
    _shown_at: float = field(default=-math.inf, init=False, repr=False)

    def show(self, share: float) -> None:
        """Show a share between 0 and 1; often repeated calls are left out, but not the last."""
        now, percent = time.monotonic(), 100.0 * min(max(share, 0.0), 1.0)
        is_due = now - self._shown_at >= SECONDS_BETWEEN_SHOWS or percent == 100.0
        if not is_due or not flow_run.get_id():
            return
        self._shown_at = now
        if self._artifact is None:
            made = create_progress_artifact(percent, key=self.key, description=self.description)
            self._artifact = cast("UUID", made)
        else:
            update_progress_artifact(self._artifact, percent)
