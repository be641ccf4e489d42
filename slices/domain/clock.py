"""The port through which time enters: nothing else in the system asks what time it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> dt.datetime:
        """Return the current instant, timezone-aware, in UTC."""
        ...


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still, for replays and tests."""

    instant: dt.datetime

    def now(self) -> dt.datetime:
        """Return the instant the clock was set to."""
        return self.instant


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the current instant in UTC."""
        return dt.datetime.now(dt.UTC)
