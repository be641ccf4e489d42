"""Rules against what was seen: in one transaction, so that a crash neither loses nor repeats."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from slices.domain.monitoring import Incident
from slices.monitor.alerts.docket import REOPENED, Docket
from slices.monitor.alerts.due import due
from slices.monitor.alerts.hearing import ended_runs, heard
from slices.monitor.alerts.incidents import (
    OUTBOX,
    read_cursor,
    read_incidents,
    read_silences,
    silenced_until,
    write_cursor,
    write_incidents,
)
from slices.monitor.alerts.measured import take_samples
from slices.monitor.alerts.rules import RULES
from slices.monitor.alerts.subjects import end_of, run_subject
from slices.monitor.schema import EPOCH, INCIDENTS, MICROSECOND, PICTURES, SIGHTINGS
from slices.monitor.store import writing
from slices.runtime.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from slices.domain.monitoring import AlertRule, Notice, Sample
    from slices.domain.observations import Observation, RunFacts
    from slices.monitor.alerts.spells import Spell
    from slices.monitor.store import Store

SPELLS = "spells"
JUDGED = "judged"
COUNTED_KEPT = dt.timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What follows from one look.

    Attributes:
        fire: Incidents somebody has to be told about now, the worst first; they come again with
            the next look until `mark_notified` says that they were sent.
        ended: Incidents whose end has to be told, likewise.
    """

    fire: tuple[Incident, ...]
    ended: tuple[Incident, ...]


def judge(
    store: Store,
    observation: Observation,
    samples: Sequence[Sample],
    notices: Sequence[Notice],
    *,
    at: dt.datetime,
    rules: Sequence[AlertRule] = RULES,
) -> Verdicts:
    """Hold what was seen against the rules, and keep the incidents that follow.

    Everything is written in one transaction together with how far the events were read and which
    observation was judged: whatever is judged again counts once.

    Args:
        store: Of the incidents.
        observation: What was seen.
        samples: What was measured from it.
        notices: Events since the last look; those that were counted already are passed over.
        at: Now.
        rules: What to look for.
    """
    with writing(store) as connection:
        first = min((each.at for each in notices), default=at)
        docket = Docket(_known(connection, min(first, at)), rules)
        _take_notices(connection, docket, notices, rules)
        _take_runs(connection, docket, observation, rules)
        if read_cursor(connection, JUDGED) != _stamp(observation.at):
            spells = _read_spells(connection)
            after = take_samples(docket, spells, observation, samples, rules=rules)
            if after != spells:
                _write_spells(connection, after, observation.at)
            write_cursor(connection, JUDGED, _stamp(observation.at))
        docket.expire(at)
        write_incidents(connection, docket.changed)
        lasting = _silenced(connection, docket.open, at)
        return Verdicts(fire=due(lasting, rules, at=at), ended=_ended(connection))


def _known(connection: Connection, first: dt.datetime) -> tuple[Incident, ...]:
    """Read what lasts, and what ended so late that it may go on."""
    recent = INCIDENTS.c.resolved >= first - REOPENED
    return read_incidents(connection, INCIDENTS.c.resolved.is_(None) | recent)


def _ended(connection: Connection) -> tuple[Incident, ...]:
    """Read what somebody was told of, and not yet of its end."""
    told = INCIDENTS.c.notified
    return read_incidents(
        connection,
        (INCIDENTS.c.attempts > 0)
        & INCIDENTS.c.resolved.is_not(None)
        & (told.is_(None) | (told < INCIDENTS.c.resolved)),
    )


def _take_notices(
    connection: Connection, docket: Docket, notices: Sequence[Notice], rules: Sequence[AlertRule]
) -> None:
    cursor = read_cursor(connection, OUTBOX)
    news = [each for each in notices if each.number > cursor]
    docket.take(heard(news, rules))
    if news:
        write_cursor(connection, OUTBOX, max(each.number for each in news))


def _take_runs(
    connection: Connection, docket: Docket, observation: Observation, rules: Sequence[AlertRule]
) -> None:
    runs = _ended_lately(observation)
    if not runs:
        return
    ends = [end_of(each) for each in runs]
    counted = connection.scalars(select(SIGHTINGS.c.sighting).where(SIGHTINGS.c.sighting.in_(ends)))
    docket.take(ended_runs(runs, rules, counted=frozenset(counted)))
    rows = list(_counted_rows(runs, rules))
    if rows:
        connection.execute(insert(SIGHTINGS).on_conflict_do_nothing(), rows)
        old = SIGHTINGS.c.at < observation.at - COUNTED_KEPT
        connection.execute(SIGHTINGS.delete().where(old))


def _ended_lately(observation: Observation) -> tuple[RunFacts, ...]:
    """List the runs that ended since what was counted is remembered."""
    server = observation.server
    runs = (*server.recent, *server.earlier) if server else ()
    first = observation.at - COUNTED_KEPT
    return tuple(each for each in runs if each.ended and each.ended >= first)


def _counted_rows(
    runs: Sequence[RunFacts], rules: Sequence[AlertRule]
) -> Iterator[dict[str, object]]:
    for run in runs:
        for rule in rules:
            if run.state in rule.states and run.ended:
                yield {
                    "rule": rule.name,
                    "subject": run_subject(run),
                    "sighting": end_of(run),
                    "at": run.ended,
                }


def _read_spells(connection: Connection) -> tuple[Spell, ...]:
    text = connection.scalar(select(PICTURES.c.text).where(PICTURES.c.name == SPELLS))
    return decode(text) if text else ()


def _write_spells(connection: Connection, spells: tuple[Spell, ...], at: dt.datetime) -> None:
    values = {"name": SPELLS, "at": at, "text": encode(spells)}
    added = insert(PICTURES).values(values)
    connection.execute(added.on_conflict_do_update(index_elements=["name"], set_=values))


def _silenced(
    connection: Connection, incidents: Sequence[Incident], at: dt.datetime
) -> tuple[Incident, ...]:
    """Say of each incident until when it is silenced."""
    quiet = read_silences(connection, at)
    known = tuple(
        dataclasses.replace(each, silenced_until=silenced_until(each, quiet)) for each in incidents
    )
    before = {each.key: each.silenced_until for each in incidents}
    write_incidents(connection, [e for e in known if e.silenced_until != before[e.key]])
    return known


def _stamp(at: dt.datetime) -> int:
    return (at - EPOCH) // MICROSECOND
