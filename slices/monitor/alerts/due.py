"""Who has to be told, and when again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.alerts import Level

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from slices.domain.monitoring import AlertRule, Incident

MOST_AT_ONCE = 20
"""Notifications of one look that are not critical; what is left waits for the next look."""


def due(
    incidents: Iterable[Incident], rules: Iterable[AlertRule], *, at: dt.datetime
) -> tuple[Incident, ...]:
    """List the incidents somebody has to be told about now, the worst first.

    Args:
        incidents: That last.
        rules: Their rules.
        at: Now.
    """
    cooldowns = {each.name: each.cooldown_seconds for each in rules}
    found = [
        each
        for each in incidents
        if is_due(each, cooldown_seconds=cooldowns.get(each.rule, 0.0), at=at)
    ]
    ordered = sorted(found, key=lambda each: (-each.level.rank, each.opened, each.key))
    critical = sum(each.level is Level.CRITICAL for each in ordered)
    return tuple(ordered[: max(critical, MOST_AT_ONCE)])


def is_due(incident: Incident, *, cooldown_seconds: float, at: dt.datetime) -> bool:
    """Tell whether somebody has to be told about an incident that lasts.

    The first word is said at once, and so is that it has become worse; after that once in each
    cooldown, while it goes on growing, or is critical, and nobody has acknowledged it. A silence
    keeps everything back but the first word about what is critical. A clock that was set back does
    not make the cooldown longer.
    """
    is_silent = incident.silenced_until is not None and incident.silenced_until > at
    is_critical = incident.level is Level.CRITICAL
    if incident.notified is None:
        return is_critical or not is_silent
    if is_silent or incident.acknowledged is not None:
        return False
    if abs((at - incident.notified).total_seconds()) < cooldown_seconds:
        return False
    return is_critical or incident.last_seen > incident.notified
