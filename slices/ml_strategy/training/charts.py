"""Charts of a training, as values."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from slices.domain.report import BarChart, LineChart, Series, Unit
from slices.ml_strategy.training.wording import kind_text

if TYPE_CHECKING:
    from slices.domain.model_training import Candidate, ModelTraining
    from slices.domain.report import Chart

MOST_FEATURES = 15


def cumulative_chart(training: ModelTraining) -> LineChart:
    """Draw the running sum of each kind's information coefficients."""
    return LineChart(
        key="cumulative-ic",
        title="Information coefficients, summed over sessions out of sample",
        series=tuple(
            Series(
                name=kind_text(each.kind),
                x=each.sessions,
                y=tuple(accumulate(each.coefficients)),
            )
            for each in training.candidates
            if each.sessions
        ),
        y_unit=Unit.RATIO,
        caption="A steady rise is skill; a rise that ends is skill that is gone. Coefficients of "
        "sessions next to each other share most of the returns they are judged by.",
    )


def fold_chart(training: ModelTraining) -> BarChart:
    """Draw the information coefficient of each test block and kind."""
    shown = [each for each in training.candidates if each.sessions] or list(training.candidates)
    return BarChart(
        key="fold-ic",
        title="Information coefficient by test block",
        categories=tuple(str(each.first_session.year) for each in shown[0].folds),
        groups=tuple(
            (
                kind_text(each.kind),
                tuple(fold.skill.information_coefficient for fold in each.folds),
            )
            for each in shown
        ),
        unit=Unit.RATIO,
        caption="By the year in which the block begins.",
    )


def importance_chart(candidate: Candidate) -> BarChart:
    """Draw the features that the model gained most by."""
    shown = candidate.importances[:MOST_FEATURES]
    return BarChart(
        key="importances",
        title="What it gained by each feature",
        categories=tuple(name for name, _ in shown),
        groups=(("share of the gain", tuple(share for _, share in shown)),),
        unit=Unit.FRACTION,
        caption="In training, where a feature may gain by noise too.",
    )


def contribution_chart(candidate: Candidate) -> BarChart:
    """Draw what each feature added to scores out of sample, either way."""
    shown = candidate.contributions[:MOST_FEATURES]
    return BarChart(
        key="contributions",
        title="What each feature added to scores out of sample",
        categories=tuple(name for name, _ in shown),
        groups=(("mean absolute contribution", tuple(size for _, size in shown)),),
        unit=Unit.RATIO,
        caption="In units of the label, a rank between -0.5 and 0.5; contributions of an example "
        "sum to its score.",
    )


def pictures(training: ModelTraining) -> tuple[Chart, ...]:
    """List the charts that are kept with the tracked run."""
    kept = ("cumulative-ic", "fold-ic", "path-ic", "importances", "contributions")
    blocks = training.report.blocks()
    return tuple(
        each for each in blocks if isinstance(each, LineChart | BarChart) and each.key in kept
    )
