"""The Alpaca trading client with a bounded wait, no repeated orders and exact numbers.

Importing this module imports the optional alpaca-py package.
"""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import Future
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from requests.adapters import HTTPAdapter
from requests.exceptions import ReadTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

with warnings.catch_warnings():
    # alpaca-py imports its streaming client with everything else, and that an old websockets API.
    warnings.filterwarnings("ignore", "websockets.legacy is deprecated", DeprecationWarning)
    from alpaca.trading.client import TradingClient

TOO_MANY_REQUESTS = 429
LEFT_BEHIND = 2
"""Time limits after which an exchange that nobody waits for any more gives up too."""


class BoundedAdapter(HTTPAdapter):
    """Waits for a whole answer no longer than it was told, however slowly it comes.

    The package itself would wait for ever, and a socket's own time limit begins anew with every
    byte; so the exchange runs in a thread that is left behind when the time is up.
    """

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__()
        self._timeout_seconds = timeout_seconds

    def send(self, request: PreparedRequest, **options: object) -> Response:  # type: ignore[override]
        """Send a request and read the whole answer within the time limit.

        Raises:
            ReadTimeout: Where the time is up.
        """
        bounded = {**options, "timeout": LEFT_BEHIND * self._timeout_seconds, "stream": False}
        exchange = partial(super().send, request, **bounded)  # type: ignore[arg-type]
        outcome: Future[Response] = Future()
        threading.Thread(target=_settle, args=(outcome, exchange), daemon=True).start()
        try:
            return outcome.result(self._timeout_seconds)
        except TimeoutError as late:
            message = f"no complete answer within {self._timeout_seconds:g} seconds"
            raise ReadTimeout(message, request=request) from late


class BoundedTradingClient(TradingClient):
    """Answers in plain JSON values; tries again only where the broker asks for fewer requests.

    alpaca-py of itself repeats an order that was answered by 504, which may have been taken.
    """

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        url: str,
        timeout_seconds: float,
        attempts: int,
        wait_seconds: int,
    ) -> None:
        super().__init__(api_key=key, secret_key=secret, url_override=url, raw_data=True)
        self._retry_codes = [TOO_MANY_REQUESTS]
        self._retry = attempts - 1
        self._retry_wait = wait_seconds
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, BoundedAdapter(timeout_seconds))


def _settle(outcome: Future[Response], exchange: Callable[[], Response]) -> None:
    try:
        answer = exchange()
        answer.content  # noqa: B018 - reads the body here, within the time limit
    except BaseException as failure:  # noqa: BLE001 - raised again by whoever waits
        outcome.set_exception(failure)
        return
    exact = partial(answer.json, parse_float=Decimal)
    answer.json = exact  # type: ignore[method-assign]
    outcome.set_result(answer)
