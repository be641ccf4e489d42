"""A watch on a real Prefect server, and a receiver of its alerts that can fail in every way."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from sqlalchemy import select

from deployments.automations import PREFIX, TRADING, Known, desired_automations
from deployments.blocks import block_ids, blocks_stage
from deployments.receivers import wanted_blocks
from flows.operations.watch import Watch
from slices.domain.clock import SystemClock
from slices.domain.observations import Observation
from slices.monitor.alerts.delivering import Pace
from slices.monitor.alerts.rules import RULES
from slices.monitor.schema import DELIVERIES
from slices.monitor.store import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from pydantic import SecretStr

    from flows.operations.watch import Observing
    from slices.domain.monitoring import AlertRule
    from slices.monitor.store import Store

QUICK = Pace(first_seconds=0.5, most_seconds=2.0, unheard_seconds=20.0)
HANGING_SECONDS = 6.0
"""Longer than a sender waits for an answer."""


@dataclass
class Receiver:
    """Takes messages, or does not.

    Attributes:
        status: Of its answers; at 0 it does not answer for a while.
        taken: Messages that were answered with 200, oldest first.
        refused: How many were not.
        hook: Gets each message before it is taken.
    """

    port: int = 0
    status: int = 200
    taken: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0
    hook: Callable[[dict[str, str]], None] = field(default=lambda _: None)
    _server: ThreadingHTTPServer = field(init=False, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/alerts"

    def take(self, message: dict[str, str]) -> int:
        if self.status == 200:
            self.hook(message)
            self.taken.append(message)
        else:
            self.refused += 1
        return self.status

    def start(self) -> None:
        """Listen, on the same port every time."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(json.loads(body))
                if status == 0:
                    time.sleep(HANGING_SECONDS)
                    self.close_connection = True
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()


@dataclass(frozen=True)
class Nothing:
    """Sees nothing but that there was nothing to see."""

    def observe(self, at: dt.datetime) -> Observation:
        return Observation(at=at)


def watch_of(
    store: Store,
    api_url: str | None,
    *,
    rules: Sequence[AlertRule] = RULES,
    observer: Observing | None = None,
    pace: Pace = QUICK,
) -> Watch:
    return Watch(
        api_url=api_url,
        store=store,
        observer=observer or Nothing(),
        clock=SystemClock(),
        rules=rules,
        pace=pace,
    )


def look_until(watch: Watch, reached: Callable[[], bool], *, seconds: float = 90.0) -> None:
    """Look over and over until something is so, and fail where it never is."""
    deadline = time.monotonic() + seconds
    while True:
        watch.tick(watch.clock.now())
        assert watch.troubles == {}
        if reached():
            return
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.4)


def wait_until(reached: Callable[[], bool], *, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def is_delivered(store: Store) -> bool:
    """Whether the newest message of every incident was taken."""
    query = select(DELIVERIES.c.incident, DELIVERIES.c.delivered_at).order_by(DELIVERIES.c.attempt)
    with reading(store) as connection:
        newest = {row.incident: row.delivered_at for row in connection.execute(query)}
    return bool(newest) and None not in newest.values()


def attempts(store: Store) -> list[str]:
    """Why each message so far was in vain; empty words for those that were not, or may not be."""
    query = select(DELIVERIES.c.failure).order_by(DELIVERIES.c.sent_at, DELIVERIES.c.attempt)
    with reading(store) as connection:
        return list(connection.scalars(query))


@contextmanager
def telling(api_url: str, address: SecretStr | None) -> Iterator[None]:
    """Let the automations of a server send alerts to an address, until the block ends."""
    with get_client(sync_client=True) as client:
        made = _told(client, address)
        try:
            yield
        finally:
            for automation in made:
                client.delete_automation(automation)
            for block in block_ids(client).values():
                client.delete_block_document(block)


def _told(client: SyncPrefectClient, address: SecretStr | None) -> list[UUID]:
    for change in blocks_stage(wanted_blocks(address))(client):
        change.make(client)
    blocks = block_ids(client) if address else {}
    known = Known(deployments={}, blocks=blocks, tags={TRADING: ()})
    return [
        client.create_automation(each)
        for each in desired_automations((), known)
        if each.name.startswith(f"{PREFIX}tell ")
    ]
