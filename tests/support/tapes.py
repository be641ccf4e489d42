"""The tapes alert rules are measured on."""

from __future__ import annotations

from collections.abc import Callable

from slices.domain.alerts import Level
from tests.support.hard_tapes import HARD_TAPES
from tests.support.incident_tapes import ACCOUNT, DAILY, MINUTE, Tape
from tests.support.machine_tapes import (
    disk_filling,
    dying_worker,
    failing_deployment,
    flapping_source,
    growing,
    late_runs,
    memory_leaking,
    noisy_processor,
    quiet,
    server_away,
    stuck_run,
    unheard_receiver,
)
from tests.support.trading_tapes import (
    books_unreadable,
    crises,
    lost_answer,
    paused_account,
    replaced_model,
    stale_source,
    storm,
    unreachable_broker,
)

REJECTED = (*ACCOUNT, ("reason", "insufficient_cash"))
FEED = (("feed", "daily"), ("source", "files"))

CLEAR_TAPES: tuple[Callable[[], Tape], ...] = (
    disk_filling,
    memory_leaking,
    noisy_processor,
    dying_worker,
    server_away,
    books_unreadable,
    flapping_source,
    failing_deployment,
    late_runs,
    stuck_run,
    unreachable_broker,
    stale_source,
    storm,
    paused_account,
    lost_answer,
    replaced_model,
    unheard_receiver,
    lambda: growing(
        "orders-rejected", "account.rejects", slope=6, limit=20, level=Level.WARNING,
        subject=f"{DAILY},reason=insufficient_cash", labels=REJECTED,
    ),
    lambda: growing(
        "feed-old", "data.age_sessions", slope=1, limit=3, level=Level.WARNING,
        subject="feed=daily,source=files", labels=FEED,
    ),
    lambda: growing(
        "files-short", "host.open_files_used", slope=0.13, limit=0.8, level=Level.WARNING,
        subject="system", waits=MINUTE,
    ),
    lambda: growing(
        "server-slow", "server.answer_seconds", slope=0.5, limit=2, level=Level.WARNING,
        subject="system", waits=5 * MINUTE,
    ),
    lambda: growing(
        "actions-failing", "automations.failed_actions", slope=0.5, limit=1, level=Level.WARNING,
        subject="system",
    ),
    lambda: growing(
        "trading-halted", "trading.halted", slope=0.25, limit=1, level=Level.ERROR,
        subject="system",
    ),
)  # fmt: skip
"""Without the crises."""


def clear_tapes(*, whole: bool = False) -> tuple[Tape, ...]:
    """Troubles that rules are meant for, with real crises or the worst of them."""
    return (*(make() for make in CLEAR_TAPES), *crises(whole=whole))


def hard_tapes() -> tuple[Tape, ...]:
    """What thresholds cannot tell apart: troubles below them, and harmless times beyond them."""
    return tuple(make() for make in HARD_TAPES)


def quiet_tape(*, days: float, every: float = 15 * MINUTE) -> Tape:
    """Days of which nobody must hear anything."""
    return quiet(days, every)
