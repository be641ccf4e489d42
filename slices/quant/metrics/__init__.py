"""Metrics of returns: one small function each, registered with unit, direction and reference."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from slices.quant.metrics import (  # noqa: F401 - importing registers the metrics
    dispersion,
    drawdown,
    growth,
    ratios,
    relative,
    sessions,
    tails,
)
from slices.quant.metrics.registry import Direction, Metric, registered
from slices.quant.metrics.summary import performance

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS: Mapping[str, Metric] = MappingProxyType(dict(registered))
"""Every metric by name."""

__all__ = ["METRICS", "Direction", "Metric", "performance"]
