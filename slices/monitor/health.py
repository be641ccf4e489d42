"""Health: a score from 0 to 100 for each part and overall, with every reason it lost points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.monitoring import Health, LostPoints, Part, Unit
from slices.monitor.metrics import metric_type
from slices.monitor.scheme import INCIDENT_POINTS, SCHEME, UNSEEN_POINTS, Loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slices.domain.monitoring import Incident, Sample
    from slices.domain.observations import Observation

OVERALL = "overall"
FULL = 100.0
WORST_SHARE = 0.5


def health(
    observation: Observation, samples: Sequence[Sample], incidents: Sequence[Incident]
) -> tuple[Health, ...]:
    """Score every part, and all of them together.

    A part begins with 100 points and loses what `scheme.SCHEME` says, down to 0. It has no score
    where it was not seen, or where there is nothing to judge, such as no account. The overall score
    is half the worst part and half the mean of all that have a score, less 20 points for each part
    that could not be looked at; it has none where no part has one.

    Args:
        observation: What was seen.
        samples: What was measured from it.
        incidents: Those that last; what is acknowledged or silenced costs nothing.

    Returns:
        Overall first, then each part; the points of the reasons add up to what is missing of 100,
        or to more where the score is 0.
    """
    measured: dict[str, list[Sample]] = {}
    for each in samples:
        measured.setdefault(each.metric, []).append(each)
    parts = tuple(_part(each, observation, measured, incidents) for each in Part)
    return (_overall(parts, observation), *parts)


def _part(
    part: Part,
    observation: Observation,
    measured: Mapping[str, Sequence[Sample]],
    incidents: Sequence[Incident],
) -> Health:
    unseen = dict(observation.unknown).get(part.value)
    if unseen is not None:
        reason = LostPoints(points=FULL, reason=f"could not be looked at: {unseen}")
        return Health(part=part.value, score=None, lost=(reason,))
    if not _has_facts(part, observation):
        return Health(part=part.value, score=None, lost=())
    losses = (each for each in SCHEME if metric_type(each.metric).part is part)
    lost = [point for each in losses for point in _lost(each, observation, measured)]
    if part is Part.ALERTING:
        lost += _of_incidents(observation, incidents)
    ordered = tuple(sorted(lost, key=lambda each: -each.points))
    return Health(part=part.value, score=_left(ordered), lost=ordered)


def _has_facts(part: Part, observation: Observation) -> bool:
    match part:
        case Part.HOST:
            return observation.host is not None
        case Part.ORCHESTRATION:
            return observation.server is not None
        case Part.DATA:
            return bool(observation.data)
        case Part.TRADING:
            return bool(observation.accounts) or observation.halted is not None
        case Part.MODELS:
            return any(each.alias == "champion" for each in observation.models or ())
        case Part.ALERTING:
            return observation.alerts is not None


def _lost(
    loss: Loss, observation: Observation, measured: Mapping[str, Sequence[Sample]]
) -> Iterator[LostPoints]:
    """Give the reasons one row of the scheme finds, the worst first, until it may cost no more."""
    found = [
        (loss.points(each.value), each)
        for each in measured.get(loss.metric, ())
        if set(loss.where) <= set(each.labels)
    ]
    left = loss.most
    for points, sample in sorted(found, key=lambda each: -each[0]):
        if min(points, left) > 0:
            yield LostPoints(points=min(points, left), reason=_reason(loss, sample, observation))
        left = max(0.0, left - points)


def _of_incidents(observation: Observation, incidents: Sequence[Incident]) -> Iterator[LostPoints]:
    for each in incidents:
        until = each.silenced_until
        is_silenced = until is not None and until > observation.at
        points = INCIDENT_POINTS[each.level]
        if each.is_open and not each.acknowledged and not is_silenced and points:
            about = f"{each.rule} ({each.subject})" if each.subject else each.rule
            yield LostPoints(points=points, reason=f"{each.level} {about}: {each.message}")


def _overall(parts: Sequence[Health], observation: Observation) -> Health:
    scores = {each.part: each.score for each in parts if each.score is not None}
    if not scores:
        return Health(part=OVERALL, score=None, lost=())
    worst = min(scores, key=lambda part: scores[part])
    lost = [
        _share(each, is_worst=each.part == worst, count=len(scores))
        for each in parts
        if each.score is not None and each.score < FULL
    ]
    for part, reason in observation.unknown:
        lost.append(LostPoints(points=UNSEEN_POINTS, reason=f"{part} was not seen: {reason}"))
    ordered = tuple(sorted(lost, key=lambda each: -each.points))
    return Health(part=OVERALL, score=_left(ordered), lost=ordered)


def _share(part: Health, *, is_worst: bool, count: int) -> LostPoints:
    """Say what a part takes from the overall score."""
    missing = FULL - (part.score or 0.0)
    share = (1.0 - WORST_SHARE) / count + (WORST_SHARE if is_worst else 0.0)
    first = part.lost[0].reason if part.lost else ""
    more = f" and {counted(len(part.lost) - 1, 'more reason')}" if len(part.lost) > 1 else ""
    return LostPoints(points=missing * share, reason=f"{part.part}: {first}{more}")


def _left(lost: Sequence[LostPoints]) -> float:
    return max(0.0, FULL - sum(each.points for each in lost))


def _reason(loss: Loss, sample: Sample, observation: Observation) -> str:
    about = _about(sample)
    value = _words(sample.value, metric_type(loss.metric).unit)
    return loss.words.format(about=about, value=value) + _detail(sample, observation)


def _about(sample: Sample) -> str:
    """Name what a value is about in the order a person would."""
    labels = dict(sample.labels)
    if "model" in labels:
        return f"{labels['model']} version {labels['version']}"
    if "account" in labels:
        return f"{labels['account']} ({labels['mode']})"
    if "feed" in labels:
        return f"{labels['source']} {labels['feed']}"
    return " ".join(word for _, word in sample.labels)


def _detail(sample: Sample, observation: Observation) -> str:
    if sample.metric == "trading.halted" and observation.halted:
        return f": {observation.halted}"
    if sample.metric != "account.state":
        return ""
    labels = dict(sample.labels)
    for each in observation.accounts or ():
        if (each.name, each.mode.value) == (labels["account"], labels["mode"]):
            return f": {each.state_reason}" if each.state_reason else ""
    return ""


def _words(value: float, unit: Unit) -> str:
    match unit:
        case Unit.FRACTION:
            return f"{100 * value:.3g}%"
        case Unit.SECONDS:
            return f"{value:,.0f} seconds" if value < 120 else f"{value / 60:,.0f} minutes"
        case Unit.SESSIONS:
            return "1 session" if value == 1 else f"{value:,.0f} sessions"
    return f"{value:,.1f}".removesuffix(".0")
