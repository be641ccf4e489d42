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
from sqlalchemy import select, update

from slices.domain.errors import IntegrityError
from slices.domain.fingerprint import bytes_digest
from slices.domain.monitoring import Health, LostPoints, Sample
from slices.domain.observations import Observation
from slices.monitor.health import health
from slices.monitor.history import (
    KEEPALIVE,
    Measurement,
    read_latest,
    read_series,
    series_of,
    thinned,
    write_measurement,
)
from slices.monitor.metrics import measure
from slices.monitor.pictures import drawn, seen
from slices.monitor.schema import (
    PICTURES,
)
from slices.monitor.store import Store, check_intact, open_store, writing
from tests.support.ledger_processes import in_children
from tests.support.measured import AT, LABELS, TICK, equity, of, write
from tests.support.observed import half_seen, hostile, incident, observation


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "monitor")
    yield opened
    opened.close()


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
