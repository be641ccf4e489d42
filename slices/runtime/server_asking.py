"""Questions to a Prefect server in plain JSON, which cost it and us less than its own types."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.client.orchestration import SyncPrefectClient

PAGE = 200
TIMEOUT_SECONDS = 10.0

Body = dict[str, Any]


@contextmanager
def opened_server(api_url: str) -> Iterator[SyncPrefectClient]:
    """Open a client that would rather fail soon than wait long for an answer."""
    with temporary_settings({PREFECT_API_URL: api_url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        timeout = {"timeout": TIMEOUT_SECONDS}
        with get_client(sync_client=True, httpx_settings=timeout) as client:
            yield client


def asked(client: SyncPrefectClient, path: str, body: Body | None = None) -> Any:
    """Ask one question and return the answer as it is.

    Args:
        client: Open.
        path: Below the address of the API.
        body: What to post; None reads.

    Raises:
        httpx.HTTPError: The server gives no answer, or not this one.
    """
    route = cast("Any", path)
    if body is None:
        return client.request("GET", route).json()
    return client.request("POST", route, json=body).json()


def pages(client: SyncPrefectClient, path: str, body: Body, *, most: int) -> Iterator[list[Body]]:
    """Read a list page by page until it ends or `most` pages are read."""
    for number in range(most):
        found = asked(client, path, body | {"limit": PAGE, "offset": number * PAGE})
        yield found
        if len(found) < PAGE:
            return
