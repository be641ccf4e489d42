from __future__ import annotations

import datetime as dt

import pytest

from slices.data.expiry import expires_with
from slices.domain.clock import FixedClock
from tests.support.frames import FrameSource, ohlcv

HALF_HOUR = dt.timedelta(minutes=30)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2024-07-03T16:00:00", "2024-07-02"),
        ("2024-07-03T17:29:59", "2024-07-02"),
        ("2024-07-03T17:30:00", "2024-07-03"),
        ("2024-07-05T20:29:59", "2024-07-03"),
        ("2024-07-05T20:30:00", "2024-07-05"),
        ("2024-07-07T12:00:00", "2024-07-05"),
    ],
)
def test_a_remote_fetch_expires_at_the_next_close_and_delay(utc: str, expected: str) -> None:
    """The third of July 2024 closes at 13:00 in New York, 17:00 UTC."""
    clock = FixedClock(dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC))
    remote = FrameSource({"AAA": ohlcv()}, remote=True)
    assert expires_with(remote, clock, HALF_HOUR) == expected


def test_a_local_fetch_expires_with_its_content() -> None:
    clock = FixedClock(dt.datetime(2024, 7, 3, tzinfo=dt.UTC))
    assert expires_with(FrameSource({"AAA": ohlcv()}), clock, HALF_HOUR) == "1"
