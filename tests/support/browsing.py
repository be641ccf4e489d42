"""A client of an application in this process, and a look at the pages it answers with."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx
from fastapi import FastAPI


@dataclass(frozen=True)
class Browser:
    """Sends requests to an application, without following where it sends us."""

    app: FastAPI
    home: str

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, query: str = ""
    ) -> httpx.Response:
        """Ask for a page."""
        return asyncio.run(self._ask("GET", path + query, headers or {}, b""))

    def post(
        self, path: str, *, headers: dict[str, str] | None = None, body: str = ""
    ) -> httpx.Response:
        """Send a form."""
        return asyncio.run(self._ask("POST", path, headers or {}, body.encode()))

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.home) as client:
            return await client.request(method, path, headers=headers, content=body)


class Elements(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(page)

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return re.sub(r"\s+", " ", "".join(self.pieces))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]
