"""Messages about measured values, with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.monitoring import AlertRule, Comparison, Unit
from slices.monitor.alerts.subjects import ALL, SYSTEM, labels_of
from slices.monitor.metrics import metric_type

if TYPE_CHECKING:
    from collections.abc import Callable

KIB = 1024.0
LARGER = ("KiB", "MiB", "GiB", "TiB")
HOUR, DAY = 3600.0, 86_400.0


def measured_message(rule: AlertRule, subject: str, value: float, threshold: float) -> str:
    """Say what was measured, of what, and from which value on somebody is told."""
    unit = metric_type(rule.metric).unit
    about = f"{rule.title}{_about(subject)}"
    if unit is Unit.STATE:
        return about
    return f"{about}: {shown(value, unit)}, {beyond(rule.comparison, threshold, unit)}"


def beyond(comparison: Comparison, threshold: float, unit: Unit) -> str:
    """Say which values are beyond a threshold.

    >>> beyond(Comparison.BELOW, 0.25, Unit.FRACTION)
    'told at 25.0 % and below'
    """
    side = "above" if comparison is Comparison.ABOVE else "below"
    return f"told at {shown(threshold, unit)} and {side}"


def shown(value: float, unit: Unit) -> str:
    """Write a value for people.

    >>> shown(0.2134, Unit.FRACTION), shown(3 * 1024**3, Unit.BYTES), shown(5400, Unit.SECONDS)
    ('21.3 %', '3.0 GiB', '1.5 h')
    """
    if unit in WRITTEN:
        return WRITTEN[unit](value)
    return f"{value:,.6g}"


def lasting(seconds: float) -> str:
    """Write a duration in the unit that suits it.

    >>> lasting(15), lasting(300), lasting(7200), lasting(345_600)
    ('15 s', '5 min', '2 h', '4 days')
    """
    if seconds >= 2 * DAY:
        return f"{seconds / DAY:.3g} days"
    if seconds >= HOUR:
        return f"{seconds / HOUR:.3g} h"
    return f"{seconds:.3g} s" if seconds < 2 * 60 else f"{seconds / 60:.3g} min"


def _bytes(value: float) -> str:
    if value < KIB:
        return f"{value:.0f} bytes"
    for unit in LARGER:
        value /= KIB
        if value < KIB or unit == LARGER[-1]:
            break
    return f"{value:,.1f} {unit}"


WRITTEN: dict[Unit, Callable[[float], str]] = {
    Unit.FRACTION: lambda value: f"{100 * value:.1f} %",
    Unit.BYTES: _bytes,
    Unit.SECONDS: lasting,
    Unit.SESSIONS: lambda value: f"{value:,.6g} sessions",
    Unit.MONEY: lambda value: f"{value:,.2f}",
    Unit.BASIS_POINTS: lambda value: f"{value:,.1f} bps",
}


def _about(subject: str) -> str:
    if subject in (ALL, SYSTEM):
        return ""
    labels = labels_of(subject)
    words = ", ".join(f"{name} {value}" for name, value in labels) if labels else subject
    return f" ({words})"
