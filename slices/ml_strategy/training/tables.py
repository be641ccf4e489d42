"""Tables of a training, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.report import Table, Unit
from slices.ml_strategy.training.wording import kind_text

if TYPE_CHECKING:
    from slices.domain.model_training import Candidate, ModelTraining, TrainingEvidence
    from slices.domain.models import Promotion
    from slices.domain.training import ModelParameters


def candidate_table(training: ModelTraining) -> Table:
    """Set the kinds of model side by side."""
    return Table(
        key="candidates",
        title="Candidates, out of sample",
        columns=(
            "Model", "IC", "ICIR", "t", "AUC", "Hit rate", "Gross Sharpe", "Net Sharpe",
            "Turnover a year", "Verdict",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.TEXT, Unit.FRACTION, Unit.RATIO,
            Unit.RATIO, Unit.RATIO, Unit.TEXT,
        ),
        rows=tuple(
            (
                kind_text(each.kind),
                _exact(each.skill.information_coefficient),
                each.skill.icir,
                each.skill.t_statistic,
                _exact(each.skill.auc),
                each.skill.hit_rate,
                each.skill.gross_sharpe_ratio,
                each.skill.net_sharpe_ratio,
                each.skill.annual_turnover,
                _verdict(each, is_chosen=each.kind is training.chosen),
            )
            for each in training.candidates
        ),
        caption="IC: mean rank correlation of score and outcome within a session. ICIR and Sharpe "
        "ratios are annualized; t has Newey-West errors. The portfolio is long the best fifth and "
        "short the worst. What is not defined, as for equal scores, is left empty.",
    )  # fmt: skip


def fold_table(training: ModelTraining) -> Table:
    """List the test blocks of the registered kind."""
    return Table(
        key="folds",
        title=f"Test blocks of the {kind_text(training.chosen)} model",
        columns=(
            "Block", "From", "To", "Learnt from", "Scored", "Purged",
            "IC", "t", "AUC", "Net Sharpe",
        ),
        units=(
            Unit.COUNT, Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.COUNT, Unit.COUNT, Unit.TEXT,
            Unit.RATIO, Unit.TEXT, Unit.RATIO,
        ),
        rows=tuple(
            (
                each.number,
                str(each.first_session),
                str(each.last_session),
                each.train_rows,
                each.test_rows,
                each.purged_sessions,
                _exact(each.skill.information_coefficient),
                each.skill.t_statistic,
                _exact(each.skill.auc),
                each.skill.net_sharpe_ratio,
            )
            for each in training.best.folds
        ),
        caption="Examples learnt from and scored; sessions purged because their labels reach into "
        "the block.",
    )  # fmt: skip


def canary_table(evidence: TrainingEvidence) -> Table:
    """List the canaries."""
    return Table(
        key="canaries",
        title="Canaries",
        columns=("Canary", "Question", "Found", "Allowed", "Answer", "What was done"),
        units=(Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.TEXT, Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (
                each.name.replace("_", " "),
                each.question,
                each.found,
                each.allowed,
                "SINGS" if each.is_singing else "quiet",
                each.detail,
            )
            for each in evidence.canaries
        ),
    )


def promotion_table(promotion: Promotion) -> Table:
    """List the tests of a promotion."""
    return Table(
        key="promotion",
        title="Tests of the promotion",
        columns=("Test", "Found", "Needed", "Sessions", "Passed", "What it says"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (
                each.name,
                _number(each.found),
                _number(each.needed),
                each.sessions or None,
                "yes" if each.is_passed else "no",
                each.detail,
            )
            for each in promotion.tests
        ),
    )


def parameter_table(training: ModelTraining) -> Table:
    """List what shapes each kind of model, and how it was chosen."""
    return Table(
        key="parameters",
        title="Parameters of the candidates",
        columns=("Model", "Parameters", "Trials", "Given up early"),
        units=(Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.COUNT),
        rows=tuple(
            (
                kind_text(each.kind),
                parameters_text(each.parameters) or "none",
                len(each.tuned),
                sum(trial.state == "pruned" for trial in each.tuned),
            )
            for each in training.candidates
        ),
    )


def trial_table(candidate: Candidate) -> Table:
    """List every trial of a kind, best first."""
    ordered = sorted(candidate.tuned, key=lambda each: (-each.folds, -each.value))
    return Table(
        key=f"trials-{candidate.kind.value.replace('_', '-')}",
        title=f"Trials of {kind_text(candidate.kind)}",
        columns=("Trial", "IC within", "Blocks", "Ended", "Parameters"),
        units=(Unit.COUNT, Unit.TEXT, Unit.COUNT, Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (
                each.number,
                f"{each.value:.4f}",
                each.folds,
                each.state.value,
                parameters_text(each.parameters),
            )
            for each in ordered
        ),
        caption="Trial 0 is the defaults. One that was given up was worse than most by then.",
    )


def parameters_text(parameters: ModelParameters) -> str:
    """Write parameters in a line.

    >>> parameters_text((("leaves", 8.0), ("row_share", 0.5)))
    'leaves 8, row share 0.5'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in parameters)


def _verdict(candidate: Candidate, *, is_chosen: bool) -> str:
    if candidate.skill.suspicions:
        return "SUSPECT, registered" if is_chosen else "SUSPECT"
    return "registered" if is_chosen else ""


def _exact(value: float) -> str | None:
    return f"{value:.4f}" if math.isfinite(value) else None


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "none"
