"""Values against thresholds: since when they are beyond them, and since when they are back."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.monitoring import AlertRule, Comparison, Sample
from slices.monitor.alerts.docket import Ending, Sighting
from slices.monitor.alerts.subjects import ALL, subject_of
from slices.monitor.alerts.wording import measured_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROUNDING = 1e-9
"""Of a value that was computed in floats: 1 - 0.8 is a loss of 0.2."""


@dataclass(frozen=True, kw_only=True)
class Spell:
    """Time that a value spends beyond a threshold.

    Attributes:
        since: When it was first beyond the threshold, and each worse one; None where it is not.
        count: Measurements beyond the threshold that no incident counts yet.
        back: Since when it is back; None while it is not.
    """

    rule: str
    subject: str
    since: tuple[dt.datetime | None, ...]
    count: int
    back: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What follows from one value; no spell where there is nothing to remember."""

    spell: Spell | None
    news: Sighting | Ending | None = None


def is_beyond(rule: AlertRule, value: float, threshold: float) -> bool:
    """Tell whether a value is beyond a threshold; the threshold itself is.

    >>> from slices.domain.alerts import Level
    >>> rule = AlertRule(name="x", level=Level.INFO, title="", next_step="", metric="x")
    >>> is_beyond(rule, 1 - 0.8, 0.2), is_beyond(rule, math.nan, 0.2)
    (True, False)
    """
    slack = ROUNDING * max(1.0, abs(threshold))
    if rule.comparison is Comparison.ABOVE:
        return value >= threshold - slack
    return value <= threshold + slack


def matching(rule: AlertRule, samples: Iterable[Sample]) -> Iterator[tuple[str, Sample]]:
    """List the samples a rule looks at, with their subjects; one without a value is none."""
    found = [
        each
        for each in samples
        if set(rule.where) <= set(each.labels)
        and not set(rule.without) & set(each.labels)
        and not math.isnan(each.value)
    ]
    if not rule.is_joint:
        yield from ((subject_of(each.labels), each) for each in found)
    elif found:
        farthest = max if rule.comparison is Comparison.ABOVE else min
        yield ALL, farthest(found, key=lambda each: each.value)


def judged(
    rule: AlertRule,
    subject: str,
    sample: Sample,
    *,
    spell: Spell | None,
    is_open: bool,
    at: dt.datetime,
) -> Judged:
    """Hold one value against a rule.

    Args:
        rule: About a metric.
        subject: What the value is about.
        sample: The value, which is not NaN.
        spell: What is remembered of the values before.
        is_open: Whether there is an incident.
        at: When the value was measured.
    """
    if is_beyond(rule, sample.value, rule.threshold):
        return _beyond(rule, subject, sample, spell=spell, is_open=is_open, at=at)
    if spell is None and not is_open:
        return Judged(spell=None)
    if is_beyond(rule, sample.value, rule.threshold if rule.clears is None else rule.clears):
        return Judged(spell=spell and _within(spell))
    return _back(rule, subject, spell, at=at) if is_open else Judged(spell=None)


def _beyond(
    rule: AlertRule,
    subject: str,
    sample: Sample,
    *,
    spell: Spell | None,
    is_open: bool,
    at: dt.datetime,
) -> Judged:
    steps = ((rule.level, rule.threshold), *rule.worse)
    before = spell.since if spell and len(spell.since) == len(steps) else (None,) * len(steps)
    since = tuple(
        min(begun or at, at) if is_beyond(rule, sample.value, threshold) else None
        for begun, (_, threshold) in zip(before, steps, strict=True)
    )
    count = 1 + (spell.count if spell else 0)
    waited = dt.timedelta(seconds=rule.for_seconds)
    reached = [
        (step, begun)
        for step, begun in zip(steps, since, strict=True)
        if begun is not None and at - begun >= waited
    ]
    if not reached and not is_open:
        return Judged(spell=Spell(rule=rule.name, subject=subject, since=since, count=count))
    level, threshold = reached[-1][0] if reached else steps[0]
    sighting = Sighting(
        rule=rule,
        subject=subject,
        at=at,
        level=level,
        message=measured_message(rule, subject, sample.value, threshold),
        since=since[0] or at,
        value=sample.value,
        threshold=threshold,
        count=count,
    )
    return Judged(spell=Spell(rule=rule.name, subject=subject, since=since, count=0), news=sighting)


def _within(spell: Spell) -> Spell:
    """Between threshold and end: the spell lasts, and its end has not begun."""
    return Spell(
        rule=spell.rule,
        subject=spell.subject,
        since=(spell.since[0], *(None for _ in spell.since[1:])),
        count=spell.count,
    )


def _back(rule: AlertRule, subject: str, spell: Spell | None, *, at: dt.datetime) -> Judged:
    back = min(spell.back if spell and spell.back else at, at)
    if at - back >= dt.timedelta(seconds=rule.calm_seconds):
        return Judged(spell=None, news=Ending(rule=rule, subject=subject, at=at))
    since = tuple(None for _ in range(1 + len(rule.worse)))
    return Judged(spell=Spell(rule=rule.name, subject=subject, since=since, count=0, back=back))
