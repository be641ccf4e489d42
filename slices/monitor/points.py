"""Points of series: written when a value changes, at the moment before it did, and now and then."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from slices.monitor.schema import SAMPLES, SERIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.engine import Row

    from slices.domain.monitoring import Sample

KEEPALIVE = dt.timedelta(minutes=5)

Labels = tuple[tuple[str, str], ...]
_Key = tuple[str, str]
_Row = dict[str, object]


def write_points(
    connection: Connection, samples: Sequence[Sample], *, at: dt.datetime, before: dt.datetime
) -> None:
    """Write the points that samples need, so that nothing measured is lost between two points.

    Args:
        connection: A transaction that writes.
        samples: Everything that was measured.
        at: When.
        before: When it was measured the time before.
    """
    present = connection.execute(select(SERIES).where(SERIES.c.is_present))
    known = {(row.metric, row.labels): row for row in present}
    now = {(each.metric, labels_text(each.labels)): each.value for each in samples}
    fresh = {key: value for key, value in now.items() if key not in known}
    if fresh:
        _begin(connection, fresh, at=at)
    steps = [
        step
        for key, row in known.items()
        for step in _steps(row, now.get(key), at=at, before=before)
    ]
    if steps:
        points, heads = zip(*steps, strict=True)
        connection.execute(insert(SAMPLES).prefix_with("OR REPLACE"), points)
        connection.execute(update(SERIES).where(SERIES.c.number == bindparam("of")), heads)


def labels_text(labels: Labels) -> str:
    """Write labels in one way."""
    return json.dumps([list(each) for each in labels], ensure_ascii=False, separators=(",", ":"))


def labels_of(text: str) -> Labels:
    """Read what `labels_text` wrote."""
    return tuple((str(name), str(word)) for name, word in json.loads(text))


def _begin(connection: Connection, fresh: dict[_Key, float], *, at: dt.datetime) -> None:
    """Begin series, or go on with those that went away and are back."""
    rows = [
        {"metric": metric, "labels": labels, "written": at, "value": value, "is_present": True}
        for (metric, labels), value in fresh.items()
    ]
    statement = upsert(SERIES)
    head = {name: statement.excluded[name] for name in ("written", "value", "is_present")}
    whole = [SERIES.c.metric, SERIES.c.labels]
    connection.execute(statement.on_conflict_do_update(index_elements=whole, set_=head), rows)
    numbers = connection.execute(
        select(SERIES.c.number, SERIES.c.metric, SERIES.c.labels).where(SERIES.c.is_present)
    )
    found = {(row.metric, row.labels): row.number for row in numbers}
    points = [_point(found[key], at, value) for key, value in fresh.items()]
    connection.execute(insert(SAMPLES).prefix_with("OR REPLACE"), points)


def _steps(
    row: Row[tuple[object, ...]], value: float | None, *, at: dt.datetime, before: dt.datetime
) -> Iterator[tuple[_Row, _Row]]:
    """Give the points one series needs now, each with what its head becomes."""
    is_gone = value is None
    is_changed = is_gone or not _same(row.value, value)
    is_gap = abs(at - before) > KEEPALIVE
    if before > row.written and (is_changed or is_gap):
        yield _step(row, before, row.value)
    if is_changed or abs(at - row.written) >= KEEPALIVE:
        yield _step(row, at, math.nan if value is None else value, is_present=not is_gone)


def _step(
    row: Row[tuple[object, ...]], at: dt.datetime, value: float, *, is_present: bool = True
) -> tuple[_Row, _Row]:
    head = {"of": row.number, "written": at, "value": value, "is_present": is_present}
    return _point(row.number, at, value), head


def _point(series: int, at: dt.datetime, value: float) -> _Row:
    return {"series": series, "at": at, "value": value}


def _same(one: float, other: float | None) -> bool:
    return other is not None and (one == other or (math.isnan(one) and math.isnan(other)))
