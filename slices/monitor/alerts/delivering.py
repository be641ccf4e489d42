"""What was sent about incidents, whether anybody took it, and what has to be sent again.

Every sending is written down before it happens, so that one that was cut short is found and done
again. A sending is over when the action of an automation took it; until then the incident is sent
again under the next attempt, first soon and then ever less often.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import func, insert, or_, select, update

from slices.domain.monitoring import Incident
from slices.monitor.alerts.incidents import read_cursor, write_cursor
from slices.monitor.schema import DELIVERIES, INCIDENTS
from slices.monitor.store import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from slices.monitor.store import Store
    from slices.runtime.server_events import ActionOutcome

NOTIFYING = frozenset({"send-notification", "call-webhook", "do-nothing"})
"""Actions whose success means that whoever is to be told was told; with the last, nobody is."""

ORDERING = {"run-deployment": "ran", "pause-deployment": "paused"}
"""Actions that are done once for an incident of a level, and the word that remembers it."""

UNHEARD = "no action of an automation was heard of"
RECENT = dt.timedelta(minutes=10)
LONG_AGO = dt.timedelta(days=1)
MOST_AT_ONCE = 20
MOST_ASKED = 200


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How soon a sending is repeated.

    Attributes:
        first_seconds: After the first one in vain; each further one doubles it.
        most_seconds: Never longer than this.
        unheard_seconds: Where nobody said that it failed, wait at least so long: with a receiver
            that hangs it may still be on its way.
    """

    first_seconds: float = 15.0
    most_seconds: float = 900.0
    unheard_seconds: float = 60.0

    def pause(self, failures: int, *, is_unheard: bool) -> dt.timedelta:
        """Return how long to wait after so many sendings in vain.

        >>> [Pace().pause(each, is_unheard=False).total_seconds() for each in (1, 2, 3, 9)]
        [15.0, 30.0, 60.0, 900.0]
        >>> Pace().pause(1, is_unheard=True).total_seconds()
        60.0
        """
        seconds = min(self.first_seconds * 2 ** min(failures - 1, 30), self.most_seconds)
        return dt.timedelta(seconds=max(seconds, self.unheard_seconds if is_unheard else 0.0))


PACE = Pace()


@dataclass(frozen=True, kw_only=True)
class Sending:
    """One attempt to tell about an incident, already written down.

    Attributes:
        is_end: Whether what is told is that the incident ended.
        runs: Whether a deployment is still to be started for it.
        pauses: Whether deployments are still to be paused for it.
    """

    event_id: str
    incident: Incident
    attempt: int
    is_end: bool
    runs: bool
    pauses: bool


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    event_id: str
    key: str
    number: int
    sent: dt.datetime
    taken: dt.datetime | None
    failure: str


def begin(store: Store, incident: Incident, *, at: dt.datetime) -> Sending:
    """Write down that an incident, or its end, is about to be sent.

    Raises:
        StorageError: The disk refuses; nothing may be sent then.
    """
    event_id = str(uuid4())
    with writing(store) as connection:
        known = _attempts(connection, DELIVERIES.c.incident == incident.key)
        number = 1 + max((each.number for each in known), default=0)
        _fail(connection, (each.event_id for each in known if not each.failure), UNHEARD)
        values = {"event_id": event_id, "incident": incident.key, "attempt": number, "sent_at": at}
        connection.execute(insert(DELIVERIES).values(values | {"failure": ""}))
        told = max(at, incident.resolved or at)
        mine = update(INCIDENTS).where(INCIDENTS.c.key == incident.key)
        connection.execute(mine.values(notified=told, attempts=number))
        return Sending(
            event_id=event_id,
            incident=incident,
            attempt=number,
            is_end=not incident.is_open and any(each.taken for each in known),
            runs=not _is_done(connection, "ran", incident),
            pauses=not _is_done(connection, "paused", incident),
        )


def fail(store: Store, event_id: str, reason: str) -> None:
    """Write down why a sending was in vain.

    Raises:
        StorageError: The disk refuses.
    """
    with writing(store) as connection:
        _fail(connection, (event_id,), reason)


def asked_about(store: Store, *, at: dt.datetime) -> tuple[tuple[str, dt.datetime], ...]:
    """List the sendings whose outcome is worth asking for, newest first, with their time.

    These are those that nobody took, and recent ones, whose other actions may be on their way.

    Raises:
        StorageError: The disk refuses.
    """
    with reading(store) as connection:
        recent = _attempts(connection, DELIVERIES.c.sent_at > at - RECENT)
        waiting = [each for each in _waiting(connection) if each.sent > at - LONG_AGO]
    newest = sorted((*recent, *waiting), key=lambda each: each.sent, reverse=True)
    return tuple({each.event_id: each.sent for each in newest[:MOST_ASKED]}.items())


def take_outcomes(store: Store, outcomes: Iterable[ActionOutcome]) -> tuple[str, ...]:
    """Write down what automations did with what was sent.

    Returns:
        Keys of the incidents that a receiver has taken now.

    Raises:
        StorageError: The disk refuses.
    """
    ordered = sorted(outcomes, key=lambda each: each.at)
    if not ordered:
        return ()
    with writing(store) as connection:
        taken = [_take(connection, each) for each in ordered]
    return tuple(dict.fromkeys(key for key in taken if key))


def due(store: Store, *, at: dt.datetime, pace: Pace = PACE) -> tuple[str, ...]:
    """Name the incidents to be sent again now, the longest waiting first.

    What somebody acknowledged needs no sending any more; what is silenced waits.

    Raises:
        StorageError: The disk refuses.
    """
    with writing(store) as connection:
        _settle_acknowledged(connection)
        silent = INCIDENTS.c.silenced_until > at
        silenced = set(connection.scalars(select(INCIDENTS.c.key).where(silent)))
        waiting = _waiting(connection)
    found = {
        key: list(attempts)
        for key, attempts in itertools.groupby(waiting, key=lambda each: each.key)
        if key not in silenced
    }
    late = [key for key, attempts in found.items() if _is_due(attempts, at=at, pace=pace)]
    return tuple(sorted(late, key=lambda key: found[key][0].sent))[:MOST_AT_ONCE]


def _is_due(attempts: list[_Attempt], *, at: dt.datetime, pace: Pace) -> bool:
    newest = attempts[-1]
    pause = pace.pause(len(attempts), is_unheard=not newest.failure)
    # A clock that was set back must not postpone it for ever.
    return abs(at - newest.sent) >= pause


def _attempts(connection: Connection, wanted: ColumnElement[bool]) -> list[_Attempt]:
    query = (
        select(DELIVERIES)
        .join(INCIDENTS, INCIDENTS.c.key == DELIVERIES.c.incident)
        .where(wanted)
        .order_by(DELIVERIES.c.incident, DELIVERIES.c.attempt)
    )
    return [
        _Attempt(
            event_id=row.event_id,
            key=row.incident,
            number=row.attempt,
            sent=row.sent_at,
            taken=row.delivered_at,
            failure=row.failure,
        )
        for row in connection.execute(query)
    ]


def _waiting(connection: Connection) -> list[_Attempt]:
    """List the attempts in vain since a receiver took one, of incidents that still wait."""
    last = (
        select(DELIVERIES.c.incident, func.max(DELIVERIES.c.attempt).label("attempt"))
        .where(DELIVERIES.c.delivered_at.is_not(None))
        .group_by(DELIVERIES.c.incident)
        .subquery()
    )
    taken = select(last.c.attempt).where(last.c.incident == DELIVERIES.c.incident).scalar_subquery()
    return _attempts(connection, or_(taken.is_(None), DELIVERIES.c.attempt > taken))


def _take(connection: Connection, outcome: ActionOutcome) -> str | None:
    """Write one outcome down; the key of the incident where a receiver took it by this."""
    found = _attempts(connection, DELIVERIES.c.event_id == outcome.event_id)
    if not found:
        return None
    (sent,) = found
    if outcome.action in ORDERING and outcome.succeeded:
        write_cursor(connection, _done(connection, ORDERING[outcome.action], sent.key), 1)
    elif outcome.action in NOTIFYING and sent.taken is None:
        if outcome.succeeded:
            _settle(connection, sent, at=outcome.at)
            return sent.key
        _fail(connection, (sent.event_id,), outcome.reason)
    return None


def _settle(connection: Connection, sent: _Attempt, *, at: dt.datetime) -> None:
    """Settle an attempt, and those after it that repeated it because it seemed to be in vain."""
    settled = [sent]
    for each in _attempts(connection, DELIVERIES.c.incident == sent.key):
        if each.number == settled[-1].number + 1 and settled[-1].failure and not each.taken:
            settled.append(each)
    ids = [each.event_id for each in settled]
    mine = DELIVERIES.c.event_id.in_(ids)
    connection.execute(update(DELIVERIES).where(mine).values(delivered_at=at))
    told = update(INCIDENTS).where(INCIDENTS.c.key == sent.key)
    connection.execute(told.values(delivered=at))


def _fail(connection: Connection, event_ids: Iterable[str], reason: str) -> None:
    mine = DELIVERIES.c.event_id.in_(list(event_ids)) & DELIVERIES.c.delivered_at.is_(None)
    connection.execute(update(DELIVERIES).where(mine).values(failure=reason or UNHEARD))


def _settle_acknowledged(connection: Connection) -> None:
    """Let what somebody takes care of wait no longer."""
    mine = INCIDENTS.c.key == DELIVERIES.c.incident
    when = select(INCIDENTS.c.acknowledged).where(mine).scalar_subquery()
    waits = DELIVERIES.c.delivered_at.is_(None) & when.is_not(None)
    connection.execute(update(DELIVERIES).where(waits).values(delivered_at=when))


def _is_done(connection: Connection, word: str, incident: Incident) -> bool:
    return read_cursor(connection, f"{word}:{incident.key}:{incident.level}") > 0


def _done(connection: Connection, word: str, key: str) -> str:
    level = connection.scalar(select(INCIDENTS.c.level).where(INCIDENTS.c.key == key))
    return f"{word}:{key}:{level}"
