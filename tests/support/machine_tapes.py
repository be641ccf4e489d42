"""Tapes of machines, runs and the server: each kind of trouble once, and times without any."""

from __future__ import annotations

import datetime as dt

import numpy as np

from slices.domain.alerts import Level
from tests.support.incident_tapes import (
    DAY,
    HOUR,
    MINUTE,
    Tape,
    instant,
    looks,
    noisy,
    run,
    trouble,
    with_runs,
)

CRISES = (
    (dt.date(2007, 10, 1), dt.date(2009, 12, 31)),
    (dt.date(2020, 1, 2), dt.date(2020, 8, 31)),
)


def disk_filling() -> Tape:
    """A disk that fills from 80 to 99 % within five hours."""
    slope = 0.19 / (5 * HOUR)
    steps = ((0.85, Level.WARNING), (0.92, Level.ERROR), (0.97, Level.CRITICAL))
    return Tape(
        name="disk filling",
        looks=looks(
            lasts=5 * HOUR,
            every=4 * MINUTE,
            values={"host.disk_used": noisy(lambda at: 0.8 + slope * at, 0.0005)},
        ),
        troubles=tuple(
            trouble("disk-full", level=level, begins=(at - 0.801) / slope, within=15 * MINUTE)
            for at, level in steps
        ),
    )


def memory_leaking() -> Tape:
    """A process that takes all memory within two hours."""
    slope = 0.4 / (2 * HOUR)
    steps = ((0.9, Level.WARNING), (0.95, Level.ERROR), (0.98, Level.CRITICAL))
    return Tape(
        name="memory leaking",
        looks=looks(
            lasts=2 * HOUR,
            every=MINUTE,
            values={"host.memory_used": noisy(lambda at: 0.6 + slope * at, 0.003)},
        ),
        troubles=tuple(
            trouble("memory-short", level=level, begins=(at - 0.61) / slope, within=10 * MINUTE)
            for at, level in steps
        ),
    )


def noisy_processor() -> Tape:
    """An hour of work that comes and goes, then a process that spins."""
    random = np.random.default_rng(3).uniform(0.5, 1.0, 200)
    return Tape(
        name="noisy processor",
        looks=looks(
            lasts=2 * HOUR,
            every=MINUTE,
            values={
                "host.cpu": lambda at: float(random[int(at // MINUTE)]) if at < HOUR else 0.985
            },
        ),
        troubles=(trouble("cpu-busy", level=Level.INFO, begins=HOUR, within=35 * MINUTE),),
    )


def dying_worker() -> Tape:
    """A worker that is restarted within half a minute, and one that is killed for ten minutes.

    The server says that it is offline ninety seconds after it was last heard of.
    """

    def online(at: float) -> float:
        return 0.0 if 300 <= at < 315 or 900 + 90 <= at < 1500 else 1.0

    return Tape(
        name="worker dying",
        looks=looks(lasts=30 * MINUTE, every=15, values={"workers.online": online}),
        troubles=(
            trouble(
                "worker-gone", "pool=local", level=Level.ERROR, begins=900, within=150, until=1515
            ),
        ),
    )


def server_away() -> Tape:
    """A server that restarts within half a minute, and one that is away for a quarter hour."""

    def gone(at: float) -> tuple[str, ...]:
        return ("orchestration",) if 300 <= at < 330 or 900 <= at < 1800 else ()

    return Tape(
        name="server away",
        looks=looks(
            lasts=40 * MINUTE,
            every=15,
            values={
                "server.up": lambda at: float(not gone(at)),
                "server.answer_seconds": lambda at: None if gone(at) else 0.05,
            },
            unseen=gone,
        ),
        troubles=(trouble("server-down", level=Level.ERROR, begins=900, within=90, until=1860),),
    )


def flapping_source() -> Tape:
    """A source that fails and recovers all day: one incident."""
    counts = np.random.default_rng(5).integers(0, 4, 200)
    return Tape(
        name="flapping source",
        looks=looks(
            lasts=6 * HOUR,
            every=5 * MINUTE,
            values={
                "tasks.failed_fetches": lambda at: (
                    float(counts[int(at // (5 * MINUTE))]) if at >= HOUR else 0.0
                )
            },
        ),
        troubles=(trouble("source-failing", level=Level.WARNING, begins=HOUR, within=20 * MINUTE),),
    )


def failing_deployment() -> Tape:
    """A deployment that fails six times in half an hour, recovers, and crashes later."""
    ends = [(300 * each, "Failed" if 4 <= each < 10 else "Completed") for each in range(1, 40)]
    runs = tuple(
        run(number, instant(at), state="Crashed" if number == 29 else state)
        for number, (at, state) in enumerate(ends)
    )
    taken = looks(lasts=3.5 * HOUR, every=MINUTE)
    return Tape(
        name="failing deployment",
        looks=tuple(with_runs(each, runs) for each in taken),
        troubles=(
            trouble(
                "run-failed", "paper-trading/daily", level=Level.ERROR, begins=1200, within=60,
                until=3000,
            ),
            trouble(
                "run-crashed", "paper-trading/daily", level=Level.ERROR, begins=9000, within=60,
                until=9300,
            ),
        ),
    )  # fmt: skip


def late_runs() -> Tape:
    """Runs that wait two minutes now and then, and then nobody who takes them."""

    def late(at: float) -> float:
        if at < HOUR:
            return 1.0 if at % 900 < 120 else 0.0
        return min(12.0, (at - HOUR) // 300 + 1)

    return Tape(
        name="late runs",
        looks=looks(lasts=2.2 * HOUR, every=MINUTE, values={"runs.late": late}),
        troubles=(
            trouble("runs-late", level=Level.WARNING, begins=HOUR, within=6 * MINUTE),
            trouble("runs-late", level=Level.ERROR, begins=HOUR + 9 * 300, within=6 * MINUTE),
        ),
    )


def stuck_run() -> Tape:
    """A run that is silent for up to three minutes, and one whose process is gone."""
    return Tape(
        name="stuck run",
        looks=looks(
            lasts=HOUR,
            every=MINUTE,
            values={
                "runs.stuck": lambda at: (
                    at % 180 if at < 1200 else at - 1200 if at < 3000 else None
                )
            },
            labels={"runs.stuck": (("run", "brave-heron"),)},
        ),
        troubles=(
            trouble(
                "run-stuck", "run=brave-heron", level=Level.ERROR, begins=1200, within=960,
                until=3000,
            ),
        ),
    )  # fmt: skip


def unheard_receiver() -> Tape:
    """A receiver that is away for a minute, and one that is away for half an hour."""

    def waited(at: float) -> float:
        return at - 300 if 300 <= at < 360 else at - 1200 if 1200 <= at < 3000 else 0.0

    return Tape(
        name="receiver away",
        looks=looks(lasts=HOUR, every=30, values={"alerts.oldest_undelivered": waited}),
        troubles=(
            trouble("delivery-failing", level=Level.ERROR, begins=1200, within=330, until=3000),
        ),
    )


def quiet(days: float = 3.0, every: float = 15 * MINUTE) -> Tape:
    """Days without any trouble: nightly trainings, peaks of memory, a run now and then."""

    def cpu(at: float) -> float:
        return 0.99 if 2 * HOUR <= at % DAY < 2 * HOUR + 20 * MINUTE else 0.3

    taken = looks(
        lasts=days * DAY,
        every=every,
        values={
            "host.cpu": noisy(cpu, 0.05),
            "host.memory_used": noisy(lambda at: 0.88 if at % DAY < HOUR else 0.6, 0.005),
            "host.disk_used": noisy(lambda at: 0.6 + 0.01 * at / DAY, 0.002),
            "account.drawdown": noisy(lambda at: 0.05 + 0.02 * np.sin(at / DAY), 0.003),
            "runs.late": lambda at: float(at % (6 * HOUR) < MINUTE),
        },
        seed=11,
    )
    runs = [
        run(each, instant(each * HOUR + 5), state="Completed") for each in range(int(24 * days))
    ]
    return Tape(
        name="quiet days",
        looks=tuple(with_runs(each, runs) for each in taken),
    )


def growing(
    rule: str, metric: str, *, slope: float, limit: float, level: Level, subject: str,
    labels: tuple[tuple[str, str], ...] = (), waits: float = 0.0,
) -> Tape:  # fmt: skip
    """A value that grows by the hour from nothing beyond its limit."""
    return Tape(
        name=f"growing {metric}",
        looks=looks(
            lasts=8 * HOUR,
            every=10 * MINUTE,
            values={metric: lambda at: slope * (at // HOUR)},
            labels={metric: labels},
        ),
        troubles=(
            trouble(
                rule, subject, level=level, begins=np.ceil(limit / slope) * HOUR,
                within=waits + 10 * MINUTE,
            ),
        ),
    )  # fmt: skip
