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
from slices.monitor.scheme import scheme_table

if TYPE_CHECKING:
    from slices.domain.monitoring import Sample
    from slices.domain.observations import Observation

__all__ = ["METRICS", "MetricType", "measure", "metric_type", "metrics_table"]

MODULES = (host, server, runs, data, accounts, orders, models, alerting)
"""They register their metric types when they are imported."""

METRICS: tuple[MetricType, ...] = tuple(
    sorted(REGISTRY.all(), key=lambda each: list(Part).index(each.part))
)


HEALTH = """\
Every part begins with 100 points and loses what its metrics say below, down to 0. A part that was
not seen, or where there is nothing to judge, has no score. An open incident that nobody has
acknowledged or silenced takes 5 (warning), 15 (error) or 40 (critical) points from the part
alerting. The overall score is half the worst part and half the mean of all that have a score, less
20 for each part that could not be looked at."""


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
    """Write every metric type with unit, source and meaning as Markdown, and what costs health."""
    return f"{table(METRICS)}\n## Health\n\n{HEALTH}\n\n{scheme_table()}"
