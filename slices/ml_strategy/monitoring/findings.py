"""The findings of model monitoring: the answer in one sentence, the figures, the report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.model_monitoring import CheckState, ModelMonitoring
from slices.domain.numbers import signed, written
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.ml_strategy.monitoring.sections import (
    SKILL_CHART,
    calibration_section,
    check_section,
    drift_section,
    skill_section,
)

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.model_monitoring import (
        ChampionAction,
        DecayWatch,
        ModelWatch,
        MonitorCheck,
        MonitorLimits,
    )
    from slices.domain.models import ModelRefusal
    from slices.domain.report import Section

KEY, TITLE = "ml-model-monitoring", "Model monitoring"
TONES = {
    CheckState.OK: Tone.GOOD,
    CheckState.WATCH: Tone.WARNING,
    CheckState.ALARM: Tone.BAD,
    CheckState.UNKNOWN: Tone.NEUTRAL,
}


def unwatched_findings(bars: DatasetRef, refusal: ModelRefusal) -> ModelMonitoring:
    """Say why there is nothing to watch.

    Args:
        bars: The universe.
        refusal: Why there is no champion, or why it may not be looked into.
    """
    headline = f"Model '{refusal.model}' has no champion that could be watched: {refusal.reason}."
    caveats = (refusal.reason, *data_caveats(bars))
    return ModelMonitoring(
        headline=headline,
        caveats=caveats,
        summary=(("Model", refusal.model), ("Champion", "none that could be watched")),
        notes=data_notes(bars),
        report=_report(headline, (), caveats, data_notes(bars), (data_section(bars),)),
        bars=bars,
        watch=None,
        action=None,
        announced=(),
    )


def model_monitoring_findings(
    bars: DatasetRef,
    *,
    watch: ModelWatch,
    action: ChampionAction,
    announced: tuple[str, ...],
    limits: MonitorLimits,
) -> ModelMonitoring:
    """Put together whether a champion is still true, and what became of it.

    Args:
        bars: Its universe.
        watch: What was asked of it.
        action: What became of it.
        announced: Names of the events that were sent now.
        limits: What it was held against.
    """
    caveats = (*_caveats(watch, action), *data_caveats(bars))
    notes = (*_notes(watch, announced), *data_notes(bars))
    headline = _headline(watch, action)
    sections = (
        check_section(watch),
        skill_section(watch.decay),
        drift_section(watch.drift),
        calibration_section(watch.calibration),
        data_section(bars),
    )
    return ModelMonitoring(
        headline=headline,
        caveats=caveats,
        summary=_summary(watch, action),
        notes=notes,
        report=_report(headline, _figures(watch, limits), caveats, notes, sections),
        bars=bars,
        mlflow_run_id=watch.model.run_id,
        watch=watch,
        action=action,
        announced=announced,
    )


def _report(
    headline: str,
    figures: tuple[KeyFigure, ...],
    caveats: tuple[str, ...],
    notes: tuple[str, ...],
    sections: tuple[Section, ...],
) -> Report:
    return Report(
        key=KEY,
        title=TITLE,
        headline=headline,
        figures=figures,
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=sections,
        chart=SKILL_CHART,
        provenance=(),
    )


def _headline(watch: ModelWatch, action: ChampionAction) -> str:
    who = f"Champion {watch.model}"
    if action.outcome != "kept":
        place = f", and {action.champion} trades again" if action.champion else ""
        return f"{who} was {action.outcome}{place}: {action.reason}."
    if watch.alarms:
        names = listed(tuple(each.name.lower() for each in watch.alarms))
        return f"{who} gives alarm on {watch.session}: {names}."
    return f"{who} keeps to {_kept(watch)}."


def _kept(watch: ModelWatch) -> str:
    near, unknown = _of(watch, CheckState.WATCH), len(_of(watch, CheckState.UNKNOWN))
    asked = len(watch.checks) - unknown
    count = f"{asked - len(near)} of {asked}" if near else f"all {asked}"
    names = listed(tuple(each.name for each in near))
    watched = f"; {len(near)} to be watched: {names}" if near else ""
    rest = f"; {unknown} cannot be judged yet" if unknown else ""
    return f"{count} checks on {watch.session}{watched}{rest}"


def _of(watch: ModelWatch, state: CheckState) -> tuple[MonitorCheck, ...]:
    return tuple(each for each in watch.checks if each.state is state)


def _caveats(watch: ModelWatch, action: ChampionAction) -> tuple[str, ...]:
    alarms = tuple(
        f"{each.name}: found {each.found}, allowed {each.allowed}" for each in watch.alarms
    )
    gone = f"{watch.model} was {action.outcome}: {action.reason}"
    return alarms if action.outcome == "kept" else (gone, *alarms)


def _notes(watch: ModelWatch, announced: tuple[str, ...]) -> tuple[str, ...]:
    near = tuple(
        f"{each.name}, to be watched: found {each.found}, allowed {each.allowed}"
        for each in _of(watch, CheckState.WATCH)
    )
    unknown = tuple(
        f"{each.name} cannot be judged yet: {each.found}."
        for each in _of(watch, CheckState.UNKNOWN)
    )
    sent = (f"Announced: {listed(announced)}.",) if announced else ()
    return (*near, *unknown, *sent)


def _over(decay: DecayWatch) -> str:
    count = counted(len(decay.sessions), "session")
    return (
        f"over {count}"
        if math.isnan(decay.mean_error)
        else f"± {decay.mean_error:.4f} over {count}"
    )


def _figures(watch: ModelWatch, limits: MonitorLimits) -> tuple[KeyFigure, ...]:
    states = {each.name: TONES[each.state] for each in watch.checks}
    decay, drift = watch.decay, watch.drift
    return (
        KeyFigure(
            label="IC since training",
            value=decay.mean,
            unit=Unit.RATIO,
            note=f"{_over(decay)}; validated {signed(f'{decay.expected:.4f}')}",
            tone=states["Skill"],
        ),
        KeyFigure(
            label="Features beyond their limit",
            value=float(drift.beyond),
            unit=Unit.COUNT,
            note=f"of {len(drift.features)}; {drift.beyond_limit} may be",
            tone=states["Features"],
        ),
        KeyFigure(
            label="Returns within their interval",
            value=watch.calibration.coverage,
            unit=Unit.FRACTION,
            note=f"promised {written(watch.calibration.level, Unit.FRACTION)}",
            tone=states["Intervals"],
        ),
        KeyFigure(
            label="Age",
            value=float(watch.age_sessions),
            unit=Unit.SESSIONS,
            note=f"at most {limits.most_age_sessions}",
            tone=states["Age"],
        ),
    )


def _summary(watch: ModelWatch, action: ChampionAction) -> tuple[tuple[str, str], ...]:
    after = str(action.champion) if action.champion else "none"
    return (
        ("Champion", str(watch.model)),
        ("Champion afterwards", after),
        ("Session", str(watch.session)),
        *((each.name, f"{each.state.value}: {each.found}") for each in watch.checks),
    )
