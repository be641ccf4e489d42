"""The dashboard as an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from slices.domain.errors import TradingError
from slices.monitor.dashboard.desk import Desk
from slices.monitor.dashboard.feeds import feeds
from slices.monitor.dashboard.guard import Guard, protect
from slices.monitor.dashboard.pages import pages
from slices.monitor.dashboard.rendering import STATIC
from slices.monitor.dashboard.wording import link
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from pydantic import SecretStr
    from starlette.requests import Request

    from slices.domain.clock import Clock
    from slices.monitor.store import Store


def create_app(
    store: Store, *, password: SecretStr | None, port: int, clock: Clock | None = None
) -> FastAPI:
    """Make the application.

    Args:
        store: What the watch writes.
        password: Of the user `tradeflows`; None lets everybody on this machine in.
        port: Where it will answer, on loopback.
        clock: Tells the time; the machine's by default.
    """
    guard = Guard(password=password, port=port)
    settings = load_settings()
    desk = Desk(
        store=store,
        guard=guard,
        interval_seconds=settings.watch_seconds,
        mlflow=(link(settings.mlflow_url) or settings.mlflow_ui_url).rstrip("/"),
        **({"clock": clock} if clock else {}),
    )
    app = FastAPI(title="tradeflows", docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes += [*pages(desk), *feeds(desk)]
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(TradingError, _refused)
    protect(app, guard)
    return app


def _refused(_request: Request, problem: Exception) -> Response:
    return PlainTextResponse(f"This page cannot be shown: {problem}\n", status_code=503)
