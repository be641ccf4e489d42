"""Pictures of a kind of model: what it looked at, and what it was worth over time."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.report import BarChart, LineChart, Series, Unit
from slices.ml_strategy.skill.coefficients import session_ics

if TYPE_CHECKING:
    from slices.domain.report import Chart
    from slices.domain.training import Validation

MOST_FEATURES = 15


def model_charts(validation: Validation) -> tuple[Chart, ...]:
    """Draw what one kind of model looked at and how it fared, as far as there is anything to draw.

    Args:
        validation: Of the kind.

    Returns:
        Importances and contributions of the 15 features that mattered most, the information
        coefficient of each fold, and its running sum; fewer for a model that ignores features or
        ties everyone.
    """
    stem = validation.kind.value.replace("_", "-")
    return (
        *_looked_at(validation, stem),
        *fold_charts((validation,), key=f"{stem}-folds"),
        *running_charts((validation,), key=f"{stem}-running"),
    )


def fold_charts(
    validations: tuple[Validation, ...], *, key: str = "information-coefficients"
) -> tuple[BarChart, ...]:
    """Draw the information coefficient of each fold beside each other; kinds without one left out.

    Args:
        validations: On the same folds.
        key: Of the chart.
    """
    groups = [
        (_name(each), tuple(fold.skill.information_coefficient for fold in each.folds))
        for each in validations
    ]
    shown = tuple(each for each in groups if np.isfinite(each[1]).any())
    if not shown:
        return ()
    return (
        BarChart(
            key=key,
            title="Information coefficient by fold",
            categories=tuple(str(fold.first_session) for fold in validations[0].folds),
            groups=shown,
            unit=Unit.RATIO,
            caption="Mean rank correlation of score and label out of sample; each fold is named "
            "by its first session.",
        ),
    )


def running_charts(
    validations: tuple[Validation, ...], *, key: str = "running-coefficient"
) -> tuple[LineChart, ...]:
    """Draw the running sum of the information coefficients of sessions; kinds without one left out.

    Args:
        validations: Of kinds of model.
        key: Of the chart.
    """
    lines = tuple(line for each in validations if (line := _running(each)).y)
    if not lines:
        return ()
    return (
        LineChart(
            key=key,
            title="Information coefficients added up",
            series=lines,
            y_unit=Unit.RATIO,
            y_label="sum of rank correlations",
            caption="A straight rise is steady skill; a flat line is none.",
        ),
    )


def _running(validation: Validation) -> Series:
    coefficients = session_ics(validation.scores)
    known = np.isfinite(coefficients)
    return Series(
        name=_name(validation),
        x=tuple(compress(validation.scores.sessions, known)),
        y=tuple(coefficients[known].cumsum().tolist()),
    )


def _looked_at(validation: Validation, stem: str) -> tuple[BarChart, ...]:
    pictures = (
        (
            "importances",
            "What the last model was fitted by",
            validation.importances,
            Unit.FRACTION,
            "Share of the gain of splits, or of the size of coefficients.",
        ),
        (
            "contributions",
            "What moved its scores out of sample",
            tuple((name, 100.0 * size) for name, size in validation.contributions),
            Unit.RATIO,
            "Mean absolute contribution to a score, in hundredths of the way from the worst to the "
            "best rank.",
        ),
    )
    return tuple(
        BarChart(
            key=f"{stem}-{key}",
            title=title,
            categories=tuple(name for name, _ in sizes[:MOST_FEATURES]),
            groups=((_name(validation), tuple(size for _, size in sizes[:MOST_FEATURES])),),
            unit=unit,
            caption=caption,
        )
        for key, title, sizes, unit, caption in pictures
        if any(size > 0 for _, size in sizes)
    )


def _name(validation: Validation) -> str:
    return validation.kind.value.replace("_", " ")
