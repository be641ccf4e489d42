"""A training as a result: its answer, its figures and its report."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.data_report import data_caveats, data_notes
from slices.domain.model_training import (
    Candidate,
    ModelTraining,
    TrainingEvidence,
    TrainingSettings,
)
from slices.domain.report import Report
from slices.ml_strategy.skill.coefficients import newey_west_t, session_ics
from slices.ml_strategy.skill.portfolio import long_short
from slices.ml_strategy.training.choosing import trials_of
from slices.ml_strategy.training.conditions import deflated_t, lags_of
from slices.ml_strategy.training.sections import figures, sections
from slices.ml_strategy.training.wording import headline, notes, report_notes, summary
from slices.quant.panel import read_panel
from slices.quant.validity.sharpe import deflated_sharpe_ratio, sharpe_variance_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import Canary, FeatureSetRef, LabelSettings, SplitSettings
    from slices.domain.models import ModelBundle, Promotion
    from slices.domain.parameters import Costs
    from slices.domain.training import PathEvidence, Tuned, Validation
    from slices.ml_strategy.leaks.features import FeatureProof

EMPTY = Report(
    key="ml-model-training", title="Can it be learnt, honestly?", headline="", figures=(),
    notes=(), sections=(), chart="cumulative-ic", provenance=(),
)  # fmt: skip


def training_findings(
    bars: DatasetRef,
    features: FeatureSetRef,
    *,
    proof: FeatureProof,
    tuned: Sequence[Tuned],
    validations: Sequence[Validation],
    canaries: tuple[Canary, ...],
    bundle: ModelBundle,
    splits: SplitSettings,
    costs: Costs,
    paths: PathEvidence | None = None,
) -> ModelTraining:
    """Put the parts of a training together, before anybody has judged whether it may trade.

    Args:
        bars: The data.
        features: That were learnt from.
        proof: That they are free of look-ahead.
        tuned: What was tried for every kind.
        validations: Of every kind, in the same order.
        canaries: Of the chosen kind.
        bundle: What was trained in the end.
        splits: Of the validation.
        costs: Of the portfolio that tests the scores.
        paths: Of the chosen kind through combinations of blocks, where they were asked for.
    """
    chosen = bundle.predictor.kind
    winner = next(each for each in validations if each.kind is chosen)
    training = ModelTraining(
        headline="",
        caveats=data_caveats(bars),
        summary=(),
        report=EMPTY,
        bars=bars,
        settings=_settings(features, bundle, validations, tuned, splits=splits, costs=costs),
        candidates=tuple(map(_candidate, validations, tuned)),
        chosen=chosen,
        evidence=TrainingEvidence(
            trials=trials_of(tuned),
            judged_t=newey_west_t(session_ics(winner.scores), lags_of(bundle.label)),
            needed_t=deflated_t(trials_of(tuned)),
            deflated_sharpe_ratio=_deflated(
                bars, winner, validations, label=bundle.label, costs=costs, trials=trials_of(tuned)
            ),
            proven_features=len(proof.features),
            compared_cells=proof.cells,
            canaries=canaries,
            paths=paths,
        ),
    )
    return _reported(training)


def concluded(training: ModelTraining, promotion: Promotion) -> ModelTraining:
    """Say what became of a training.

    Args:
        training: The findings, tracked.
        promotion: Every test, and who trades.
    """
    return _reported(dataclasses.replace(training, version=promotion.version, promotion=promotion))


def _reported(training: ModelTraining) -> ModelTraining:
    said = (*notes(training), *data_notes(training.bars))
    return dataclasses.replace(
        training,
        headline=headline(training),
        summary=summary(training),
        notes=said,
        report=dataclasses.replace(
            EMPTY,
            headline=headline(training),
            figures=figures(training),
            notes=report_notes(training, said),
            sections=sections(training),
        ),
    )


def _settings(
    features: FeatureSetRef,
    bundle: ModelBundle,
    validations: Sequence[Validation],
    tuned: Sequence[Tuned],
    *,
    splits: SplitSettings,
    costs: Costs,
) -> TrainingSettings:
    return TrainingSettings(
        model=bundle.name,
        kinds=tuple(each.kind for each in validations),
        label=bundle.label,
        splits=splits,
        costs=costs,
        trials=max(len(each.trials) for each in tuned),
        seed=bundle.seed,
        features=len(features.names),
        definition=features.definition,
        first_session=features.first_session,
        last_session=features.last_session,
        examples=features.rows,
    )


def _candidate(validation: Validation, tuned: Tuned) -> Candidate:
    found = session_ics(validation.scores)
    known = np.isfinite(found)
    sessions = zip(validation.scores.sessions, known, strict=True)
    return Candidate(
        kind=validation.kind,
        parameters=validation.parameters,
        skill=validation.skill,
        folds=validation.folds,
        tuned=tuned.trials,
        importances=validation.importances,
        contributions=validation.contributions,
        sessions=tuple(session for session, is_known in sessions if is_known),
        coefficients=tuple(found[known].tolist()),
    )


def _deflated(
    bars: DatasetRef,
    winner: Validation,
    validations: Sequence[Validation],
    *,
    label: LabelSettings,
    costs: Costs,
    trials: int,
) -> float:
    """Deflate the net Sharpe ratio of the test portfolio for every trial made."""
    traded = long_short(winner.scores, read_panel(bars), label=label, costs=costs)
    sharpes = np.array([each.skill.net_sharpe_ratio for each in validations])
    return deflated_sharpe_ratio(
        traded.net_returns,
        trials=trials,
        trial_variance=sharpe_variance_of(sharpes / np.sqrt(traded.periods_per_year)),
    )
