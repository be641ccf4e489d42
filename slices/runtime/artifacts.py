"""What a run shows in the Prefect UI: its artifacts, and what it knows about itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.runtime import flow_run
from pydantic_core import to_json


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


def show_file(key: str, uri: str, *, text: str, description: str) -> None:
    """Link the run to a file on disk."""
    create_link_artifact(uri, link_text=text, key=key, description=description)
