"""Old points are thinned, never averaged, and in the end deleted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, text

from slices.monitor.schema import (
    CURSORS,
    DELIVERIES,
    EPOCH,
    INCIDENTS,
    MICROSECOND,
    SAMPLES,
    SERIES,
    SIGHTINGS,
    SILENCES,
)
from slices.monitor.store import reading, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from slices.monitor.store import Store


@dataclass(frozen=True, kw_only=True)
class Grade:
    """From some age on, of every stretch only ends, extremes and one undefined point stay."""

    name: str
    age: dt.timedelta
    stretch: dt.timedelta
    every: dt.timedelta


GRADES = (
    Grade(
        name="thinned to quarters of an hour",
        age=dt.timedelta(days=2),
        stretch=dt.timedelta(minutes=15),
        every=dt.timedelta(hours=1),
    ),
    Grade(
        name="thinned to two hours",
        age=dt.timedelta(days=14),
        stretch=dt.timedelta(hours=2),
        every=dt.timedelta(hours=12),
    ),
)
# What a run was counted for must not be forgotten while it is looked at.
COUNTED_KEPT = dt.timedelta(days=2)

THIN = text("""
DELETE FROM samples WHERE (series, at) IN (
  SELECT series, at FROM (
    SELECT samples.series AS series, samples.at AS at,
      row_number() OVER (PARTITION BY samples.series, samples.at / :stretch, samples.value IS NULL
        ORDER BY samples.value, samples.at) AS from_lowest,
      row_number() OVER (PARTITION BY samples.series, samples.at / :stretch, samples.value IS NULL
        ORDER BY samples.value DESC, samples.at DESC) AS from_highest,
      row_number() OVER (PARTITION BY samples.series, samples.at / :stretch
        ORDER BY samples.at) AS from_first,
      row_number() OVER (PARTITION BY samples.series, samples.at / :stretch
        ORDER BY samples.at DESC) AS from_last
    FROM series CROSS JOIN samples ON samples.series = series.number
    WHERE samples.at >= :begin AND samples.at < :end)
  WHERE from_lowest > 1 AND from_highest > 1 AND from_first > 1 AND from_last > 1)
""")


def thin(store: Store, *, at: dt.datetime) -> int:
    """Thin what has become old since the last time; where nothing has, it costs one look.

    Returns:
        How many points were deleted.
    """
    with reading(store) as connection:
        due = [each for each in GRADES if _end(each, at) - _begin(connection, each) >= each.every]
    if not due:
        return 0
    with writing(store) as connection:
        return sum(_thin(connection, each, at=at) for each in due)


def prune(store: Store, *, before: dt.datetime) -> int:
    """Delete points, ended incidents and silences from before a moment; what lasts stays.

    Returns:
        How many rows were deleted.
    """
    everything = select(SERIES.c.number)
    has_points = select(SAMPLES.c.series).where(SAMPLES.c.series == SERIES.c.number).exists()
    ended = select(INCIDENTS.c.key).where(INCIDENTS.c.resolved < before)
    noted = func.instr(CURSORS.c.name, INCIDENTS.c.key) > 0
    deletions = (
        delete(SAMPLES).where(SAMPLES.c.series.in_(everything), SAMPLES.c.at < before),
        delete(SERIES).where(~has_points),
        delete(DELIVERIES).where(DELIVERIES.c.incident.in_(ended)),
        delete(CURSORS).where(ended.where(noted).exists()),
        delete(INCIDENTS).where(INCIDENTS.c.resolved < before),
        delete(SIGHTINGS).where(SIGHTINGS.c.at < before - COUNTED_KEPT),
        delete(SILENCES).where(SILENCES.c.until < before),
    )
    with writing(store) as connection:
        return sum(connection.execute(each).rowcount for each in deletions)


def _thin(connection: Connection, grade: Grade, *, at: dt.datetime) -> int:
    begin, end = _begin(connection, grade), _end(grade, at)
    bounds = {
        "begin": (begin - EPOCH) // MICROSECOND,
        "end": (end - EPOCH) // MICROSECOND,
        "stretch": grade.stretch // MICROSECOND,
    }
    deleted = connection.execute(THIN, bounds).rowcount
    connection.execute(delete(CURSORS).where(CURSORS.c.name == grade.name))
    connection.execute(CURSORS.insert().values(name=grade.name, value=bounds["end"]))
    return deleted


def _begin(connection: Connection, grade: Grade) -> dt.datetime:
    value = connection.scalar(select(CURSORS.c.value).where(CURSORS.c.name == grade.name))
    return EPOCH + (value or 0) * MICROSECOND


def _end(grade: Grade, at: dt.datetime) -> dt.datetime:
    """Give the newest end of a stretch that is old enough."""
    stretches = (at - grade.age - EPOCH) // grade.stretch
    return EPOCH + stretches * grade.stretch
