"""What a leak is, by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from slices.domain.learning_errors import LeakageError


@dataclass(frozen=True, kw_only=True)
class FeatureLeak:
    """A feature that knows the future.

    Attributes:
        name: Of the feature.
        session: Where it was first seen.
        symbol: Of the value.
        detail: How it was found, in words.
    """

    name: str
    session: dt.date
    symbol: str
    detail: str


def check_leaks(leaks: tuple[FeatureLeak, ...]) -> None:
    """Raise where there are any.

    Raises:
        LeakageError: Naming every feature, and how the first was found.
    """
    if leaks:
        raise LeakageError(
            names=tuple(each.name for each in leaks), problem=f"{leaks[0].name}: {leaks[0].detail}"
        )
