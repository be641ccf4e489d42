"""Runs: how far they are, where Prefect shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from slices.domain.observations import RunFacts, ServerFacts
from slices.monitor.dashboard.wording import link, run_tone

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, kw_only=True)
class ShownRun:
    """A run as it is read.

    Attributes:
        page: Where Prefect shows it; empty where its pages are not known.
        done: Task runs that have ended.
        share: Part of the known task runs that has ended, 0 to 1; None where none is known.
        silent_seconds: Since it was last heard of; None where it never was.
    """

    facts: RunFacts
    page: str
    tone: str
    done: int
    share: float | None
    silent_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class ShownRuns:
    """Everything about runs."""

    server: ServerFacts
    running: tuple[ShownRun, ...]
    recent: tuple[ShownRun, ...]


def shown_runs(server: ServerFacts, *, now: dt.datetime) -> ShownRuns:
    """Prepare the runs of a server."""
    return ShownRuns(
        server=server,
        running=tuple(_run(each, server.pages, now) for each in server.running),
        recent=tuple(_run(each, server.pages, now) for each in server.recent),
    )


def _run(facts: RunFacts, pages: str, now: dt.datetime) -> ShownRun:
    done = facts.tasks_done + facts.tasks_failed
    return ShownRun(
        facts=facts,
        page=run_page(pages, facts.run_id),
        tone=run_tone(facts.kind, facts.state),
        done=done,
        share=min(1.0, done / facts.tasks_all) if facts.tasks_all else None,
        silent_seconds=(now - facts.heard).total_seconds() if facts.heard else None,
    )


def run_page(pages: str, run_id: str) -> str:
    """Return where Prefect shows a run.

    >>> run_page("http://127.0.0.1:4200", "7")
    'http://127.0.0.1:4200/runs/flow-run/7'
    """
    base = link(pages).rstrip("/")
    return f"{base}/runs/flow-run/{quote(run_id, safe='')}" if base else ""
