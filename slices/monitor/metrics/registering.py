"""Metric types: small functions of an observation, registered under a name with their unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from slices.domain.errors import ParameterError, listed
from slices.domain.monitoring import Part, Sample, Unit
from slices.domain.observations import Observation

Labels = tuple[tuple[str, str], ...]
Reading = Iterable[tuple[Labels, float]]
"""Values with what they are about; labels are sorted by name."""

PART_OF = {
    "host": Part.HOST,
    "server": Part.ORCHESTRATION,
    "runs": Part.ORCHESTRATION,
    "tasks": Part.ORCHESTRATION,
    "workers": Part.ORCHESTRATION,
    "queue": Part.ORCHESTRATION,
    "automations": Part.ORCHESTRATION,
    "data": Part.DATA,
    "account": Part.TRADING,
    "trading": Part.TRADING,
    "model": Part.MODELS,
    "alerts": Part.ALERTING,
    "events": Part.ALERTING,
    "watch": Part.ALERTING,
}
NAME = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class MetricType:
    """What is measured.

    Attributes:
        name: Dotted, what it is of first.
        unit: Of its values.
        part: Whose health it is about.
        source: Where its facts come from.
        description: One line for people.
        measure: Gives its samples; none of what was not seen, NaN where undefined.
    """

    name: str
    unit: Unit
    part: Part
    source: str
    description: str
    measure: Callable[[Observation], Iterable[Sample]]


class Registry:
    """Metric types by name, in the order in which they were registered."""

    def __init__(self) -> None:
        self._types: dict[str, MetricType] = {}

    def add(self, kind: MetricType) -> None:
        """Take a metric type.

        Raises:
            ParameterError: Its name is no dotted name, is taken, or it has no description.
        """
        allowed = f"one of {', '.join(PART_OF)}, a dot and lower case letters"
        if not NAME.fullmatch(kind.name) or kind.name.partition(".")[0] not in PART_OF:
            raise ParameterError(parameter="metric", found=repr(kind.name), allowed=allowed)
        if kind.name in self._types:
            raise ParameterError(
                parameter="metric", found=f"{kind.name} twice", allowed="each name once"
            )
        if not kind.description:
            raise ParameterError(
                parameter="metric", found=f"{kind.name} without a docstring", allowed="one line"
            )
        self._types[kind.name] = kind

    def all(self) -> tuple[MetricType, ...]:
        """List them."""
        return tuple(self._types.values())

    def named(self, name: str) -> MetricType:
        """Return the metric type of a name.

        Raises:
            ParameterError: There is none.
        """
        if name not in self._types:
            raise ParameterError(
                parameter="metric", found=repr(name), allowed=listed(tuple(self._types), most=200)
            )
        return self._types[name]


REGISTRY = Registry()


def metric(
    name: str, *, unit: Unit, source: str, registry: Registry = REGISTRY
) -> Callable[[Callable[[Observation], Reading]], Callable[[Observation], Reading]]:
    """Register a function of an observation; the first line of its docstring describes it.

    Args:
        name: Dotted, what it is of first.
        unit: Of its values.
        source: Where its facts come from.
        registry: Where it is registered.
    """

    def registered(read: Callable[[Observation], Reading]) -> Callable[[Observation], Reading]:
        def measure(observation: Observation) -> Iterable[Sample]:
            for labels, value in read(observation):
                yield Sample(metric=name, labels=labels, value=float(value))

        registry.add(
            MetricType(
                name=name,
                unit=unit,
                part=PART_OF.get(name.partition(".")[0], Part.HOST),
                source=source,
                description=(read.__doc__ or "").strip().partition("\n")[0],
                measure=measure,
            )
        )
        return read

    return registered


def labelled(**labels: str) -> Labels:
    """Make labels, sorted by name.

    >>> labelled(mode="paper", account="daily")
    (('account', 'daily'), ('mode', 'paper'))
    """
    return tuple(sorted(labels.items()))


def ratio(part: float, whole: float) -> float:
    """Divide; NaN where there is nothing to divide by.

    >>> ratio(1, 4), ratio(1, 0)
    (0.25, nan)
    """
    return part / whole if whole > 0 else float("nan")
