from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from slices.monitor.history import (
    Points,
    prune,
    series_of,
    write_measurement,
)
from slices.monitor.schema import (
    CURSORS,
    DELIVERIES,
    INCIDENTS,
    SIGHTINGS,
    SILENCES,
)
from slices.monitor.store import Store, open_store, reading, writing
from slices.monitor.thinning import GRADES, thin
from tests.support.measured import AT, TICK, equity, fill, of, write
from tests.support.observed import incident


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "monitor")
    yield opened
    opened.close()


def bucket_extremes(points: Points, stretch: dt.timedelta) -> dict[int, tuple[float, float]]:
    by_stretch: dict[int, list[float]] = {}
    for at, value in points:
        if not math.isnan(value):
            by_stretch.setdefault(int(at.timestamp() // stretch.total_seconds()), []).append(value)
    return {number: (min(each), max(each)) for number, each in by_stretch.items()}


@pytest.mark.parametrize("grade", GRADES, ids=lambda each: each.name)
def test_old_points_are_thinned_and_keep_their_extremes(store: Store, grade: object) -> None:
    assert grade in GRADES
    chosen = next(each for each in GRADES if each == grade)
    chance = np.random.default_rng(7)
    count = int(chosen.stretch * 30 / TICK)
    drawn_values = chance.normal(size=count)
    drawn_values[chance.integers(0, count, 40)] = math.nan
    start = AT - chosen.age - count * TICK / 2
    points = tuple((start + number * TICK, float(v)) for number, v in enumerate(drawn_values))
    fill(store, points)
    deleted = thin(store, at=AT)
    found = equity(store, until=points[-1][0])
    whole = (AT - chosen.age - chosen.every).timestamp() // chosen.stretch.total_seconds()
    border = dt.datetime.fromtimestamp(whole * chosen.stretch.total_seconds(), dt.UTC)
    young = [each for each in points if each[0] >= AT - min(each.age for each in GRADES)]
    assert deleted == len(points) - len(found) > 0
    assert set(map(repr, young)) <= set(map(repr, found))
    old = tuple(each for each in points if each[0] < border)
    kept = tuple(each for each in found if each[0] < border)
    assert len(kept) < len(old) / 5
    assert bucket_extremes(old, chosen.stretch) == bucket_extremes(kept, chosen.stretch)
    undefined = {int(at.timestamp() // chosen.stretch.total_seconds())
                 for at, value in old if math.isnan(value)}  # fmt: skip
    still = {int(at.timestamp() // chosen.stretch.total_seconds())
             for at, value in kept if math.isnan(value)}  # fmt: skip
    assert still == undefined
    assert thin(store, at=AT + TICK) == 0


def test_points_of_two_days_are_all_kept(store: Store) -> None:
    points = tuple(
        (AT - number * dt.timedelta(minutes=8), number % 2 * 1.0) for number in range(350)
    )
    fill(store, points[::-1])
    assert thin(store, at=AT) == 0
    assert equity(store, until=points[0][0]) == points[::-1]


def test_pruning_keeps_what_is_younger_and_what_lasts(store: Store) -> None:
    write(store, [float(number) for number in range(10)])
    write_measurement(store, of(None, at=AT + dt.timedelta(days=1), other=5.0))
    limit = AT + dt.timedelta(hours=12)
    old = dataclasses.replace(incident(at=AT), key="old", resolved=AT)
    young = dataclasses.replace(incident(at=AT), key="young", resolved=limit)
    lasting = dataclasses.replace(incident(at=AT - dt.timedelta(days=99)), key="lasting")
    with writing(store) as connection:
        connection.execute(insert(INCIDENTS), [vars(old), vars(young), vars(lasting)])
        connection.execute(insert(DELIVERIES), [
            {"event_id": key, "incident": key, "attempt": 1, "sent_at": AT}
            for key in ("old", "young", "lasting")
        ])  # fmt: skip
        connection.execute(insert(SILENCES), [
            {"rule": "a", "subject": "", "until": until, "by": "", "reason": ""}
            for until in (AT,)
        ])  # fmt: skip
        connection.execute(insert(SIGHTINGS), [
            {"rule": "a", "subject": "", "sighting": name, "at": at}
            for name, at in (("old", AT - dt.timedelta(days=3)), ("young", AT))
        ])  # fmt: skip
        connection.execute(insert(CURSORS), [
            {"name": name, "value": 1}
            for name in ("halted:old", "ran:old:critical", "halted:young", "paused:lasting:error")
        ])  # fmt: skip
    assert prune(store, before=limit) > 0
    with reading(store) as connection:
        assert set(connection.scalars(select(INCIDENTS.c.key))) == {"young", "lasting"}
        assert {"halted:young", "paused:lasting:error"} == {
            each for each in connection.scalars(select(CURSORS.c.name)) if ":" in each
        }
        assert set(connection.scalars(select(DELIVERIES.c.incident))) == {"young", "lasting"}
        assert connection.scalars(select(SIGHTINGS.c.sighting)).all() == ["young"]
        assert connection.scalar(select(func.count()).select_from(SILENCES)) == 0
    assert [at for at, _ in equity(store)] == [AT + dt.timedelta(days=1)]
    assert prune(store, before=AT + dt.timedelta(days=3)) > 0
    assert series_of(store, "account.equity") == ()
    write(store, [3.0], first=AT + dt.timedelta(days=4))
    assert equity(store) == ((AT + dt.timedelta(days=4), 3.0),)
