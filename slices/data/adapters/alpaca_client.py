"""The Alpaca data client with a bounded wait and no retries of its own.

Importing this module imports the optional alpaca-py package.
"""

from __future__ import annotations

import warnings
from typing import Any

from requests.adapters import HTTPAdapter

with warnings.catch_warnings():
    # alpaca-py imports its streaming client with everything else, and that an old websockets API.
    warnings.filterwarnings("ignore", "websockets.legacy is deprecated", DeprecationWarning)
    from alpaca.data.historical import StockHistoricalDataClient


class BoundedAdapter(HTTPAdapter):
    """Waits no longer than it was told; the package itself would wait for ever."""

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__()
        self._timeout_seconds = timeout_seconds

    def send(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - requests' own signature
        """Send a request with the timeout."""
        return super().send(*args, **{**options, "timeout": self._timeout_seconds})


class BoundedClient(StockHistoricalDataClient):
    """Answers in plain JSON values or fails at once; whoever calls decides about trying again."""

    def __init__(self, *, key: str, secret: str, url: str | None, timeout_seconds: float) -> None:
        super().__init__(api_key=key, secret_key=secret, url_override=url, raw_data=True)
        self._retry_codes = []
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, BoundedAdapter(timeout_seconds))
