"""The parts of a report on a champion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.report import LineChart, Note, PointChart, Section, Series, Table, Unit

if TYPE_CHECKING:
    from slices.domain.model_monitoring import (
        CalibrationWatch,
        DecayWatch,
        DriftWatch,
        ModelWatch,
        ReliabilityBin,
    )
    from slices.domain.report import Block

SKILL_CHART = "skill-since-training"
FIRST_SHOWN = 10
"""Means over fewer sessions are all noise and would hide the rest."""

MOST_FEATURES = 15
BAND_T = 1.645
LEFT_WORDS = {0.25: "a quarter is left", 0.0: "none is left", -0.5: "half of it is reversed",
              -1.0: "all of it is reversed"}  # fmt: skip


def check_section(watch: ModelWatch) -> Section:
    """Show every check with what was found and what is allowed."""
    return Section(
        title="Checks",
        intro=f"{watch.model}, trained on bars until {watch.trained_until}, at {watch.session}.",
        blocks=(
            Table(
                key="checks",
                title="Is it still true?",
                columns=("Check", "State", "Found", "Allowed", "Of"),
                units=(Unit.TEXT,) * 5,
                rows=tuple(
                    (each.name, each.state.value, each.found, each.allowed, each.detail)
                    for each in watch.checks
                ),
            ),
        ),
    )


def skill_section(decay: DecayWatch) -> Section:
    """Show how the ranks came true, against what was validated."""
    return Section(
        title="Skill since training",
        intro="The rank correlation of scores and outcomes (information coefficient) of every "
        "session whose outcome is known. The evidence is how much likelier no skill is than the "
        f"validated skill: a model as good as validated ever reaches {decay.limit:.3g} to 1 with "
        f"a chance of at most {written(1.0 / decay.limit, Unit.FRACTION)}, however often it is "
        "looked at.",
        blocks=(*_skill_charts(decay), *_notice_table(decay)),
    )


def _skill_charts(decay: DecayWatch) -> tuple[Block, ...]:
    days = decay.sessions[FIRST_SHOWN - 1 :]
    if not days:
        return (Note(text="Too few outcomes are known to show their mean."),)
    counts = np.arange(1, len(decay.sessions) + 1)
    means = (np.cumsum(decay.coefficients) / counts)[FIRST_SHOWN - 1 :]
    room = (BAND_T * decay.deviation / np.sqrt(counts))[FIRST_SHOWN - 1 :]
    lines = (
        ("Found since training", means),
        ("As validated", np.full(len(days), decay.expected)),
        ("Low end, 1 in 20", decay.expected - room),
        ("High end, 1 in 20", decay.expected + room),
    )
    chart = LineChart(
        key=SKILL_CHART,
        title="Mean information coefficient since training",
        series=tuple(Series(name=name, x=days, y=tuple(y.tolist())) for name, y in lines),
        y_unit=Unit.RATIO,
        caption="A model as good as validated is below the low end at a given session once in "
        "twenty, and above the high end as often.",
    )
    return (chart, *_evidence_chart(decay))


def _evidence_chart(decay: DecayWatch) -> tuple[Block, ...]:
    if not np.isfinite(decay.evidence).all():
        return (Note(text="No skill was validated, so none can be lost."),)
    shown = np.clip(decay.evidence, 1e-3, 1e3)
    limit = (decay.limit,) * len(decay.sessions)
    return (
        LineChart(
            key="evidence-of-decay",
            title="Evidence that no skill is left, to 1",
            series=(
                Series(name="Evidence", x=decay.sessions, y=tuple(shown.tolist())),
                Series(name="Alarm", x=decay.sessions, y=limit),
            ),
            y_unit=Unit.RATIO,
            caption="Drawn between a thousandth and a thousand.",
            log_scale=True,
        ),
    )


def _notice_table(decay: DecayWatch) -> tuple[Block, ...]:
    if not decay.notice_times:
        return ()
    return (
        Table(
            key="notice-times",
            title="How long this test takes to notice",
            columns=("Of the validated skill", "Half of the time", "Nine times in ten"),
            units=(Unit.TEXT, Unit.SESSIONS, Unit.SESSIONS),
            rows=tuple(
                (LEFT_WORDS.get(each.left, str(each.left)), round(each.half), round(each.most))
                for each in decay.notice_times
            ),
            caption="Sessions with known outcomes. A small skill is lost long before it shows.",
        ),
    )


def drift_section(drift: DriftWatch) -> Section:
    """Show which features look otherwise than in training."""
    return Section(
        title="Features against training",
        intro=f"The newest {drift.window_sessions} sessions. Limits are what windows of training "
        "kept to, judged against the sessions outside of them: at most "
        f"{written(drift.alarm_rate, Unit.FRACTION)} of windows alarm when nothing is wrong.",
        blocks=(_drift_table(drift), *_drift_chart(drift)),
    )


def _drift_table(drift: DriftWatch) -> Table:
    return Table(
        key="feature-drift",
        title=f"The {min(MOST_FEATURES, len(drift.features))} farthest features",
        columns=(
            "Feature", "Times its limit", "By the", "Stability index", "Limit", "KS distance",
            "Limit of KS", "Median moved", "Unknown",
        ),
        units=(
            Unit.TEXT, Unit.RATIO, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.RATIO,
            Unit.RATIO, Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.name,
                each.multiple,
                each.measure,
                each.psi,
                each.psi_limit,
                each.ks,
                each.ks_limit,
                each.shift,
                each.unknown_share,
            )
            for each in drift.features[:MOST_FEATURES]
        ),
        caption=f"{drift.beyond} of {len(drift.features)} are beyond their own limit, "
        f"{drift.beyond_limit} may be; a single one may reach "
        f"{written(drift.alone_limit, Unit.RATIO)} times its limit. A median moves by widths of "
        "training, from a tenth to nine tenths of the values.",
    )  # fmt: skip


def _drift_chart(drift: DriftWatch) -> tuple[Block, ...]:
    if len(drift.ends) < 2:
        return ()
    limits = (float(drift.beyond_limit),) * len(drift.ends)
    return (
        LineChart(
            key="drift-since-training",
            title="Features beyond their limit, window by window",
            series=(
                Series(name="Beyond", x=drift.ends, y=tuple(map(float, drift.beyond_history))),
                Series(name="Allowed", x=drift.ends, y=limits),
            ),
            y_unit=Unit.COUNT,
            caption=f"{sum(drift.alarms)} of {len(drift.alarms)} windows alarm. They overlap: one "
            "ends every 21 sessions.",
        ),
    )


def calibration_section(promises: CalibrationWatch) -> Section:
    """Show whether probabilities come true as often as they say."""
    return Section(
        title="Probabilities and intervals",
        intro=f"Over {promises.sessions} sessions with known outcomes. Brier score "
        f"{written(promises.brier_score, Unit.RATIO)} (validated "
        f"{promises.validated_brier:.4f}, a coin 0.25); "
        f"{written(promises.coverage, Unit.FRACTION)} of returns within intervals of "
        f"{written(promises.level, Unit.FRACTION)}.",
        blocks=(_reliability(promises.bins),)
        if promises.bins
        else (Note(text="Too few outcomes are known to compare probabilities with."),),
    )


def _reliability(bins: tuple[ReliabilityBin, ...]) -> PointChart:
    said = tuple(each.probability for each in bins)
    ends = (min(said), max(said))
    return PointChart(
        key="reliability",
        title="How often what was called likely came true",
        points=(
            Series(
                name="Found since training",
                x=said,
                y=tuple(each.came_true for each in bins),
                labels=tuple(f"{each.forecasts:,}" for each in bins),
            ),
        ),
        curve=Series(name="As promised", x=ends, y=ends),
        x_unit=Unit.FRACTION,
        y_unit=Unit.FRACTION,
        x_label="Probability said",
        y_label="Share that came true",
        caption="Of a return above the median of its session; each point says how many forecasts "
        "it stands on.",
    )
