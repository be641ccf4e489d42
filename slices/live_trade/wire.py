"""Questions to Alpaca's trading service, and what its refusals and silences mean."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from slices.domain.errors import MalformedAnswerError, SourceNotInstalledError
from slices.domain.trading_errors import BrokerError, BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "alpaca"
BUSY = 429
UNAUTHORISED = (401, 403)
LONGEST_MESSAGE = 200
CUT_SHORT = frozenset({"ChunkedEncodingError", "ContentDecodingError", "IncompleteRead"})
RATE_LIMIT_ATTEMPTS = 4
RATE_LIMIT_WAIT_SECONDS = 3


@dataclass(eq=False, kw_only=True, repr=False)
class RefusedError(BrokerError):
    """The broker understood and said no; `status` is the HTTP status code."""

    status: int


class Client(Protocol):
    """What is used of alpaca-py's client: requests with its credentials and its retries."""

    def get(self, path: str, data: Mapping[str, str]) -> object:
        """Ask."""
        ...

    def post(self, path: str, data: Mapping[str, object]) -> object:
        """Order."""
        ...

    def delete(self, path: str, data: Mapping[str, str]) -> object:
        """Withdraw."""
        ...


@dataclass(frozen=True)
class Wire:
    """Requests in plain JSON values, with failures in the words of the error tree.

    Every method may raise `RefusedError` (4xx), `BrokerUnavailableError` (no answer, 429, 5xx) and
    `MalformedAnswerError` (no JSON).
    """

    client: Client

    def get(self, path: str, **query: str) -> object:
        """Ask for something."""
        return _answered(lambda: self.client.get(path, query))

    def post(self, path: str, fields: Mapping[str, object]) -> object:
        """Send something, once."""
        return _answered(lambda: self.client.post(path, fields))

    def delete(self, path: str, **query: str) -> object:
        """Withdraw something."""
        return _answered(lambda: self.client.delete(path, query))


def open_wire(
    *,
    key: str,
    secret: str,
    url: str,
    timeout_seconds: float,
    attempts: int = RATE_LIMIT_ATTEMPTS,
    wait_seconds: int = RATE_LIMIT_WAIT_SECONDS,
) -> Wire:
    """Open the client.

    Args:
        key: Key id of the account.
        secret: Secret key of the account.
        url: Address of the trading service, without the version.
        timeout_seconds: How long to wait for any one answer, all of it.
        attempts: How often to send what is answered by 429, at least once.
        wait_seconds: How long to wait before sending it again.

    Raises:
        SourceNotInstalledError: The alpaca-py package is not installed.
    """
    try:
        module = importlib.import_module("slices.live_trade.alpaca_client")
    except ImportError as missing:
        problem = "not installed; run: pip install 'tradeflows[alpaca]'"
        raise SourceNotInstalledError(source=NAME, problem=problem) from missing
    return Wire(
        module.BoundedTradingClient(
            key=key,
            secret=secret,
            url=url.rstrip("/"),
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            wait_seconds=wait_seconds,
        )
    )


def malformed(problem: str) -> MalformedAnswerError:
    """Return the error for an answer that is not what was promised."""
    return MalformedAnswerError(source=NAME, problem=problem)


def _answered(ask: Callable[[], object]) -> object:
    from alpaca.common.exceptions import APIError

    try:
        return ask()
    except APIError as refusal:
        raise _refused(refusal) from refusal
    except (OSError, ValueError) as failure:
        raise _broken(failure) from failure


def _refused(refusal: Exception) -> BrokerError:
    status = int(getattr(refusal, "status_code", None) or 0)
    said = f"HTTP {status}: {_short(refusal)}"
    if status == BUSY or not 400 <= status < 500:
        return BrokerUnavailableError(broker=NAME, problem=said)
    kind = "credentials refused, " if status in UNAUTHORISED else ""
    return RefusedError(broker=NAME, problem=f"{kind}{said}", status=status)


def _broken(failure: Exception) -> BrokerUnavailableError | MalformedAnswerError:
    kind = type(failure).__name__
    if isinstance(failure, ValueError) or kind in CUT_SHORT:
        return malformed(f"an answer that cannot be read ({kind}: {_short(failure)})")
    return BrokerUnavailableError(broker=NAME, problem=f"no answer ({kind}: {_short(failure)})")


def _short(failure: Exception) -> str:
    return " ".join(str(failure).split())[:LONGEST_MESSAGE]
