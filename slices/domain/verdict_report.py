"""A verdict as report values: a sentence, a key figure and a section with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Section, Table, Tone, Unit
from slices.domain.verdicts import NEEDED_PROBABILITY, Grade, needed_alpha_t, over_cash

if TYPE_CHECKING:
    from slices.domain.report import Cell
    from slices.domain.verdicts import Verdict

TONES = {Grade.PASS: Tone.GOOD, Grade.WEAK: Tone.WARNING, Grade.REJECT: Tone.BAD}
MEANINGS = {
    Grade.PASS: "the evidence holds",
    Grade.WEAK: "not proven",
    Grade.REJECT: "not to be believed",
}
MOST_FINDINGS = 10


def verdict_sentence(verdict: Verdict) -> str:
    """Say the grade and the first reason for it."""
    grade = f"{verdict.grade.value.upper()} ({MEANINGS[verdict.grade]})"
    others = len(verdict.reasons) - 1
    more = f" And {others} more." if others > 0 and verdict.grade is not Grade.PASS else ""
    return f"{grade}: {verdict.reasons[0]}{more}" if verdict.reasons else f"{grade}."


def verdict_figure(verdict: Verdict) -> KeyFigure:
    """Show the deflated Sharpe ratio under the grade."""
    trials = counted(verdict.trials, "trial")
    return KeyFigure(
        label=f"Verdict: {verdict.grade.value.upper()}",
        value=verdict.deflated_sharpe_ratio,
        unit=Unit.FRACTION,
        note=(
            f"{MEANINGS[verdict.grade]}: deflated Sharpe ratio after {trials}, beside an alpha "
            f"with a t-statistic of {written(verdict.alpha_t, Unit.RATIO)}"
        ),
        tone=TONES[verdict.grade],
    )


def verdict_section(verdict: Verdict) -> Section:
    """Show the grade, its reasons and the evidence."""
    tone = TONES[verdict.grade]
    reasons = tuple(Note(text=each, tone=tone) for each in verdict.reasons)
    tables = (
        (_evidence(verdict), _leaks(verdict)) if verdict.probe.findings else (_evidence(verdict),)
    )
    return Section(
        title="May it be believed?",
        intro=f"{verdict.grade.value.upper()}: {MEANINGS[verdict.grade]}.",
        blocks=(*reasons, *tables),
    )


def _evidence(verdict: Verdict) -> Table:
    confidence, over = written(verdict.confidence, Unit.FRACTION), over_cash(verdict)
    rows: tuple[tuple[str, float, Unit, str], ...] = (
        (f"Sharpe ratio{over}, net of costs", verdict.sharpe_ratio, Unit.RATIO, "above 0"),
        (f"Lower end of its {confidence} interval", verdict.sharpe_low, Unit.RATIO, "above 0"),
        (f"Upper end of its {confidence} interval", verdict.sharpe_high, Unit.RATIO, ""),
        (
            "Probability that it is above 0",
            verdict.probabilistic_sharpe_ratio,
            Unit.FRACTION,
            "",
        ),
        (
            "The same, deflated for the trials made",
            verdict.deflated_sharpe_ratio,
            Unit.FRACTION,
            f"at least {NEEDED_PROBABILITY:.0%}",
        ),
        ("Trials made", verdict.trials, Unit.COUNT, ""),
        ("Sessions", verdict.sessions, Unit.COUNT, "at least a year and the minimum"),
        (
            "Minimum track record, in sessions",
            verdict.minimum_track_record_sessions,
            Unit.COUNT,
            "",
        ),
        (f"Alpha to the benchmark{over}, a year", verdict.alpha, Unit.FRACTION, ""),
        (
            "t-statistic of alpha",
            verdict.alpha_t,
            Unit.RATIO,
            f"above {written(needed_alpha_t(verdict.trials), Unit.RATIO)}",
        ),
        ("Places where the future was changed", len(verdict.probe.cuts), Unit.COUNT, "at least 1"),
        ("Leaks found", len(verdict.probe.findings), Unit.COUNT, "0"),
    )
    return Table(
        key="verdict-evidence",
        title="Evidence for the verdict",
        columns=("Evidence", "Value", "Needed to pass"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT),
        rows=tuple((name, written(value, unit), needed) for name, value, unit, needed in rows),
        caption=(
            "Interval: stationary bootstrap. Deflated: Bailey and Lopez de Prado (2014). "
            "Alpha: regression on the benchmark with Newey-West errors."
        ),
    )


def _leaks(verdict: Verdict) -> Table:
    findings = verdict.probe.findings
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (each.leak.value.replace("_", " "), each.session.isoformat(), each.detail)
        for each in findings[:MOST_FINDINGS]
    )
    left = len(findings) - len(rows)
    return Table(
        key="verdict-leaks",
        title="What it knew before its time",
        columns=("Leak", "First session", "What was seen"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT),
        rows=rows,
        caption=f"And {left} more." if left else "",
    )
