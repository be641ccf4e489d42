"""Who may ask what: one user, this machine, no other site, nothing executed that is not ours."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from slices.runtime.credentials import OPERATOR

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ["127.0.0.1", "localhost"]
OPEN_PATHS = frozenset({"/health", "/health/system"})
"""What probes may read without a password: no names, no amounts."""

TOKEN_FIELD = "token"  # noqa: S105 - the name of a form field
LARGEST_FORM_BYTES = 4096
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Decides on requests.

    Attributes:
        password: Of the user; None lets everybody on this machine in.
        port: Where the dashboard answers; what another origin sends changes nothing.
        token: Stands in our own forms alone, so that no other site can send one.
    """

    password: SecretStr | None
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def is_known(self, authorization: str) -> bool:
        """Tell whether a request comes from the user."""
        if self.password is None:
            return True
        given = _basic(authorization)
        wanted = f"{OPERATOR}:{self.password.get_secret_value()}"
        return hmac.compare_digest(given, wanted.encode())

    async def is_own_form(self, request: Request) -> bool:
        """Tell whether a form was sent by a page of this dashboard."""
        if request.headers.get("origin") not in {f"http://{host}:{self.port}" for host in HOSTS}:
            return False
        fields = parse_qs((await _body(request)).decode("utf-8", "replace"))
        given = fields.get(TOKEN_FIELD, [""])[0]
        return hmac.compare_digest(given.encode(), self.token.encode())


async def _body(request: Request) -> bytes:
    """Read a form, but no more than a form of ours can be."""
    read = b""
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST_FORM_BYTES:
            return b""
    return read


def _basic(authorization: str) -> bytes:
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


class GuardMiddleware:
    """Asks for the password and gives every answer the headers of a page nobody may embed."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._chosen(scope)(scope, receive, guarded)

    def _chosen(self, scope: Scope) -> ASGIApp:
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if scope["path"] in OPEN_PATHS or self.guard.is_known(authorization):
            return self.app
        return PlainTextResponse(
            f"This page needs the password of the user `{OPERATOR}`.\n",
            status_code=401,
            headers={"WWW-Authenticate": 'Basic realm="tradeflows", charset="UTF-8"'},
        )


def protect(app: FastAPI, guard: Guard) -> None:
    """Put the guard before every page, static files included."""
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    app.add_middleware(GuardMiddleware, guard=guard)
