"""The Prefect server as it is started here: with a check of the host it is asked for.

Prefect itself answers under any host name, so that a page elsewhere could let its own name point
to this machine. Its password, CSRF tokens and closed CORS are settings; see `programs`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prefect.server.api.server import create_app as prefect_app
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount

if TYPE_CHECKING:
    from starlette.routing import Router

HOSTS_VARIABLE = "TRADEFLOWS_SERVER_HOSTS"
PAGES_VARIABLE = "PREFECT_SERVER_UI_STATIC_DIRECTORY"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost")
DESCRIPTIONS = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""Pages about the API that Prefect shows without a password; behind `/api` they want it."""


def create_app() -> TrustedHostMiddleware:
    """Make the application for uvicorn.

    The check is around the application and no part of it: the server's own actions of automations
    ask the application itself, under a host name that is none.
    """
    if pages := os.environ.get(PAGES_VARIABLE):
        Path(pages).mkdir(mode=0o700, parents=True, exist_ok=True)
    app = prefect_app(final=True)
    _close(app.router)
    for mount in app.router.routes:
        if isinstance(mount, Mount) and mount.name == "ui" and isinstance(mount.app, FastAPI):
            _close(mount.app.router)
    return TrustedHostMiddleware(app, allowed_hosts=allowed_hosts())


def _close(router: Router) -> None:
    """Take away the pages that describe an API."""
    router.routes[:] = [
        route for route in router.routes if getattr(route, "path", "") not in DESCRIPTIONS
    ]


def allowed_hosts() -> list[str]:
    """List the host names to answer under; `TRADEFLOWS_SERVER_HOSTS` adds to them."""
    more = os.environ.get(HOSTS_VARIABLE, "")
    return [*LOOPBACK_HOSTS, *(name.strip() for name in more.split(",") if name.strip())]
