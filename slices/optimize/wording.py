"""Words for studies: parameters, the headline, the notes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.quant.signals.catalogue import strategy

if TYPE_CHECKING:
    from slices.domain.studies import Optimization, Plateau, StudySettings

POINTS = {"grid": "points of the grid", "random": "random points"}
METHODS = {"grid": "a grid", "random": "random points", "tpe": "a Parzen estimator (TPE)"}
LEAST_TRAINING_SESSIONS = 252


def value_text(value: float | str) -> str:
    """Write a parameter's value.

    >>> value_text(12.0), value_text(0.123456), value_text(True), value_text("low")
    ('12', '0.1235', 'yes', 'low')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.4g}"


def parameters_text(parameters: tuple[tuple[str, float | str], ...]) -> str:
    """Write a set of parameters in one line.

    >>> parameters_text((("fast", 10), ("slow", 50)))
    'fast 10, slow 50'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value_text(value)}" for name, value in parameters)


def dimensions_text(settings: StudySettings) -> str:
    """Write what was varied, from where to where."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value_text(low)} to {value_text(high)}"
        for name, low, high, _ in settings.dimensions
    )


def validation_text(settings: StudySettings) -> str:
    """Say among which points the choices of the validation were made."""
    points = POINTS[settings.validation_method.value]
    return f"{settings.validation_trials:,} {points} that were set before any was scored"


def plateau_text(plateau: Plateau) -> str:
    """Say where the plateau is, or plainly that there is none."""
    if plateau.centre is None:
        return f"There is no plateau: {plateau.reason}. No parameters are recommended."
    ranges = ", ".join(
        f"{name.replace('_', ' ')} {value_text(low)} to {value_text(high)}"
        for name, low, high in plateau.ranges
    )
    return (
        f"The plateau: {ranges} ({plateau.cells} places within "
        f"{written(plateau.tolerance, Unit.FRACTION)} of the best neighbourhood). Its most central "
        f"point is {parameters_text(plateau.centre.parameters)}, with a Sharpe ratio of "
        f"{written(plateau.centre.sharpe_ratio, Unit.RATIO)}; the median of its members is "
        f"{written(plateau.median_sharpe, Unit.RATIO)}."
    )


def headline(study: Optimization) -> str:
    """Answer the question in a few sentences."""
    settings, walked = study.settings, study.walk_forward
    symbols = listed(walked.symbols, most=5)
    centre = study.surface.plateau.centre
    found = (
        f"a plateau around {parameters_text(centre.parameters)}"
        if centre
        else "no plateau, so nothing is recommended"
    )
    mine = written(walked.performance.sharpe_ratio, Unit.RATIO)
    holding = written(walked.benchmark_performance.sharpe_ratio, Unit.RATIO)
    return (
        f"{settings.title} on {symbols}, {settings.trials:,} trials: {found}. Chosen without "
        f"hindsight, its parameters earned a Sharpe ratio of {mine} out of sample "
        f"({holding} for holding), {luck(study)}."
    )


def luck(study: Optimization) -> str:
    """Say how much of the best trial may be luck."""
    odds, skill = (
        "not defined" if math.isnan(each) else written(each, Unit.FRACTION)
        for each in (
            study.overfitting.probability_of_overfitting,
            study.overfitting.deflated_sharpe_ratio,
        )
    )
    reason = f" ({study.overfitting.reason})" if study.overfitting.reason else ""
    return (
        f"the probability of overfitting is {odds}{reason}, and the probability that the best "
        f"trial is beyond luck is {skill}, all trials counted"
    )


def _accounts(study: Optimization) -> str:
    """Say how several symbols share an account."""
    if len(study.bars.symbols) == 1:
        return "All figures are net of costs."
    if strategy(study.settings.strategy).joint:
        return "All symbols share one account, net of costs."
    return (
        "The search trades each symbol in an equal sleeve of its own; the accounts out of sample "
        "hold all symbols together, each with an equal part. All figures are net of costs."
    )


def _validated(settings: StudySettings) -> str:
    """Say which trials serve what."""
    if settings.method is settings.validation_method:
        return f"Searched and validated among the same {validation_text(settings)}."
    return (
        f"A search by {METHODS[settings.method.value]} is led by scores over the whole history, "
        "so its trials serve the map and the recommendation only. The walk-forward, the "
        "combinatorial cross-validation and the probability of overfitting choose among "
        f"{validation_text(settings)}, of the same space."
    )


def study_notes(study: Optimization) -> tuple[str, ...]:
    """Say what a reader must know to read the figures right."""
    settings, folds = study.settings, study.combinatorial
    notes = [
        f"Tried by {METHODS[settings.method.value]}: {settings.trials:,} trials of "
        f"{settings.asked:,} asked for. Sets of parameters that exclude each other, and those "
        "tried before, are no trials.",
        _validated(settings),
        f"Every account of the search begins on {settings.first_session}, where the longest "
        f"lookback, {settings.lookback_sessions:,} sessions, is first filled. {_accounts(study)}",
    ]
    if folds.reason:
        notes.append(f"No combinatorial cross-validation: {folds.reason}.")
    elif folds.fewest_train_sessions < LEAST_TRAINING_SESSIONS:
        notes.append(
            f"The combinatorial cross-validation is weak: one of its choices knew only "
            f"{folds.fewest_train_sessions:,} sessions, because {folds.purged_sessions:,} are kept "
            "apart on both sides of what judges it. Narrower ranges or a longer history help."
        )
    if study.surface.undefined:
        notes.append(
            f"{study.surface.undefined:,} trials lost everything and have no Sharpe ratio."
        )
    return tuple(notes)
