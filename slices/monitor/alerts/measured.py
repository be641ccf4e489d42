"""What measurements say to the rules about metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slices.domain.monitoring import Part
from slices.monitor.alerts.docket import Docket, Ending, Sighting
from slices.monitor.alerts.explaining import reason
from slices.monitor.alerts.spells import judged, matching
from slices.monitor.alerts.subjects import ALL, subject_of
from slices.monitor.metrics import metric_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from slices.domain.monitoring import AlertRule, Sample
    from slices.domain.observations import Observation
    from slices.monitor.alerts.spells import Spell


def take_samples(
    docket: Docket,
    spells: Iterable[Spell],
    observation: Observation,
    samples: Iterable[Sample],
    *,
    rules: Sequence[AlertRule],
) -> tuple[Spell, ...]:
    """Hold every sample against the rules; what was not measured changes nothing.

    Args:
        docket: Takes what follows.
        spells: What is remembered of the measurements before.
        observation: What the samples were measured from.
        samples: All of one look.
        rules: All rules; only those about metrics look at samples.

    Returns:
        What is to be remembered.
    """
    remembered = {(each.rule, each.subject): each for each in spells}
    by_metric: dict[str, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    after: list[Spell] = []
    for rule in (each for each in rules if each.metric):
        mine = {subject: each for (name, subject), each in remembered.items() if name == rule.name}
        measured = by_metric.get(rule.metric, [])
        after.extend(_look(rule, docket, mine, measured, observation))
    return tuple(after)


def _look(
    rule: AlertRule,
    docket: Docket,
    spells: dict[str, Spell],
    measured: Sequence[Sample],
    observation: Observation,
) -> Iterator[Spell]:
    left = dict(spells)
    for subject, sample in matching(rule, measured):
        spell = left.pop(subject, None)
        is_open = docket.is_open(rule.name, subject)
        found = judged(rule, subject, sample, spell=spell, is_open=is_open, at=observation.at)
        docket.take([_explained(found.news, observation)] if found.news else [])
        yield from [found.spell] if found.spell else []
    if rule.ends_when_gone and _was_seen(rule, observation):
        present = {ALL if rule.is_joint else subject_of(each.labels) for each in measured}
        gone = {each.subject for each in docket.open if each.rule == rule.name} - present
        docket.take(Ending(rule=rule, subject=each, at=observation.at) for each in sorted(gone))
        left = {subject: each for subject, each in left.items() if subject in present}
    yield from left.values()


def _explained(news: Sighting | Ending, observation: Observation) -> Sighting | Ending:
    if isinstance(news, Ending):
        return news
    why = reason(news.rule, news.subject, observation)
    return replace(news, message=f"{news.message}: {why}") if why else news


def _was_seen(rule: AlertRule, observation: Observation) -> bool:
    seen = {
        Part.HOST: observation.host,
        Part.ORCHESTRATION: observation.server,
        Part.DATA: observation.data,
        Part.TRADING: observation.accounts,
        Part.MODELS: observation.models,
        Part.ALERTING: observation.alerts,
    }
    return seen[metric_type(rule.metric).part] is not None
