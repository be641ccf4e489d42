"""A store as a watch leaves it behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from slices.domain.monitoring import Incident
from slices.domain.observations import Observation
from slices.monitor.alerts.incidents import write_incidents
from slices.monitor.health import health
from slices.monitor.history import Measurement, write_measurement
from slices.monitor.metrics import measure
from slices.monitor.store import Store, writing
from tests.support.observed import incident, observation


def fill(
    store: Store,
    seen: Observation | None = None,
    *,
    incidents: Sequence[Incident] | None = None,
) -> Measurement:
    """Write what was seen, measured and found wrong at its time."""
    seen = seen or observation()
    lasting = (incident(at=seen.at),) if incidents is None else tuple(incidents)
    with writing(store) as connection:
        write_incidents(connection, lasting)
    samples = measure(seen)
    measurement = Measurement(
        at=seen.at,
        observation=seen,
        samples=samples,
        health=health(seen, samples, [each for each in lasting if each.is_open]),
    )
    write_measurement(store, measurement)
    return measurement


def moments(end: dt.datetime, *, count: int, seconds: float) -> list[dt.datetime]:
    """Times before and including an end, oldest first."""
    return [end - dt.timedelta(seconds=seconds * back) for back in reversed(range(count))]
