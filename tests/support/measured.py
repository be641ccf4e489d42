"""Measurements of one series, and the past they leave."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import insert, select

from slices.domain.monitoring import Sample
from slices.domain.observations import Observation
from slices.monitor.history import Measurement, Points, read_series, write_measurement
from slices.monitor.schema import SAMPLES, SERIES
from slices.monitor.store import Store, writing

AT = dt.datetime(2026, 3, 2, 14, 30, 15, tzinfo=dt.UTC)
TICK = dt.timedelta(seconds=15)
LABELS = (("account", "daily"), ("mode", "paper"))


def of(value: float | None, *, at: dt.datetime, other: float = 1.0) -> Measurement:
    """A look at which one series had a value, or was not there."""
    samples = [Sample(metric="host.load_per_core", value=other)]
    if value is not None:
        samples.append(Sample(metric="account.equity", labels=LABELS, value=value))
    observed = Observation(at=at)
    return Measurement(at=at, observation=observed, samples=tuple(samples), health=())


def write(store: Store, values: list[float | None], *, first: dt.datetime = AT) -> None:
    """Measure one value after the other."""
    for number, value in enumerate(values):
        write_measurement(store, of(value, at=first + number * TICK))


def equity(store: Store, **options: object) -> Points:
    """Read the past of the one series."""
    chosen = {"since": AT - dt.timedelta(days=400), "most": 10**6, **options}
    return read_series(store, "account.equity", labels=LABELS, **chosen)  # type: ignore[arg-type]


def fill(store: Store, points: Points) -> None:
    """Write points of the past as if they had been measured."""
    write_measurement(store, of(points[0][1], at=points[0][0]))
    with writing(store) as connection:
        number = connection.scalar(select(SERIES.c.number).where(SERIES.c.labels != "[]"))
        rows = [{"series": number, "at": at, "value": value} for at, value in points[1:]]
        connection.execute(insert(SAMPLES), rows)
