"""Tapes that thresholds judge wrongly, so that nobody takes the rules for more than they are."""

from __future__ import annotations

from collections.abc import Callable

from slices.domain.alerts import Level
from tests.support.incident_tapes import (
    DAY,
    HOUR,
    MINUTE,
    Tape,
    between,
    looks,
    noisy,
    trouble,
)


def harmless_memory() -> Tape:
    """A nightly training that takes 92 % of the memory for four minutes and gives it back."""
    return Tape(
        name="harmless memory",
        looks=looks(
            lasts=HOUR,
            every=MINUTE,
            values={
                "host.memory_used": noisy(between(1200, 1440, inside=0.92, outside=0.6), 0.003)
            },
        ),
    )


def waking_machine() -> Tape:
    """A machine that was asleep and takes six minutes to begin all that was scheduled."""
    return Tape(
        name="waking machine",
        looks=looks(
            lasts=HOUR,
            every=MINUTE,
            values={"runs.late": between(600, 960, inside=3.0, outside=0.0)},
        ),
    )


def slow_restart() -> Tape:
    """A worker that somebody replaces in two minutes."""
    return Tape(
        name="slow restart",
        looks=looks(
            lasts=HOUR / 2,
            every=15,
            values={"workers.online": between(600, 720, inside=0.0, outside=1.0)},
        ),
    )


def half_spinning() -> Tape:
    """A process that spins on one core of two while the other one is nearly idle."""
    return Tape(
        name="half spinning",
        looks=looks(
            lasts=2 * HOUR,
            every=2 * MINUTE,
            values={"host.cpu": noisy(between(HOUR, DAY, inside=0.62, outside=0.3), 0.02)},
        ),
        troubles=(trouble("cpu-busy", level=Level.INFO, begins=HOUR, within=40 * MINUTE),),
    )


def dragging_server() -> Tape:
    """A server that takes more than a second for everything, which people notice."""
    return Tape(
        name="dragging server",
        looks=looks(
            lasts=HOUR,
            every=MINUTE,
            values={
                "server.answer_seconds": noisy(between(900, DAY, inside=1.3, outside=0.05), 0.02)
            },
        ),
        troubles=(trouble("server-slow", level=Level.WARNING, begins=900, within=15 * MINUTE),),
    )


def breathing_disk() -> Tape:
    """A disk that swings around the first threshold all day, as caches come and go."""
    return Tape(
        name="breathing disk",
        looks=looks(
            lasts=DAY,
            every=10 * MINUTE,
            values={
                "host.disk_used": noisy(
                    lambda at: 0.8 if at < HOUR else 0.86 - 0.02 * (at // HOUR % 2), 0.001
                )
            },
        ),
        troubles=(trouble("disk-full", level=Level.WARNING, begins=HOUR, within=75 * MINUTE),),
    )


HARD_TAPES: tuple[Callable[[], Tape], ...] = (
    harmless_memory,
    waking_machine,
    slow_restart,
    half_spinning,
    dragging_server,
    breathing_disk,
)
