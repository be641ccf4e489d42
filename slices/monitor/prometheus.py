"""What was measured as text for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from slices.domain.monitoring import Unit
from slices.monitor.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from slices.domain.monitoring import Health, Sample
    from slices.monitor.metrics import MetricType
    from slices.monitor.pictures import Measurement

PREFIX = "tradeflows"
# A name ends with its unit; a number of things and a state have none.
SUFFIXES = {
    Unit.FRACTION: "ratio",
    Unit.BYTES: "bytes",
    Unit.SECONDS: "seconds",
    Unit.SESSIONS: "sessions",
    Unit.MONEY: "currency",
    Unit.BASIS_POINTS: "basis_points",
}
# The linter takes these ends for kinds of metric that gauges are not.
SPELLED = {"count": "number", "total": "all", "sum": "all", "bucket": "group", "info": "about"}
UNSPOKEN = ("_bps", "_sessions", "_seconds")


def exposition(measurement: Measurement) -> str:
    """Write a measurement in Prometheus' text format.

    Every value is a gauge that bears the unit in its name. NaN says that a value is undefined; what
    was not seen is absent. `tradeflows_measured_timestamp_seconds` says how old all of it is.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measured(measurement))
    return generate_latest(registry).decode()


def prometheus_name(kind: MetricType) -> str:
    """Name a metric type as Prometheus wants it.

    >>> from slices.monitor.metrics import metric_type
    >>> prometheus_name(metric_type("account.slippage_bps"))
    'tradeflows_account_slippage_basis_points'
    >>> prometheus_name(metric_type("events.count"))
    'tradeflows_events_number'
    """
    base = kind.name.replace(".", "_")
    suffix = SUFFIXES.get(kind.unit, "")
    if suffix:
        for each in (*UNSPOKEN, f"_{suffix}"):
            base = base.removesuffix(each)
        return f"{PREFIX}_{base}_{suffix}"
    start, _, end = base.rpartition("_")
    return f"{PREFIX}_{start}_{SPELLED.get(end, end)}"


class _Measured(Collector):
    """Gives Prometheus' client the families of one measurement."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """List the families, those without a value left out."""
        measured: dict[str, list[Sample]] = {}
        for each in self._measurement.samples:
            measured.setdefault(each.metric, []).append(each)
        for kind in METRICS:
            if measured.get(kind.name):
                yield _family(kind, measured[kind.name])
        yield _scores(self._measurement.health)
        yield GaugeMetricFamily(
            f"{PREFIX}_measured_timestamp_seconds",
            "When all of this was measured.",
            value=self._measurement.at.timestamp(),
        )


def _family(kind: MetricType, samples: Sequence[Sample]) -> GaugeMetricFamily:
    names = [name for name, _ in samples[0].labels]
    family = GaugeMetricFamily(prometheus_name(kind), kind.description, labels=names)
    for each in samples:
        family.add_metric([word for _, word in each.labels], each.value)
    return family


def _scores(healths: Iterable[Health]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        f"{PREFIX}_health_points",
        "Health from 0 to 100; absent where nothing is known.",
        labels=["part"],
    )
    for each in healths:
        if each.score is not None:
            family.add_metric([each.part], each.score)
    return family
