"""What every page needs: the store, the time, who may ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse

from slices.domain.clock import Clock, SystemClock
from slices.domain.errors import IntegrityError
from slices.monitor.dashboard.guard import Guard
from slices.monitor.dashboard.rendering import render
from slices.monitor.dashboard.seeing import Seen, see
from slices.monitor.dashboard.wording import plural
from slices.monitor.store import Store

if TYPE_CHECKING:
    from starlette.requests import Request


PAGES = (
    ("/", "Overview"),
    ("/runs", "Runs"),
    ("/accounts", "Accounts"),
    ("/models", "Models"),
    ("/data", "Data"),
    ("/alerts", "Alerts"),
    ("/explorer", "Metrics"),
)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the pages are made from.

    Attributes:
        interval_seconds: Between two measurements of a watch that runs.
        mlflow: Where MLflow's pages are.
    """

    store: Store
    guard: Guard
    interval_seconds: float
    mlflow: str
    clock: Clock = field(default_factory=SystemClock)

    def see(self) -> Seen:
        """Read what the watch wrote."""
        try:
            return see(self.store, now=self.clock.now(), interval_seconds=self.interval_seconds)
        except IntegrityError:
            # A file that the watch moves aside stays open otherwise, and would be read for ever.
            self.store.close()
            raise

    def page(
        self, request: Request, content: str, title: str, seen: Seen, **shown: object
    ) -> HTMLResponse:
        """Answer with a page, or with the part of it that changes where that is asked for."""
        query = f"?{request.url.query}" if request.url.query else ""
        text = render(
            "live" if "hx-request" in request.headers else "page",
            content=content,
            title=title,
            seen=seen,
            spoken=spoken(seen),
            pages=PAGES,
            here=request.url.path,
            address=f"{request.url.path}{query}",
            token=self.guard.token,
            mlflow=self.mlflow,
            **shown,
        )
        return HTMLResponse(text)


def spoken(seen: Seen) -> str:
    """Say the state in a sentence that changes only when something does."""
    if seen.measurement is None:
        return "Nothing has been measured yet."
    score = "not known" if seen.score is None else f"{seen.score:.0f} of 100"
    alerts = plural(len(seen.incidents), "open alert")
    worst = f", the worst {seen.worst}" if seen.worst else ""
    halted = " All trading is halted." if seen.halted is not None else ""
    watched = "" if seen.is_watched else " Nobody is watching: what you see is old."
    return f"Health {score}. {alerts}{worst}.{halted}{watched}"
