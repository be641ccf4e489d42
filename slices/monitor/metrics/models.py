"""Metrics of models that trade or might."""

from __future__ import annotations

from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING

from slices.domain.monitoring import Unit
from slices.monitor.metrics.registering import labelled, metric, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.observations import ModelFacts, Observation
    from slices.monitor.metrics.registering import Reading

SOURCE = "model registry"


def _model(name: str, *, unit: Unit) -> Callable[[Callable[[ModelFacts], float]], object]:
    def registered(read: Callable[[ModelFacts], float]) -> object:
        @metric(name, unit=unit, source=SOURCE)
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return ((_named(each), read(each)) for each in seen.models or ())

        return measured

    return registered


def _named(model: ModelFacts) -> tuple[tuple[str, str], ...]:
    return labelled(model=model.model, version=str(model.version), alias=model.alias or "none")


@metric("model.versions", unit=Unit.COUNT, source=SOURCE)
def _versions(seen: Observation) -> Reading:
    """Versions that are looked at, by alias."""
    counts = Counter(each.alias or "none" for each in seen.models or ())
    return ((labelled(alias=alias), count) for alias, count in sorted(counts.items()))


@_model("model.ic_live", unit=Unit.FRACTION)
def _ic_live(model: ModelFacts) -> float:
    """Information coefficient of matured predictions; undefined below 20 sessions."""
    return model.live_ic


@_model("model.ic_expected", unit=Unit.FRACTION)
def _ic_expected(model: ModelFacts) -> float:
    """Information coefficient that was measured out of sample at training."""
    return model.expected_ic


@_model("model.ic_decay", unit=Unit.FRACTION)
def _ic_decay(model: ModelFacts) -> float:
    """Expected less live information coefficient: what skill was lost; undefined without both."""
    return model.expected_ic - model.live_ic


@_model("model.ic_kept", unit=Unit.FRACTION)
def _ic_kept(model: ModelFacts) -> float:
    """Live over expected information coefficient; undefined where none was expected."""
    return ratio(model.live_ic, model.expected_ic)


@_model("model.drifted", unit=Unit.FRACTION)
def _drifted(model: ModelFacts) -> float:
    """Share of features beyond their limit at the last look; undefined where nobody looked."""
    return model.drifted


@_model("model.age_sessions", unit=Unit.SESSIONS)
def _age_sessions(model: ModelFacts) -> float:
    """Sessions since the newest that a model learnt from."""
    return model.age_sessions


@_model("model.coverage", unit=Unit.FRACTION)
def _coverage(model: ModelFacts) -> float:
    """Share of outcomes inside their predicted interval; undefined without outcomes."""
    return model.coverage


@_model("model.coverage_gap", unit=Unit.FRACTION)
def _coverage_gap(model: ModelFacts) -> float:
    """Promised less found share of outcomes inside their interval; undefined without outcomes."""
    return model.nominal_coverage - model.coverage


@_model("model.matured", unit=Unit.COUNT)
def _matured(model: ModelFacts) -> float:
    """Sessions of predictions whose outcome is known."""
    return model.matured


@_model("model.pending", unit=Unit.COUNT)
def _pending(model: ModelFacts) -> float:
    """Sessions of predictions whose outcome is not known yet."""
    return model.pending
