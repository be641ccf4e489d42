"""What was measured: the latest whole picture, and the past of every series.

A point is written when a value changes, at the moment before it changed, and every five minutes
otherwise; so a line through the points is what was measured, and a longer gap is a time when nobody
looked. Old points are thinned, never averaged: of every stretch the first, the last, the highest,
the lowest and the undefined stay.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, insert, select

from slices.domain.errors import IntegrityError
from slices.monitor.pictures import Measurement, drawn, seen
from slices.monitor.points import KEEPALIVE, Labels, labels_of, labels_text, write_points
from slices.monitor.schema import PICTURES, SAMPLES, SERIES
from slices.monitor.store import reading, writing
from slices.monitor.thinning import prune, thin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.engine import Row

    from slices.monitor.store import Store

__all__ = [
    "KEEPALIVE",
    "Labels",
    "Measurement",
    "Points",
    "prune",
    "read_latest",
    "read_series",
    "series_of",
    "thinned",
    "write_measurement",
]

LATEST = "latest"

Points = tuple[tuple[dt.datetime, float], ...]


def write_measurement(store: Store, measurement: Measurement) -> None:
    """Write the picture and the points of its samples, all of it or nothing.

    Raises:
        StorageError: The disk refuses; IntegrityError where the database is damaged.
    """
    text = drawn(measurement)
    with writing(store) as connection:
        before = _measured_at(connection)
        at = measurement.at
        write_points(connection, measurement.samples, at=at, before=before or at)
        connection.execute(delete(PICTURES).where(PICTURES.c.name == LATEST))
        connection.execute(insert(PICTURES).values(name=LATEST, at=measurement.at, text=text))
    thin(store, at=measurement.at)


def read_latest(store: Store) -> Measurement | None:
    """Read the newest picture; None before the first, and where another version drew it.

    Raises:
        IntegrityError: It is not what was written; StorageError where the disk refuses.
    """
    with reading(store) as connection:
        text = connection.scalar(select(PICTURES.c.text).where(PICTURES.c.name == LATEST))
    if text is None:
        return None
    try:
        return seen(text)
    except IntegrityError as damage:
        problem = f"latest picture: {damage.problem}; the next measurement replaces it"
        raise IntegrityError(path=str(store.file), problem=problem) from damage


def read_series(
    store: Store,
    metric: str,
    *,
    labels: Labels = (),
    since: dt.datetime,
    until: dt.datetime | None = None,
    most: int = 1000,
) -> Points:
    """Read the past of one series, oldest first.

    Args:
        store: Where.
        metric: Name of its type.
        labels: What it is about, sorted by name; exactly these.
        since: First moment.
        until: Last moment; the newest there is by default.
        most: Number of points, at least 8; of more, the extremes are kept.

    Returns:
        Moments with values; NaN where the value was undefined or went away.
    """
    last = until or dt.datetime.max.replace(tzinfo=dt.UTC)
    with reading(store) as connection:
        series = _series(connection, metric, labels)
        if series is None:
            return ()
        of_it = SAMPLES.c.series == series.number
        statement = select(SAMPLES.c.at, SAMPLES.c.value).where(
            of_it, SAMPLES.c.at >= since, SAMPLES.c.at <= last
        )
        rows = connection.execute(statement.order_by(SAMPLES.c.at)).all()
        newest = _measured_at(connection)
    points = [(at, value) for at, value in rows]
    if series.is_present and newest is not None and series.written < newest <= last:
        points += [(newest, series.value)] if newest >= since else []
    return thinned(tuple(points), most=most)


def series_of(store: Store, metric: str) -> tuple[Labels, ...]:
    """List the labels under which a metric has a past."""
    with reading(store) as connection:
        found = connection.scalars(select(SERIES.c.labels).where(SERIES.c.metric == metric)).all()
    return tuple(sorted(labels_of(each) for each in found))


def thinned(points: Points, *, most: int) -> Points:
    """Keep as many points as asked for: the ends, and of equal stretches of time the extremes.

    Args:
        points: In order of time.
        most: How many, at least 8.
    """
    if len(points) <= most:
        return points
    seconds = np.array([at.timestamp() for at, _ in points])
    values = np.array([value for _, value in points])
    stretches = max(1, (most - 2) // 3)
    ends = np.linspace(seconds[0], seconds[-1], stretches + 1)[1:-1]
    pieces = np.split(np.arange(len(points)), np.searchsorted(seconds, ends))
    kept = {0, len(points) - 1}
    for piece in pieces:
        kept.update(_extremes(piece, values))
    return tuple(points[each] for each in sorted(kept))


def _extremes(piece: np.ndarray, values: np.ndarray) -> Iterator[int]:
    undefined = piece[np.isnan(values[piece])]
    defined = piece[~np.isnan(values[piece])]
    if undefined.size:
        yield int(undefined[0])
    if defined.size:
        yield int(defined[values[defined].argmin()])
        yield int(defined[values[defined].argmax()])


def _measured_at(connection: Connection) -> dt.datetime | None:
    return connection.scalar(select(PICTURES.c.at).where(PICTURES.c.name == LATEST))


def _series(connection: Connection, metric: str, labels: Labels) -> Row[tuple[object, ...]] | None:
    statement = select(SERIES).where(
        SERIES.c.metric == metric, SERIES.c.labels == labels_text(labels)
    )
    return connection.execute(statement).one_or_none()
