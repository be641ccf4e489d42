"""Metrics of the machine."""

from __future__ import annotations

import math
from functools import wraps
from typing import TYPE_CHECKING

from slices.domain.monitoring import Unit
from slices.monitor.metrics.registering import metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.observations import HostFacts, Observation
    from slices.monitor.metrics.registering import Reading


def _host(name: str, *, unit: Unit) -> Callable[[Callable[[HostFacts], float]], object]:
    def registered(read: Callable[[HostFacts], float]) -> object:
        @metric(name, unit=unit, source="psutil")
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return () if seen.host is None else (((), read(seen.host)),)

        return measured

    return registered


@_host("host.cpu", unit=Unit.FRACTION)
def _cpu(host: HostFacts) -> float:
    """Share of all cores in use since the look before."""
    return host.cpu


@_host("host.load_per_core", unit=Unit.COUNT)
def _load_per_core(host: HostFacts) -> float:
    """Processes that want a core, on average over one minute, for each core."""
    return host.load_1m / host.cores if host.cores else math.nan


@_host("host.memory_used", unit=Unit.FRACTION)
def _memory_used(host: HostFacts) -> float:
    """Share of memory that is not available."""
    return host.memory_used


@_host("host.memory_available", unit=Unit.BYTES)
def _memory_available(host: HostFacts) -> float:
    """Memory that programs can still have."""
    return host.memory_total * (1.0 - host.memory_used)


@_host("host.swap_used", unit=Unit.FRACTION)
def _swap_used(host: HostFacts) -> float:
    """Share of swap space in use."""
    return host.swap_used


@_host("host.disk_used", unit=Unit.FRACTION)
def _disk_used(host: HostFacts) -> float:
    """Share in use of the file system that the home folder is on."""
    return host.disk_used


@_host("host.disk_free", unit=Unit.BYTES)
def _disk_free(host: HostFacts) -> float:
    """Free space of the file system that the home folder is on."""
    return host.disk_free


@_host("host.home_size", unit=Unit.BYTES)
def _home_size(host: HostFacts) -> float:
    """What the home folder holds."""
    return host.home_size


@_host("host.home_share", unit=Unit.FRACTION)
def _home_share(host: HostFacts) -> float:
    """What the home folder holds, as a share of its file system."""
    return host.home_size / host.disk_total if host.disk_total else math.nan


@_host("host.open_files", unit=Unit.COUNT)
def _open_files(host: HostFacts) -> float:
    """File handles that the system's own processes hold together."""
    return host.open_files


@_host("host.open_files_used", unit=Unit.FRACTION)
def _open_files_used(host: HostFacts) -> float:
    """File handles of all own processes over what one may hold; undefined without limit."""
    return host.open_files / host.open_files_limit if host.open_files_limit > 0 else math.nan


@_host("host.processes", unit=Unit.COUNT)
def _processes(host: HostFacts) -> float:
    """Processes of the system that run."""
    return host.processes
