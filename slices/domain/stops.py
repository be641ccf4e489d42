"""Stops: prices or dates at which a position is left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class StopKind(StrEnum):
    """How the level of a stop comes about."""

    FIXED = "fixed"
    TRAILING = "trailing"
    ATR = "atr"
    TIME = "time"
    TARGET = "target"


class StopStatus(StrEnum):
    """Where a stop is on its way."""

    ARMED = "armed"
    TRIGGERED = "triggered"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """An exit that waits for a price or a date; for a short position everything is turned over.

    Attributes:
        stop_id: Made from the account, the symbol, the kind and the order that opened the
            position, so that it is recorded once.
        level: FIXED: the price below which the position is left; TARGET: above which.
        trail: TRAILING: fraction below the highest high since the stop was armed.
        multiple: ATR: average true ranges (14 sessions, Wilder) below the highest close since.
        most_sessions: TIME: sessions after `armed` at which the position is left.
        armed: Session from which on it holds; the bars of later sessions are looked at.
        client_order_id: The order that leaves, once triggered; empty before.
        triggered: Session in which it was hit, and at what level.
    """

    stop_id: str
    account: str
    symbol: str
    kind: StopKind
    level: Decimal | None = None
    trail: float | None = None
    multiple: float | None = None
    most_sessions: int | None = None
    armed: dt.date
    status: StopStatus = StopStatus.ARMED
    client_order_id: str = ""
    triggered: dt.date | None = None
    triggered_level: Decimal | None = None
