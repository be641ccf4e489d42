from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
import os
import random
import signal
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from slices.domain.errors import IntegrityError
from slices.domain.fingerprint import bytes_digest
from slices.domain.monitoring import Health, LostPoints, Sample
from slices.domain.observations import Observation
from slices.monitor.health import health
from slices.monitor.history import (
    KEEPALIVE,
    Measurement,
    Points,
    prune,
    read_latest,
    read_series,
    series_of,
    thinned,
    write_measurement,
)
from slices.monitor.metrics import measure
from slices.monitor.pictures import drawn, seen
from slices.monitor.schema import (
    DELIVERIES,
    INCIDENTS,
    PICTURES,
    SAMPLES,
    SERIES,
    SIGHTINGS,
    SILENCES,
)
from slices.monitor.store import Store, check_intact, open_store, reading, writing
from slices.monitor.thinning import GRADES, thin
from tests.support.ledger_processes import in_children
from tests.support.observed import half_seen, hostile, incident, observation

AT = dt.datetime(2026, 3, 2, 14, 30, 15, tzinfo=dt.UTC)
TICK = dt.timedelta(seconds=15)
LABELS = (("account", "daily"), ("mode", "paper"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "monitor")
    yield opened
    opened.close()


def of(value: float | None, *, at: dt.datetime, other: float = 1.0) -> Measurement:
    """A look at which one series had a value, or was not there."""
    samples = [Sample(metric="host.load_per_core", value=other)]
    if value is not None:
        samples.append(Sample(metric="account.equity", labels=LABELS, value=value))
    observed = Observation(at=at)
    return Measurement(at=at, observation=observed, samples=tuple(samples), health=())


def write(store: Store, values: list[float | None], *, first: dt.datetime = AT) -> None:
    for number, value in enumerate(values):
        write_measurement(store, of(value, at=first + number * TICK))


def equity(store: Store, **options: object) -> Points:
    chosen = {"since": AT - dt.timedelta(days=400), "most": 10**6, **options}
    return read_series(store, "account.equity", labels=LABELS, **chosen)  # type: ignore[arg-type]


def fill(store: Store, points: Points) -> None:
    """Write points of the past as if they had been measured."""
    write_measurement(store, of(points[0][1], at=points[0][0]))
    with writing(store) as connection:
        number = connection.scalar(select(SERIES.c.number).where(SERIES.c.labels != "[]"))
        rows = [{"series": number, "at": at, "value": value} for at, value in points[1:]]
        connection.execute(insert(SAMPLES), rows)


def told(measurement: Measurement) -> str:
    """Everything it says; NaN equals NaN."""
    return repr(measurement)


@pytest.mark.parametrize("observed", [observation(), half_seen(), hostile()])
def test_the_latest_picture_is_what_was_measured(store: Store, observed: Observation) -> None:
    samples = measure(observed)
    scores = health(observed, samples, [incident()])
    measurement = Measurement(at=observed.at, observation=observed, samples=samples, health=scores)
    assert read_latest(store) is None
    write_measurement(store, of(1.0, at=observed.at - TICK))
    write_measurement(store, measurement)
    found = read_latest(store)
    assert found is not None
    assert told(found) == told(measurement)
    accounts = found.observation.accounts
    assert accounts is not None
    assert isinstance(accounts[0].curve[0].equity, Decimal)
    assert isinstance(accounts[0].positions[0].opened, dt.date)


def test_a_picture_holds_every_kind_of_undefined_number() -> None:
    scores = (
        Health(part="overall", score=None, lost=()),
        Health(part="host", score=math.nan, lost=(LostPoints(points=math.inf, reason="<b>"),)),
    )
    measurement = dataclasses.replace(of(-math.inf, at=AT), health=scores)
    assert told(seen(drawn(measurement)) or of(0, at=AT)) == told(measurement)


def test_a_picture_of_another_version_is_none(store: Store) -> None:
    text = drawn(of(1.0, at=AT))
    body = zlib.decompress(text).partition(b"\n")[2].replace(b'"halted"', b'"no_such_field"')
    other = zlib.compress(bytes_digest(body).encode() + b"\n" + body)
    assert seen(other) is None


@pytest.mark.parametrize("keep", [0, 10, 100])
def test_a_damaged_picture_is_one_line_and_the_next_one_heals_it(store: Store, keep: int) -> None:
    write(store, [1.0])
    with writing(store) as connection:
        text = connection.scalar(select(PICTURES.c.text)) or b""
        connection.execute(update(PICTURES).values(text=text[:keep] + b"\x00" * 50))
    with pytest.raises(IntegrityError, match=r"monitor\.db"):
        read_latest(store)
    write(store, [2.0], first=AT + TICK)
    assert read_latest(store) == of(2.0, at=AT + TICK)


values = st.lists(st.sampled_from([None, 1.0, 2.0, math.nan, -math.inf]), min_size=1, max_size=30)


@pytest.mark.slow
@settings(max_examples=20)
@given(values, st.lists(st.sampled_from([15, 15, 15, 200, 3600]), min_size=30, max_size=30))
def test_what_was_measured_can_be_told_at_every_moment(
    tmp_path_factory: pytest.TempPathFactory, history: list[float | None], steps: list[int]
) -> None:
    opened = open_store(tmp_path_factory.mktemp("monitor"))
    at, measured = AT, []
    for value, seconds in zip(history, steps, strict=False):
        write_measurement(opened, of(value, at=at))
        measured.append((at, math.nan if value is None else value))
        at += dt.timedelta(seconds=seconds)
    points = equity(opened)
    opened.close()
    assert {(when, repr(value)) for when, value in points} <= {
        (when, repr(value)) for when, value in measured
    }
    for when, value in measured:
        before = [each for each in points if each[0] <= when]
        held = before[-1][1] if before else math.nan
        assert repr(held) == repr(value), when
    for (one, _), (other, _) in itertools.pairwise(measured):
        if other - one > KEEPALIVE and any(each[0] <= one for each in points):
            last = max(each for each, _ in points if each <= one)
            is_gone = math.isnan(dict(points)[last])
            assert last == one or is_gone, "a time when nobody looked is drawn over"


def test_a_value_that_stays_is_written_now_and_then(store: Store) -> None:
    write(store, [7.0] * 81)
    points = equity(store)
    assert [at for at, _ in points] == [AT + number * KEEPALIVE for number in range(5)]
    assert {value for _, value in points} == {7.0}


def test_the_newest_measurement_is_part_of_the_past(store: Store) -> None:
    write(store, [7.0] * 5)
    assert equity(store)[-1] == (AT + 4 * TICK, 7.0)
    assert equity(store, until=AT + TICK) == ((AT, 7.0),)
    assert equity(store, since=AT + 2 * TICK) == ((AT + 4 * TICK, 7.0),)


def test_series_of_one_metric_are_told_apart(store: Store) -> None:
    other = (("account", "daily"), ("mode", "live"))
    both = (
        Sample(metric="account.equity", labels=LABELS, value=1.0),
        Sample(metric="account.equity", labels=other, value=2.0),
    )
    write_measurement(store, dataclasses.replace(of(None, at=AT), samples=both))
    assert series_of(store, "account.equity") == (other, LABELS)
    assert series_of(store, "no.such") == ()
    assert read_series(store, "account.equity", labels=other, since=AT) == ((AT, 2.0),)
    assert read_series(store, "account.equity", since=AT) == ()


def test_a_series_that_comes_back_goes_on(store: Store) -> None:
    write(store, [1.0, None, None, 2.0])
    points = equity(store)
    assert [at for at, _ in points] == [AT, AT + TICK, AT + 3 * TICK]
    assert [repr(value) for _, value in points] == ["1.0", "nan", "2.0"]
    assert series_of(store, "account.equity") == (LABELS,)


def test_a_clock_that_was_set_back_loses_nothing(store: Store) -> None:
    write(store, [1.0, 2.0, 3.0])
    write(store, [4.0, 5.0], first=AT - dt.timedelta(hours=1))
    assert [value for _, value in equity(store)] == [4.0, 5.0, 1.0, 2.0, 3.0]
    assert read_latest(store) == of(5.0, at=AT - dt.timedelta(hours=1) + TICK)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=400),
    st.integers(8, 120),
)
def test_thinning_to_pixels_keeps_ends_and_extremes(numbers: list[float], most: int) -> None:
    points = tuple((AT + number * TICK, value) for number, value in enumerate(numbers))
    kept = thinned(points, most=most)
    assert len(kept) <= most or kept == points
    assert set(map(repr, kept)) <= set(map(repr, points))
    assert [at for at, _ in kept] == sorted({at for at, _ in kept})
    assert (repr(kept[0]), repr(kept[-1])) == (repr(points[0]), repr(points[-1]))
    before, after = np.array(numbers), np.array([value for _, value in kept])
    if not np.isnan(before).all():
        assert np.nanmin(before) == np.nanmin(after)
        assert np.nanmax(before) == np.nanmax(after)
    assert np.isnan(before).any() == np.isnan(after).any()


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
    assert prune(store, before=limit) > 0
    with reading(store) as connection:
        assert set(connection.scalars(select(INCIDENTS.c.key))) == {"young", "lasting"}
        assert set(connection.scalars(select(DELIVERIES.c.incident))) == {"young", "lasting"}
        assert connection.scalars(select(SIGHTINGS.c.sighting)).all() == ["young"]
        assert connection.scalar(select(func.count()).select_from(SILENCES)) == 0
    assert [at for at, _ in equity(store)] == [AT + dt.timedelta(days=1)]
    assert prune(store, before=AT + dt.timedelta(days=3)) > 0
    assert series_of(store, "account.equity") == ()
    write(store, [3.0], first=AT + dt.timedelta(days=4))
    assert equity(store) == ((AT + dt.timedelta(days=4), 3.0),)


def test_readers_see_whole_measurements_while_one_writes(tmp_path: Path) -> None:
    folder = tmp_path / "monitor"
    open_store(folder).close()

    def write_them() -> None:
        opened = open_store(folder)
        for number in range(60):
            write_measurement(opened, of(number, at=AT + number * TICK, other=number))
        opened.close()

    def read_them() -> None:
        opened = open_store(folder)
        newest = -1.0
        while newest < 59:
            found = read_latest(opened)
            if found is None:
                continue
            one, other = (each.value for each in found.samples)
            assert one == other >= newest
            newest = other
            points = equity(opened)
            assert [value for _, value in points] == [float(n) for n in range(len(points))]
            assert len(points) > newest
        opened.close()

    readers = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                read_them()
                code = 0
            finally:
                os._exit(code)
        readers.append(child)
    assert in_children(1, write_them) == [0]
    codes = [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in readers]
    assert codes == [0, 0]


@pytest.mark.slow
def test_killing_the_writer_loses_nothing_that_was_written(tmp_path: Path) -> None:
    folder, chance, number = tmp_path / "monitor", random.Random(7), 0  # noqa: S311
    open_store(folder).close()
    for _ in range(8):
        source, sink = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                opened = open_store(folder)
                while True:
                    number += 1
                    write_measurement(opened, of(number, at=AT + number * TICK, other=number))
                    os.write(sink, number.to_bytes(4, "big"))
            finally:
                os._exit(1)
        os.close(sink)
        acknowledged = b"".join(os.read(source, 4) for _ in range(chance.randint(1, 25)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged += b"".join(iter(lambda: os.read(source, 4096), b""))  # noqa: B023
        os.close(source)
        written = int.from_bytes(acknowledged[-4:], "big")
        opened = open_store(folder)
        check_intact(opened)
        found, points = read_latest(opened), equity(opened)
        opened.close()
        assert found is not None
        number = int(found.samples[0].value)
        assert number in {written, written + 1}
        assert [value for _, value in points] == [float(n) for n in range(1, number + 1)]
