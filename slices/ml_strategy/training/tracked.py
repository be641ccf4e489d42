"""A training as one tracked run with its candidates below it, and its model as a version."""

from __future__ import annotations

import dataclasses
import math
from importlib.metadata import version as installed
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.fingerprint import fingerprint
from slices.domain.learning import ModelKind
from slices.ml_strategy.bundles.files import TREES, bundle_files
from slices.ml_strategy.features.building import read_features
from slices.ml_strategy.training.paths import path_metrics, path_series
from slices.ml_strategy.training.tables import parameters_text
from slices.ml_strategy.training.wording import kind_text
from slices.runtime import mlflow_store, registry, tracking
from slices.runtime.artifacts import current_run
from slices.runtime.links import flow_run_url
from slices.runtime.model_files import TrackedModel, digest_of, manifest_of
from slices.runtime.sources import code_version
from slices.runtime.tracking import TrackedData, TrackedPart, TrackedRun

if TYPE_CHECKING:
    from slices.domain.learning import FeatureSetRef, Skill
    from slices.domain.model_training import Candidate, ModelTraining
    from slices.domain.models import ModelBundle, ModelVersion

EXPERIMENT = "ml-model-training"
BOOSTED = (ModelKind.LIGHTGBM, ModelKind.RANDOM_FOREST)
Pictures = tuple[tuple[str, str], ...]
"""Names of files and drawings as SVG."""


def open_tracking() -> str:
    """Make the store of tracked runs ready, which takes seconds the first time on a machine."""
    return mlflow_store.open_tracking()


def track_training(
    training: ModelTraining, bundle: ModelBundle, features: FeatureSetRef, *, pictures: Pictures
) -> ModelTraining:
    """Keep a training as one tracked run, or find the one there is.

    Args:
        training: The findings.
        bundle: What was trained.
        features: That it learnt from.
        pictures: Kept with the run.

    Returns:
        The training with the run's id.
    """
    run = training_run(training, bundle, features, pictures=pictures)
    return dataclasses.replace(training, mlflow_run_id=tracking.track(run))


def register_training(training: ModelTraining, bundle: ModelBundle) -> ModelVersion:
    """Register the model of a tracked training, or find the version there is."""
    skill = training.best.skill
    return registry.register(
        bundle.name,
        run_id=training.mlflow_run_id,
        files=bundle_files(bundle),
        key=training_key(training, bundle),
        about=(
            ("kind", bundle.predictor.kind.value),
            ("trained_until", str(bundle.trained_until)),
            ("known_until", str(bundle.known_until)),
            ("information_coefficient", f"{skill.information_coefficient:.4f}"),
            ("data", bundle.data_fingerprint),
            ("features", bundle.definition),
            ("code", bundle.code_version),
            ("believable", "SUSPECT" if skill.suspicions else "yes"),
        ),
    )


def training_key(training: ModelTraining, bundle: ModelBundle) -> str:
    """Digest what a training depends on and what it came to; equal ones are one run."""
    return fingerprint(
        training.settings,
        training.candidates,
        training.evidence,
        digest_of(manifest_of(bundle_files(bundle))),
        code_version(),
    )


def training_run(
    training: ModelTraining, bundle: ModelBundle, features: FeatureSetRef, *, pictures: Pictures
) -> TrackedRun:
    """Describe a training as a tracked run."""
    skill, evidence = training.best.skill, training.evidence
    return TrackedRun(
        experiment=EXPERIMENT,
        key=training_key(training, bundle),
        main=TrackedPart(
            name=f"{bundle.name} {kind_text(training.chosen)} {bundle.known_until}",
            parameters=_parameters(training, bundle),
            metrics=(
                *skill_metrics(skill),
                ("deflated_sharpe_ratio", evidence.deflated_sharpe_ratio),
                ("needed_t_statistic", evidence.needed_t),
                ("trials", float(evidence.trials)),
                *((f"canary.{each.name}", each.found) for each in evidence.canaries),
                *path_metrics(evidence.paths),
            ),
            tags=_tags(training, bundle),
            series=(*_series(training.best), *path_series(evidence.paths)),
            note=_note(training),
        ),
        tables=_tables(training),
        nested=tuple(_nested(each) for each in training.candidates),
        datasets=_datasets(training, features),
        files=tuple((name, svg.encode()) for name, svg in pictures),
        model=_model(bundle, features),
    )


def skill_metrics(skill: Skill) -> tuple[tuple[str, float], ...]:
    """List the figures of a skill by name; those that are not defined are left out."""
    found = (
        ("information_coefficient", skill.information_coefficient),
        ("icir", skill.icir),
        ("t_statistic", skill.t_statistic),
        ("auc", skill.auc),
        ("hit_rate", skill.hit_rate),
        ("gross_sharpe_ratio", skill.gross_sharpe_ratio),
        ("net_sharpe_ratio", skill.net_sharpe_ratio),
        ("annual_turnover", skill.annual_turnover),
    )
    return tuple((name, value) for name, value in found if math.isfinite(value))


def _parameters(training: ModelTraining, bundle: ModelBundle) -> tuple[tuple[str, str], ...]:
    settings = training.settings
    groups = (("label", settings.label), ("splits", settings.splits), ("costs", settings.costs))
    return (
        ("model", settings.model),
        ("kind", training.chosen.value),
        ("kinds", " ".join(settings.kinds)),
        ("symbols", " ".join(bundle.symbols)),
        ("features", str(settings.features)),
        ("trials_a_kind", str(settings.trials)),
        ("seed", str(settings.seed)),
        ("first_session", str(settings.first_session)),
        ("last_session", str(settings.last_session)),
        ("trained_from", str(bundle.trained_from)),
        ("trained_until", str(bundle.trained_until)),
        *((f"model.{name}", f"{value:g}") for name, value in training.best.parameters),
        *(
            (f"{group}.{name}", str(value))
            for group, values in groups
            for name, value in values.model_dump(exclude_none=True).items()
        ),
    )


def _tags(training: ModelTraining, bundle: ModelBundle) -> tuple[tuple[str, str], ...]:
    return (
        ("tradeflows.data", bundle.data_fingerprint),
        ("tradeflows.features", bundle.definition),
        ("tradeflows.code", bundle.code_version),
        ("tradeflows.kind", bundle.predictor.kind.value),
        ("tradeflows.believable", "SUSPECT" if training.best.skill.suspicions else "yes"),
    )


def _series(candidate: Candidate) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """List figures fold by fold; one that is not defined in every fold is left out."""
    folds = [dict(skill_metrics(each.skill)) for each in candidate.folds]
    common = [name for name in folds[0] if all(name in each for each in folds)] if folds else []
    return tuple((f"fold.{name}", tuple(each[name] for each in folds)) for name in common)


def _nested(candidate: Candidate) -> TrackedPart:
    return TrackedPart(
        name=kind_text(candidate.kind),
        parameters=(
            ("kind", candidate.kind.value),
            *((f"model.{name}", f"{value:g}") for name, value in candidate.parameters),
        ),
        metrics=(*skill_metrics(candidate.skill), ("tuning_trials", float(len(candidate.tuned)))),
        tags=(("tradeflows.kind", candidate.kind.value),),
        series=_series(candidate),
    )


def _tables(training: ModelTraining) -> tuple[tuple[str, pl.DataFrame], ...]:
    trials = [
        {
            "kind": candidate.kind.value,
            "trial": each.number,
            "state": each.state.value,
            "information_coefficient": each.value,
            "folds": each.folds,
            "parameters": parameters_text(each.parameters),
        }
        for candidate in training.candidates
        for each in candidate.tuned
    ]
    folds = [
        {
            "kind": candidate.kind.value,
            "fold": each.number,
            "first_session": each.first_session,
            "last_session": each.last_session,
            "train_rows": each.train_rows,
            "test_rows": each.test_rows,
            "purged_sessions": each.purged_sessions,
            "information_coefficient": each.skill.information_coefficient,
            "auc": each.skill.auc,
            "net_sharpe_ratio": each.skill.net_sharpe_ratio,
        }
        for candidate in training.candidates
        for each in candidate.folds
    ]
    shares = dict(training.best.contributions)
    importances = [
        {"feature": name, "gain_share": share, "mean_contribution": shares.get(name, 0.0)}
        for name, share in training.best.importances
    ]
    made = (("tuning", trials), ("folds", folds), ("importances", importances))
    return tuple((name, pl.DataFrame(rows)) for name, rows in made if rows)


def _datasets(training: ModelTraining, features: FeatureSetRef) -> tuple[TrackedData, ...]:
    bars = training.bars
    reach = (("first_session", str(bars.first_session)), ("last_session", str(bars.last_session)))
    return (
        TrackedData(
            name=f"bars {bars.feed}",
            digest=bars.fingerprint,
            source=f"{bars.source}/{bars.feed}, {bars.adjustment.value} prices",
            columns=tuple(name for name in bars.shape.schema if name not in ("session", "symbol")),
            profile=(("rows", str(bars.rows)), ("symbols", str(len(bars.symbols))), *reach),
        ),
        TrackedData(
            name="features",
            digest=features.fingerprint,
            source=f"definition {features.definition}, from bars {features.data_fingerprint}",
            columns=features.names,
            profile=(("rows", str(features.rows)), ("features", str(len(features.names))), *reach),
        ),
    )


def _model(bundle: ModelBundle, features: FeatureSetRef) -> TrackedModel:
    kind = bundle.predictor.kind
    library = "lightgbm" if kind in BOOSTED else "numpy"
    newest = read_features(features).row(-1, named=True)
    return TrackedModel(
        kind=kind.value,
        files=bundle_files(bundle),
        inputs=bundle.predictor.names,
        example=tuple(_number(newest[name]) for name in bundle.predictor.names),
        booster=TREES if kind in BOOSTED else "",
        requirements=(f"{library}=={installed(library)}",),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.floating) else math.nan


def _note(training: ModelTraining) -> str:
    """Write what MLflow shows first on the run's page, with the way back to the flow run."""
    run = current_run()
    url = flow_run_url(run.run_id)
    made = f"[{run.flow} {run.run_id[:8]}]({url})" if url else (run.run_id or "outside of a flow")
    rows = [f"| {name} | {value} |" for name, value in training.summary if "judged" not in value]
    canaries = [
        f"- {each.name}: {each.found:.3g} (allowed {each.allowed})"
        + (" **SINGS**" if each.is_singing else "")
        for each in training.evidence.canaries
    ]
    return "\n".join(
        [
            f"**{training.headline.replace('; not judged yet', '')}**", "",
            f"Prefect run: {made}", "", "| | |", "| :-- | :-- |", *rows, "",
            "Canaries:", "", *canaries,
        ]
    )  # fmt: skip
