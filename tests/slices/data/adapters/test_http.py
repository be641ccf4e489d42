from __future__ import annotations

import pytest

from slices.data.adapters.http import broken, refusal, retry_after_seconds
from slices.domain.errors import (
    AuthMissingError,
    MalformedAnswerError,
    RateLimitedError,
    SourceError,
    TransientSourceError,
)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthMissingError),
        (403, AuthMissingError),
        (429, RateLimitedError),
        (500, TransientSourceError),
        (504, TransientSourceError),
    ],
)
def test_r04_a_status_stands_for_one_error(status: int, error: type[SourceError]) -> None:
    assert type(refusal("test", status, {})) is error


@pytest.mark.parametrize("status", [200, 301, 400, 404, 422])
def test_other_statuses_say_nothing_about_the_source(status: int) -> None:
    assert refusal("test", status, {}) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "1.5"}, 1.5),
        (
            {
                "Retry-After": "Wed, 03 Jul 2024 17:00:30 GMT",
                "Date": "Wed, 03 Jul 2024 17:00:00 GMT",
            },
            30.0,
        ),
        ({"Retry-After": "Wed, 03 Jul 2024 17:00:30 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_network_failure_is_told_from_an_unreadable_answer() -> None:
    assert type(broken("test", TimeoutError("late"))) is TransientSourceError
    assert type(broken("test", ConnectionResetError("gone"))) is TransientSourceError
    assert type(broken("test", KeyError("chart"))) is MalformedAnswerError
    assert (
        type(broken("test", UnicodeDecodeError("utf-8", b"", 0, 1, "no"))) is MalformedAnswerError
    )
