"""Somebody who is told about alerts: an HTTP server on loopback that keeps what it gets."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Receiver:
    """What came, and what is answered.

    Attributes:
        url: Where to send to.
        messages: What came and was taken, oldest first.
        status: Of the answers; with another than 200 nothing is taken.
        refused: How many messages were not taken.
    """

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    refused: int = 0

    def wait(
        self, wanted: Callable[[dict[str, Any]], bool], *, count: int = 1, seconds: float = 240.0
    ) -> list[dict[str, Any]]:
        """Wait for messages of a kind, and fail where they do not come in time."""
        deadline = time.monotonic() + seconds
        while True:
            found = [each for each in list(self.messages) if wanted(each)]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, self.messages
            time.sleep(0.05)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Listen on a free port until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.status == 200:
                receiver.messages.append(json.loads(body))
            else:
                receiver.refused += 1
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=secret-word"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
