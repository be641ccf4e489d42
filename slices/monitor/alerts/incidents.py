"""Incidents as they are kept, and what people say about them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from slices.domain.alerts import Level
from slices.domain.errors import ParameterError
from slices.domain.monitoring import Incident
from slices.domain.observations import AlertFacts
from slices.monitor.alerts.rules import RULES
from slices.monitor.schema import CURSORS, DELIVERIES, INCIDENTS, SILENCES
from slices.monitor.store import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from slices.monitor.store import Store

OUTBOX = "outbox"
DAY = dt.timedelta(days=1)
INCIDENT_FIELDS = tuple(each.name for each in dataclasses.fields(Incident))
KNOWN_INCIDENTS = select(*(INCIDENTS.c[each] for each in INCIDENT_FIELDS)).order_by(
    INCIDENTS.c.opened, INCIDENTS.c.key
)
ADDED_INCIDENT = upsert(INCIDENTS)
KEPT_INCIDENT = ADDED_INCIDENT.on_conflict_do_update(
    index_elements=[INCIDENTS.c.key],
    set_={each: ADDED_INCIDENT.excluded[each] for each in INCIDENT_FIELDS},
)


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Somebody does not want to hear of a rule for a while.

    Attributes:
        subject: What about; empty for everything the rule finds.
    """

    rule: str
    subject: str
    until: dt.datetime
    by: str
    reason: str


def open_incidents(store: Store) -> tuple[Incident, ...]:
    """Read the incidents that last, the worst first."""
    with reading(store) as connection:
        found = read_incidents(connection, INCIDENTS.c.resolved.is_(None))
    return tuple(sorted(found, key=lambda each: (-each.level.rank, each.opened)))


def incidents_since(store: Store, since: dt.datetime) -> tuple[Incident, ...]:
    """Read the incidents that last, or ended or opened since then, newest first."""
    recent = (
        INCIDENTS.c.resolved.is_(None)
        | (INCIDENTS.c.resolved >= since)
        | (INCIDENTS.c.opened >= since)
    )
    with reading(store) as connection:
        return read_incidents(connection, recent)[::-1]


def incident(store: Store, key: str) -> Incident:
    """Read one incident.

    Raises:
        ParameterError: There is none of this name.
    """
    with reading(store) as connection:
        return _one(connection, key)


def acknowledge(store: Store, key: str, *, by: str, at: dt.datetime) -> Incident:
    """Note that somebody takes care of an incident; it is not told again unless it gets worse.

    Acknowledging twice changes nothing.

    Raises:
        ParameterError: There is no incident of this name, or nobody said who.
    """
    if not by.strip():
        raise ParameterError(parameter="by", found="nothing", allowed="a name")
    with writing(store) as connection:
        known = _one(connection, key)
        if known.acknowledged is not None:
            return known
        _change(connection, key, acknowledged=at, acknowledged_by=by)
        return dataclasses.replace(known, acknowledged=at, acknowledged_by=by)


def silence(
    store: Store, *, rule: str, subject: str = "", until: dt.datetime, by: str, reason: str
) -> Silence:
    """Keep a rule quiet until then; it counts on, and what is critical is said once all the same.

    A silence of the same rule and subject is replaced, so one that ends now ends it.

    Args:
        store: Of the incidents.
        rule: Name of a rule.
        subject: What about; empty for everything the rule finds.
        until: When it ends.
        by: Who wants it.
        reason: Why.

    Raises:
        ParameterError: There is no such rule, or nobody said who or why.
    """
    names = tuple(each.name for each in RULES)
    if rule not in names:
        raise ParameterError(parameter="rule", found=rule, allowed=", ".join(names))
    for name, words in (("by", by), ("reason", reason)):
        if not words.strip():
            raise ParameterError(parameter=name, found="nothing", allowed="words")
    wanted = Silence(rule=rule, subject=subject, until=until, by=by, reason=reason)
    values = dataclasses.asdict(wanted)
    with writing(store) as connection:
        keys = [SILENCES.c.rule, SILENCES.c.subject]
        added = upsert(SILENCES).values(values)
        connection.execute(added.on_conflict_do_update(index_elements=keys, set_=values))
        about = (INCIDENTS.c.rule == rule) & INCIDENTS.c.resolved.is_(None)
        if subject:
            about &= INCIDENTS.c.subject == subject
        connection.execute(update(INCIDENTS).where(about).values(silenced_until=until))
    return wanted


def silences(store: Store, at: dt.datetime) -> tuple[Silence, ...]:
    """Read the silences that hold."""
    with reading(store) as connection:
        return read_silences(connection, at)


def outbox_cursor(store: Store) -> int:
    """Read the number of the last event that incidents have counted."""
    with reading(store) as connection:
        return read_cursor(connection, OUTBOX)


def begin_outbox(store: Store) -> None:
    """Count events from the beginning again, because the outbox is another one."""
    with writing(store) as connection:
        write_cursor(connection, OUTBOX, 0)


def mark_notified(store: Store, key: str, at: dt.datetime) -> None:
    """Note that a notification was sent: of the incident, or of its end where it has ended."""
    with writing(store) as connection:
        known = _one(connection, key)
        notified = max(at, known.resolved or at)
        _change(connection, key, notified=notified, attempts=known.attempts + 1)


def alert_facts(store: Store, *, at: dt.datetime) -> AlertFacts:
    """Read how many alerts there are, and how many wait for a receiver."""
    with reading(store) as connection:
        opened = read_incidents(connection, INCIDENTS.c.opened >= at - DAY)
        lasting = read_incidents(connection, INCIDENTS.c.resolved.is_(None))
        waiting = _waiting(connection)
        delivered = connection.scalar(
            select(func.count()).where(DELIVERIES.c.delivered_at >= at - DAY)
        )
        events = read_cursor(connection, OUTBOX)
    return AlertFacts(
        opened=_by_level(opened),
        open=_by_level(lasting),
        unacknowledged=sum(each.acknowledged is None for each in lasting),
        undelivered=len(waiting),
        oldest_undelivered_seconds=max(
            ((at - each).total_seconds() for each in waiting), default=0
        ),
        delivered=delivered or 0,
        events=events,
    )


def read_incidents(connection: Connection, condition: ColumnElement[bool]) -> tuple[Incident, ...]:
    """Read incidents inside a transaction, oldest first."""
    return tuple(
        Incident(**row) for row in connection.execute(KNOWN_INCIDENTS.where(condition)).mappings()
    )


def write_incidents(connection: Connection, incidents: Iterable[Incident]) -> None:
    """Write incidents inside a transaction, in place of what is there of them."""
    rows = [{name: getattr(each, name) for name in INCIDENT_FIELDS} for each in incidents]
    if rows:
        connection.execute(KEPT_INCIDENT, rows)


def read_silences(connection: Connection, at: dt.datetime) -> tuple[Silence, ...]:
    """Read the silences that hold, inside a transaction."""
    wanted = select(SILENCES).where(SILENCES.c.until > at).order_by(SILENCES.c.until)
    return tuple(Silence(**row) for row in connection.execute(wanted).mappings())


def silenced_until(incident: Incident, quiet: Sequence[Silence]) -> dt.datetime | None:
    """Say until when an incident is silenced; None where it is not."""
    ends = (
        each.until
        for each in quiet
        if each.rule == incident.rule and each.subject in ("", incident.subject)
    )
    return max(ends, default=None)


def read_cursor(connection: Connection, name: str) -> int:
    """Read how far somebody has come; 0 at the beginning."""
    return connection.scalar(select(CURSORS.c.value).where(CURSORS.c.name == name)) or 0


def write_cursor(connection: Connection, name: str, value: int) -> None:
    """Write how far somebody has come."""
    added = upsert(CURSORS).values(name=name, value=value)
    kept = added.on_conflict_do_update(index_elements=[CURSORS.c.name], set_={"value": value})
    connection.execute(kept)


def _one(connection: Connection, key: str) -> Incident:
    found = read_incidents(connection, INCIDENTS.c.key == key)
    if not found:
        allowed = "a key that `tradeflows alerts` lists"
        raise ParameterError(parameter="key", found=key, allowed=allowed)
    return found[0]


def _change(connection: Connection, key: str, **values: object) -> None:
    connection.execute(update(INCIDENTS).where(INCIDENTS.c.key == key).values(values))


def _by_level(incidents: Sequence[Incident]) -> tuple[tuple[str, int], ...]:
    levels = [each.level for each in incidents]
    return tuple((level.value, levels.count(level)) for level in Level)


def _waiting(connection: Connection) -> list[dt.datetime]:
    """List since when incidents wait for a receiver to take what was sent last about them."""
    rows = connection.execute(
        select(DELIVERIES.c.incident, DELIVERIES.c.sent_at, DELIVERIES.c.delivered_at).order_by(
            DELIVERIES.c.sent_at
        )
    )
    since: dict[str, dt.datetime] = {}
    for name, sent, delivered in rows:
        if delivered is None:
            since.setdefault(name, sent)
        else:
            since.pop(name, None)
    return list(since.values())
