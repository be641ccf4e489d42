"""Paths through combinations of blocks, as they are shown and tracked; they decide nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import counted
from slices.domain.report import BarChart, Section, Table, Unit
from slices.ml_strategy.training.wording import kind_text

if TYPE_CHECKING:
    from slices.domain.model_training import ModelTraining
    from slices.domain.training import PathEvidence


def path_section(training: ModelTraining) -> tuple[Section, ...]:
    """Show the distribution over paths beside the walk-forward; nothing where nobody asked."""
    found = training.evidence.paths
    if found is None:
        return ()
    walked = training.best.skill
    return (
        Section(
            title="Had history been tested otherwise",
            intro=(
                f"Every two of {found.blocks} blocks of sessions were tested by a model of the "
                f"others, {counted(found.fits, 'fit')} of the {kind_text(found.kind)} model: "
                f"{counted(len(found.paths), 'path')} through all of history. "
                f"Information coefficient {spread_text(found.coefficients, 4)}; net Sharpe ratio "
                f"{spread_text(found.net_sharpe_ratios, 2)}. The walk-forward has "
                f"{written(walked.information_coefficient, 4)} and "
                f"{written(walked.net_sharpe_ratio, 2)}. Models of paths have learnt from later "
                "sessions too, so this shows how far figures stray, not what could have been "
                "traded; no promotion looks at it."
            ),
            blocks=(path_table(found), *path_chart(training, found)),
        ),
    )


def path_table(found: PathEvidence) -> Table:
    """List the paths."""
    return Table(
        key="paths",
        title="Paths through history",
        columns=("Path", "Sessions", "IC", "t", "AUC", "Gross Sharpe", "Net Sharpe"),
        units=(
            Unit.COUNT, Unit.COUNT, Unit.TEXT, Unit.RATIO, Unit.TEXT, Unit.RATIO, Unit.RATIO,
        ),
        rows=tuple(
            (
                each.number,
                each.skill.sessions,
                written(each.skill.information_coefficient, 4),
                each.skill.t_statistic,
                written(each.skill.auc, 4),
                each.skill.gross_sharpe_ratio,
                each.skill.net_sharpe_ratio,
            )
            for each in found.paths
        ),
        caption="Paths share sessions and most of what their models learnt from, so they are not "
        "as many independent tests.",
    )  # fmt: skip


def path_chart(training: ModelTraining, found: PathEvidence) -> tuple[BarChart, ...]:
    """Draw the information coefficient of every path, after that of the walk-forward.

    Returns:
        Nothing where one of them is not defined, as for equal scores.
    """
    values = (training.best.skill.information_coefficient, *found.coefficients)
    if not all(map(math.isfinite, values)):
        return ()
    return (
        BarChart(
            key="path-ic",
            title="Information coefficient by path",
            categories=("walk-forward", *(f"path {each.number}" for each in found.paths)),
            groups=((kind_text(found.kind), values),),
            unit=Unit.RATIO,
            caption="The walk-forward leaves out the sessions before its first test block.",
        ),
    )


def path_metrics(found: PathEvidence | None) -> tuple[tuple[str, float], ...]:
    """List the mean and spread over paths by name; none where a path has no figure."""
    return tuple(
        (f"paths.{name}.{what}", value)
        for name, values in _known(found)
        for what, value in (
            ("mean", float(np.mean(values))),
            ("deviation", float(np.std(values, ddof=1))),
            ("lowest", min(values)),
            ("highest", max(values)),
        )
    )


def path_series(found: PathEvidence | None) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """List the figures path by path."""
    return tuple((f"path.{name}", values) for name, values in _known(found))


def spread_text(values: tuple[float, ...], places: int) -> str:
    """Write the mean of values, and from where to where they go.

    >>> spread_text((0.01, 0.03), 2)
    '0.02 on average, from 0.01 to 0.03'
    """
    if not values or not all(map(math.isfinite, values)):
        return "is not defined"
    found = (float(np.mean(values)), min(values), max(values))
    mean, low, high = (written(each, places) for each in found)
    return f"{mean} on average, from {low} to {high}"


def written(value: float, places: int) -> str:
    """Write a figure; one that is not defined as none."""
    return f"{value:.{places}f}" if math.isfinite(value) else "none"


def _known(found: PathEvidence | None) -> tuple[tuple[str, tuple[float, ...]], ...]:
    named = (
        ()
        if found is None
        else (
            ("information_coefficient", found.coefficients),
            ("net_sharpe_ratio", found.net_sharpe_ratios),
        )
    )
    return tuple((name, values) for name, values in named if all(map(math.isfinite, values)))
