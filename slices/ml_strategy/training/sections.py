"""The sections of the report of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.data_report import data_section
from slices.domain.report import KeyFigure, Note, Section, Tone, Unit
from slices.ml_strategy.training.charts import (
    contribution_chart,
    cumulative_chart,
    fold_chart,
    importance_chart,
)
from slices.ml_strategy.training.paths import path_section
from slices.ml_strategy.training.tables import (
    canary_table,
    candidate_table,
    fold_table,
    parameter_table,
    promotion_table,
    trial_table,
)
from slices.ml_strategy.training.wording import begun, kind_text, outcome_text

if TYPE_CHECKING:
    from slices.domain.model_training import ModelTraining, TrainingSettings
    from slices.domain.models import Promotion


def figures(training: ModelTraining) -> tuple[KeyFigure, ...]:
    """Show the figures that matter most."""
    skill, evidence = training.best.skill, training.evidence
    label, suspect = ("SUSPECT: ", Tone.BAD) if skill.suspicions else ("", Tone.NEUTRAL)
    has_skill = evidence.judged_t >= evidence.needed_t
    shown = [
        KeyFigure(
            label="Information coefficient", value=skill.information_coefficient, unit=Unit.RATIO,
            note=f"{label}{skill.information_coefficient:.4f} out of sample, "
            f"{kind_text(training.chosen)}",
            tone=suspect,
        ),
        KeyFigure(
            label="t-statistic", value=evidence.judged_t, unit=Unit.RATIO,
            note=f"of the IC; needed {evidence.needed_t:.2f} after {evidence.trials} trials",
            tone=Tone.GOOD if has_skill and not skill.suspicions else Tone.WARNING,
        ),
        KeyFigure(
            label="AUC", value=skill.auc, unit=Unit.RATIO,
            note=f"{skill.auc:.4f} of above the median; a coin is 0.5",
        ),
        KeyFigure(
            label="Net Sharpe ratio", value=skill.net_sharpe_ratio, unit=Unit.RATIO,
            note=f"long-short after costs; {skill.gross_sharpe_ratio:.2f} before",
        ),
    ]  # fmt: skip
    return (*shown, *_tests_figure(training))


def _tests_figure(training: ModelTraining) -> tuple[KeyFigure, ...]:
    if training.promotion is None:
        return ()
    tests = training.promotion.tests
    passed = sum(each.is_passed for each in tests)
    return (
        KeyFigure(
            label="Tests passed", value=float(passed), unit=Unit.COUNT,
            note=f"of {len(tests)}: {outcome_text(training)}",
            tone=Tone.GOOD if passed == len(tests) else Tone.NEUTRAL,
        ),
    )  # fmt: skip


def sections(training: ModelTraining) -> tuple[Section, ...]:
    """List the sections in reading order."""
    return (
        _learnt(training),
        *((_judged(training.promotion),) if training.promotion else ()),
        _believed(training),
        *path_section(training),
        _looked_at(training),
        _tuned(training),
        data_section(training.bars),
    )


def _learnt(training: ModelTraining) -> Section:
    settings = training.settings
    return Section(
        title="What was learnt",
        intro=(
            f"From {settings.features} features of {len(training.bars.symbols)} symbols, "
            f"{settings.examples:,} examples, each kind of model learnt {_learnt_text(settings)}. "
            "What is shown is what it said of sessions after those it had learnt from."
        ),
        blocks=(
            candidate_table(training),
            cumulative_chart(training),
            fold_chart(training),
            fold_table(training),
        ),
    )


def _learnt_text(settings: TrainingSettings) -> str:
    if settings.label.kind == "rank":
        return f"to rank the returns over the next {settings.label.horizon_sessions} sessions"
    return f"to tell {settings.label.subject}"


def _judged(promotion: Promotion) -> Section:
    champion = f"Champion now: {promotion.champion or 'nobody'}."
    tone = Tone.GOOD if promotion.outcome == "promoted" else Tone.NEUTRAL
    return Section(
        title="May it trade?",
        intro=(
            "A version becomes champion where every test holds. Not being promoted is a result "
            "like any other: most honest models of daily prices are not."
        ),
        blocks=(
            Note(text=f"{promotion.reason}. {champion}", tone=tone),
            promotion_table(promotion),
        ),
    )


def _believed(training: ModelTraining) -> Section:
    evidence = training.evidence
    return Section(
        title="May it be believed?",
        intro=(
            f"{evidence.proven_features} features were built again from bars cut off and changed "
            f"after several sessions; none of {evidence.compared_cells:,} values before changed. "
            "Splits were checked by the intervals of their labels. Canaries go the way of the "
            "training itself: where one finds what cannot be there, the run fails."
        ),
        blocks=(canary_table(evidence),),
    )


def _looked_at(training: ModelTraining) -> Section:
    best = training.best
    if not any(share for _, share in best.importances):
        note = Note(text=f"{begun(kind_text(best.kind))} looks at no feature.")
        return Section(title="What it looks at", blocks=(note,))
    return Section(
        title="What it looks at",
        intro="Of the model of the last test block; the registered one has learnt a little more.",
        blocks=(importance_chart(best), contribution_chart(best)),
    )


def _tuned(training: ModelTraining) -> Section:
    tried = [each for each in training.candidates if each.tuned]
    return Section(
        title="How parameters were chosen",
        intro=(
            "By a few trials on the sessions before the first test block. Many trials buy nothing "
            "out of sample, and each raises what the best one has to show."
        ),
        blocks=(parameter_table(training), *(trial_table(each) for each in tried)),
    )
