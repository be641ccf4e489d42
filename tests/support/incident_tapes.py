"""Labelled tapes: what a watch sees of a trouble, or of none, and what somebody must be told.

A tape is a row of looks made from a healthy system and one thing that goes wrong, with the noise
such values have; its troubles say from when to when what really was wrong, whatever the rules say.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from sqlalchemy import event

from slices.domain.alerts import Level
from slices.domain.monitoring import Incident, Notice, Sample
from slices.domain.observations import Observation, RunFacts
from slices.monitor.alerts.incidents import acknowledge, mark_notified
from slices.monitor.alerts.judging import judge
from slices.monitor.store import Store, open_store
from tests.support.observed import observation, server_facts

BEGIN = dt.datetime(2024, 3, 4, 6, 0, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
ACCOUNT = (("account", "daily"), ("mode", "paper"))
DAILY = "account=daily,mode=paper"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look saw."""

    at: dt.datetime
    samples: tuple[Sample, ...]
    notices: tuple[Notice, ...] = ()
    runs: tuple[RunFacts, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def observation(self) -> Observation:
        """The facts besides the samples."""
        server = dataclasses.replace(server_facts(self.at), recent=self.runs, running=())
        whole = dataclasses.replace(_healthy(), at=self.at, server=server)
        return dataclasses.replace(
            whole,
            server=None if "orchestration" in self.unseen else whole.server,
            accounts=None if "trading" in self.unseen else whole.accounts,
            unknown=tuple((each, "no answer") for each in self.unseen),
        )


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that was really wrong.

    Attributes:
        until: When it was over; None where it lasts to the end of the tape.
        within_seconds: How soon somebody must be told.
    """

    rule: str
    subject: str
    level: Level
    begins: dt.datetime
    within_seconds: float
    until: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Tape:
    """A row of looks with what was wrong while they were taken."""

    name: str
    looks: tuple[Look, ...]
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Told:
    """One notification."""

    at: dt.datetime
    incident: Incident


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How well a tape was told.

    Attributes:
        words: First notifications about an incident, and that it became worse.
        latencies: Rule, level and seconds of each trouble that was told.
        missed: Troubles nobody was told of in time.
        false: First notifications about nothing.
    """

    tape: Tape
    told: tuple[Told, ...]
    words: tuple[Told, ...]
    latencies: tuple[tuple[str, Level, float], ...]
    missed: tuple[Trouble, ...]
    false: tuple[Told, ...]


def fast_store(folder: Path) -> Store:
    """A database that does not wait for the disk: what a tape writes need not survive."""
    store = open_store(folder)
    store.engine.dispose()

    def hurry(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(store.engine, "connect", hurry)
    return store


def replay(store: Store, tape: Tape, *, acknowledged: bool = False) -> tuple[Told, ...]:
    """Judge every look of a tape and note every notification as sent."""
    told: list[Told] = []
    for look in tape.looks:
        seen = look.observation
        verdicts = judge(store, seen, look.samples, look.notices, at=look.at)
        for each in verdicts.fire:
            mark_notified(store, each.key, look.at)
            told.append(Told(at=look.at, incident=each))
            if acknowledged:
                acknowledge(store, each.key, by="operator", at=look.at)
        for each in verdicts.ended:
            mark_notified(store, each.key, look.at)
    return tuple(told)


def quality(tape: Tape, told: tuple[Told, ...]) -> Quality:
    """Compare what was told with what was wrong."""
    latencies, missed = [], []
    for trouble in tape.troubles:
        times = [each.at for each in told if _is_about(each, trouble)]
        late = [(each - trouble.begins).total_seconds() for each in times if each >= trouble.begins]
        if late and min(late) <= trouble.within_seconds:
            latencies.append((trouble.rule, trouble.level, min(late)))
        else:
            missed.append(trouble)
    words = tuple({(each.incident.key, each.incident.level): each for each in told[::-1]}.values())
    false = [each for each in words if not any(_is_true(each, t) for t in tape.troubles)]
    return Quality(
        tape=tape,
        told=told,
        words=words,
        latencies=tuple(latencies),
        missed=tuple(missed),
        false=tuple(false),
    )


def _is_about(told: Told, trouble: Trouble) -> bool:
    found = told.incident
    return (found.rule, found.subject, found.level) == (
        trouble.rule,
        trouble.subject,
        trouble.level,
    )


def _is_true(told: Told, trouble: Trouble) -> bool:
    if not _is_about(told, trouble) or told.at < trouble.begins:
        return False
    return trouble.until is None or told.at <= trouble.until


@cache
def _healthy() -> Observation:
    return observation(at=BEGIN)


Value = Callable[[float], float | None]
"""Seconds since the beginning of a tape to a value; None where there is no sample."""

HEALTHY: dict[str, tuple[tuple[tuple[str, str], ...], float, float]] = {
    "host.cpu": ((), 0.35, 0.1),
    "host.memory_used": ((), 0.6, 0.03),
    "host.disk_used": ((), 0.5, 0.001),
    "host.open_files_used": ((), 0.2, 0.01),
    "runs.late": ((), 0.0, 0.0),
    "workers.online": ((("pool", "local"),), 1.0, 0.0),
    "server.up": ((), 1.0, 0.0),
    "server.answer_seconds": ((), 0.05, 0.01),
    "automations.failed_actions": ((), 0.0, 0.0),
    "tasks.failed_fetches": ((), 0.0, 0.0),
    "data.age_sessions": ((("feed", "daily"), ("source", "files")), 0.0, 0.0),
    "account.drawdown": (ACCOUNT, 0.03, 0.004),
    "account.day_loss": (ACCOUNT, 0.005, 0.002),
    "account.state": (ACCOUNT, 0.0, 0.0),
    "account.unknown_orders": (ACCOUNT, 0.0, 0.0),
    "trading.halted": ((), 0.0, 0.0),
    "watch.unseen": ((("part", "trading"),), 0.0, 0.0),
    "alerts.oldest_undelivered": ((), 0.0, 0.0),
}
"""Labels, level and noise of what a healthy system shows."""


def instant(seconds: float) -> dt.datetime:
    """Return the instant so many seconds after the beginning of every tape."""
    return BEGIN + dt.timedelta(seconds=seconds)


def looks(
    *,
    lasts: float,
    every: float,
    values: dict[str, Value] | None = None,
    labels: dict[str, tuple[tuple[str, str], ...]] | None = None,
    unseen: Callable[[float], tuple[str, ...]] = lambda _: (),
    seed: int = 1,
) -> tuple[Look, ...]:
    """Look at a healthy system, but for the given values, at equal distances."""
    random = np.random.default_rng(seed)
    given, names = values or {}, labels or {}
    return tuple(
        Look(
            at=instant(seconds),
            samples=tuple(_samples(seconds, given, names, unseen(seconds), random)),
            unseen=unseen(seconds),
        )
        for seconds in np.arange(0, lasts, every)
    )


PARTS = {"orchestration": ("runs.", "workers.", "tasks.", "automations."), "trading": ("account.",)}


def _samples(
    seconds: float,
    values: dict[str, Value],
    labels: dict[str, tuple[tuple[str, str], ...]],
    unseen: tuple[str, ...],
    random: np.random.Generator,
) -> Iterator[Sample]:
    hidden = tuple(name for part in unseen for name in PARTS.get(part, ()))
    for metric in dict.fromkeys((*HEALTHY, *values)):
        where, level, noise = HEALTHY.get(metric, ((), 0.0, 0.0))
        value = level + noise * float(random.standard_normal())
        found = values[metric](seconds) if metric in values else max(value, 0.0)
        if found is not None and not metric.startswith(hidden or "-"):
            yield Sample(metric=metric, labels=labels.get(metric, where), value=found)


def run(number: int, at: dt.datetime, *, state: str, flow: str = "paper-trading") -> RunFacts:
    """A run of a daily deployment that ended."""
    kinds = {"Degraded": "COMPLETED", "TimedOut": "FAILED"}
    return RunFacts(
        run_id=f"0190a1b2-0000-7000-8000-{number:012d}",
        name=f"run-{number}",
        flow=flow,
        deployment="daily",
        tags=("scheduled",),
        state=state,
        kind=kinds.get(state, state.upper()),
        message="",
        expected=at,
        started=at,
        ended=at,
        seconds=60.0,
        heard=at,
        tasks_done=1,
        tasks_failed=0,
        tasks_all=1,
    )


def notice(
    number: int,
    at: dt.datetime,
    *,
    name: str = "tradeflows.broker.unreachable",
    subject: str = "daily",
    level: Level = Level.ERROR,
    message: str = "no answer from the broker within 10 s",
) -> Notice:
    """An event as the outbox keeps it."""
    return Notice(
        number=number,
        at=at,
        event_id=f"00000000-0000-4000-8000-{number:012d}",
        name=name,
        subject=subject,
        level=level,
        message=message,
    )


def with_runs(look: Look, runs: Iterable[RunFacts]) -> Look:
    """Let a look see the fifty runs that ended last before it, newest first."""
    ended = [each for each in runs if each.ended and each.ended <= look.at]
    return dataclasses.replace(look, runs=tuple(ended[::-1][:50]))


def noisy(value: Callable[[float], float], noise: float, *, seed: int = 7) -> Value:
    """Add noise that depends on the time alone."""
    return lambda seconds: (
        value(seconds) + noise * float(np.random.default_rng([seed, int(seconds)]).normal())
    )


def between(
    first: float, last: float, *, inside: float, outside: float
) -> Callable[[float], float]:
    """One value from one time to another, and another value else."""
    return lambda seconds: inside if first <= seconds < last else outside


def trouble(
    rule: str,
    subject: str = "system",
    *,
    level: Level,
    begins: float,
    within: float,
    until: float | None = None,
) -> Trouble:
    """A trouble by seconds since the beginning of its tape."""
    return Trouble(
        rule=rule,
        subject=subject,
        level=level,
        begins=instant(begins),
        within_seconds=within,
        until=None if until is None else instant(until),
    )
