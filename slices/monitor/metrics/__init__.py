"""What is measured of the system: every metric type, and all samples of one observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.monitoring import Part
from slices.monitor.metrics import (
    accounts,
    alerting,
    data,
    host,
    models,
    orders,
    runs,
    server,
)
from slices.monitor.metrics.registering import REGISTRY, MetricType
from slices.monitor.metrics.table import table

if TYPE_CHECKING:
    from slices.domain.monitoring import Sample
    from slices.domain.observations import Observation

__all__ = ["METRICS", "MetricType", "measure", "metric_type", "metrics_table"]

MODULES = (host, server, runs, data, accounts, orders, models, alerting)
"""They register their metric types when they are imported."""

METRICS: tuple[MetricType, ...] = tuple(
    sorted(REGISTRY.all(), key=lambda each: list(Part).index(each.part))
)


def metric_type(name: str) -> MetricType:
    """Return the metric type of a name.

    Raises:
        ParameterError: There is none.
    """
    return REGISTRY.named(name)


def measure(observation: Observation) -> tuple[Sample, ...]:
    """Measure everything that was seen; nothing of what was not."""
    return tuple(sample for each in METRICS for sample in each.measure(observation))


def metrics_table() -> str:
    """Write every metric type with unit, source and meaning as Markdown."""
    return table(METRICS)
