"""What the HTTP providers share: from status codes and exceptions to the error tree."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from slices.domain.errors import (
    AuthMissingError,
    MalformedAnswerError,
    RateLimitedError,
    SourceError,
    TransientSourceError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CUT_SHORT = frozenset({"ChunkedEncodingError", "ContentDecodingError", "IncompleteRead"})
"""Exceptions for a body that ended early or does not unpack; the rest is the network's doing."""

UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError)
"""What a client library raises when an answer is not what it expects."""


def refusal(source: str, status: int, headers: Mapping[str, str]) -> SourceError | None:
    """Return the error a status code stands for; None where it says nothing about the source.

    Args:
        source: Name of the source.
        status: HTTP status code.
        headers: Headers of the answer, for Retry-After.
    """
    if status in (401, 403):
        return AuthMissingError(source=source, problem=f"credentials refused (HTTP {status})")
    if status == 429:
        wait = retry_after_seconds(headers)
        said = "" if wait is None else f"; it asks to wait {wait:g} seconds"
        return RateLimitedError(
            source=source, problem=f"too many requests (HTTP 429){said}", retry_after_seconds=wait
        )
    if status >= 500:
        return TransientSourceError(source=source, problem=f"server error (HTTP {status})")
    return None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long a server asks to wait, given in seconds or as a date.

    >>> retry_after_seconds({"Retry-After": "7"})
    7.0
    """
    asked = (headers.get("Retry-After") or "").strip()
    if asked.replace(".", "", 1).isdigit():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
        sent = parsedate_to_datetime(headers.get("Date") or "")
    except ValueError:
        return None
    return max((until - sent).total_seconds(), 0.0)


def broken(source: str, failure: Exception) -> SourceError:
    """Return the error for an exception raised while an answer was fetched or read."""
    kind = type(failure).__name__
    if kind in CUT_SHORT or not isinstance(failure, OSError) or isinstance(failure, ValueError):
        problem = f"an answer that cannot be read ({kind}: {_short(failure)})"
        return MalformedAnswerError(source=source, problem=problem)
    return TransientSourceError(source=source, problem=f"no answer ({kind}: {_short(failure)})")


def _short(failure: Exception) -> str:
    return " ".join(str(failure).split())[:200]
