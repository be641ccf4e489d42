"""A study as one tracked run: what was searched, what it found, every trial in a table."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import polars as pl

from slices.domain.fingerprint import fingerprint
from slices.optimize.space import value_at
from slices.optimize.wording import parameters_text, value_text
from slices.runtime import mlflow_store, tracking
from slices.runtime.artifacts import current_run
from slices.runtime.sources import code_version
from slices.runtime.tracking import TrackedPart, TrackedRun

if TYPE_CHECKING:
    from slices.domain.studies import Optimization, Trial
    from slices.optimize.trials import Trials

NESTED = 5


def open_tracking() -> str:
    """Make the store of tracked runs ready, which takes seconds the first time on a machine."""
    return mlflow_store.open_tracking()


def track_study(study: Optimization, trials: Trials) -> Optimization:
    """Keep a study as one tracked run, or find the one there is.

    Returns:
        The study with the run's id.
    """
    return dataclasses.replace(study, mlflow_run_id=tracking.track(study_run(study, trials)))


def study_run(study: Optimization, trials: Trials) -> TrackedRun:
    """Describe a study as a tracked run with its best trials below it."""
    settings = study.settings
    name = f"{settings.strategy.value} {'+'.join(study.bars.symbols[:5])}"
    nested = [study.surface.best, *study.surface.top[: NESTED - 1]]
    if study.surface.plateau.centre:
        nested.insert(0, study.surface.plateau.centre)
    return TrackedRun(
        experiment="optimization",
        key=fingerprint(settings.key, study.folds, code_version()),
        main=TrackedPart(
            name=name,
            parameters=_parameters(study, trials),
            metrics=_metrics(study),
            tags=(
                ("tradeflows.study", settings.key),
                ("tradeflows.data", study.bars.fingerprint),
                ("tradeflows.code", code_version()),
                ("tradeflows.prefect_run", current_run().run_id),
            ),
        ),
        tables=(("trials", trial_frame(trials)),),
        nested=tuple(
            _nested(each) for each in {each.number: each for each in nested[:NESTED]}.values()
        ),
    )


def _parameters(study: Optimization, trials: Trials) -> tuple[tuple[str, str], ...]:
    settings, costs = study.settings, trials.plan.costs
    ranges = [
        (f"range.{name}", f"{value_text(low)} to {value_text(high)}, {count} values")
        for name, low, high, count in settings.dimensions
    ]
    return (
        ("strategy", settings.strategy.value),
        ("symbols", " ".join(study.bars.symbols)),
        ("method", settings.method.value),
        ("trials", str(settings.trials)),
        ("validation_method", settings.validation_method.value),
        ("validation_trials", str(settings.validation_trials)),
        ("seed", str(settings.seed)),
        ("capital", f"{settings.capital:g}"),
        ("first_session", str(settings.first_session)),
        ("last_session", str(settings.last_session)),
        *ranges,
        *((f"fixed.{name}", value_text(value)) for name, value in settings.fixed),
        *(
            (f"costs.{name}", f"{value:g}")
            for name, value in costs.model_dump(exclude_none=True).items()
        ),
    )


def _metrics(study: Optimization) -> tuple[tuple[str, float], ...]:
    luck, walked, plateau = study.overfitting, study.walk_forward, study.surface.plateau
    centre = (("plateau_sharpe", plateau.centre.sharpe_ratio),) if plateau.centre else ()
    return (
        ("best_sharpe", luck.best_sharpe),
        *centre,
        ("best_smoothed_sharpe", plateau.best_smoothed),
        ("out_of_sample_sharpe", walked.performance.sharpe_ratio),
        ("out_of_sample_annualized_return", walked.performance.annualized_return),
        ("out_of_sample_max_drawdown", walked.performance.max_drawdown),
        ("benchmark_sharpe", walked.benchmark_performance.sharpe_ratio),
        ("probability_of_overfitting", luck.probability_of_overfitting),
        ("deflated_sharpe_ratio", luck.deflated_sharpe_ratio),
    )


def _nested(trial: Trial) -> TrackedPart:
    return TrackedPart(
        name=f"trial {trial.number}: {parameters_text(trial.parameters)}",
        parameters=tuple((name, value_text(value)) for name, value in trial.parameters),
        metrics=(
            ("sharpe", trial.sharpe_ratio),
            ("smoothed_sharpe", trial.smoothed_sharpe),
            ("final_equity", trial.final_equity),
            ("trades", float(trial.trades)),
            ("max_drawdown", trial.max_drawdown),
        ),
    )


def trial_frame(trials: Trials) -> pl.DataFrame:
    """Tabulate every trial, a row each in the order in which they were planned."""
    found = trials.sweep
    varied = {
        each.name: [value_at(each, point) for point in trials.points[:, place].tolist()]
        for place, each in enumerate(trials.plan.space.dimensions)
    }
    figures = {
        "sharpe_ratio": found.sharpe_ratio,
        "final_equity": found.final_equity,
        "trades": found.trades,
        "max_drawdown": found.max_drawdown,
    }
    return pl.DataFrame(varied | figures)
