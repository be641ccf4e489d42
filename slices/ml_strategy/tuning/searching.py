"""A few trials by Optuna, on what was known before the first session that will test.

The trials are judged by a walk-forward of their own within those sessions, purged likewise; none of
them sees a session on which the result will be judged. How many there were belongs to the result:
the best of many looks good without being so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.learning import DEFAULT_LABEL, DEFAULT_SPLITS
from slices.domain.training import TrialRow, TrialState, Tuned
from slices.ml_strategy.fitting.parameters import completed, default_parameters
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.leaks.structure import check_folds
from slices.ml_strategy.skill.coefficients import session_ics
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.ml_strategy.tuning.spaces import space_of, suggested
from slices.ml_strategy.validation.walking import fold_scores, stitched

if TYPE_CHECKING:
    import optuna

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import (
        FeatureSetRef,
        Fold,
        LabelSettings,
        ModelKind,
        SplitSettings,
    )
    from slices.domain.training import ModelParameters
    from slices.ml_strategy.examples import Examples

INNER_FOLDS = 4
FEWEST_FOLDS = 2
FEWEST_TRAIN_SESSIONS = 120
UNPRUNED_TRIALS = 4
DEFAULT_TRIALS = 12


def tune(
    bars: DatasetRef,
    features: FeatureSetRef,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    kind: ModelKind,
    trials: int = DEFAULT_TRIALS,
    seed: int = 0,
) -> Tuned:
    """Search for parameters of a kind of model on sessions before the first that tests.

    Args:
        bars: The symbols.
        features: Built from these bars.
        label: What is predicted.
        splits: Of the validation to come; its first training is all that is known here.
        kind: Of the models.
        trials: Sets of parameters to try, the defaults among them; 0 takes the defaults untried.
        seed: Of the suggestions and the models.
    """
    return tuned(
        examples_of(bars, features, label),
        label=label, splits=splits, kind=kind, trials=trials, seed=seed,
    )  # fmt: skip


def tuned(
    examples: Examples,
    *,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    kind: ModelKind,
    trials: int = DEFAULT_TRIALS,
    seed: int = 0,
) -> Tuned:
    """Search on examples in memory; see `tune`."""
    known = known_before(examples, splits.first_train_sessions)
    sessions = len(known.sessions)
    reason = _obstacle(sessions, splits, label=label, kind=kind, trials=trials)
    if reason:
        return Tuned(
            kind=kind, parameters=default_parameters(kind), trials=(), sessions=0, reason=reason
        )
    folds = _inner_folds(known, splits, label=label)
    search = _Search(known, folds, kind=kind, seed=seed)
    rows = search.made(trials)
    best = max(
        (each for each in rows if each.state is TrialState.COMPLETE),
        key=lambda each: (each.value, -each.number),
    )
    return Tuned(kind=kind, parameters=best.parameters, trials=rows, sessions=sessions)


def known_before(examples: Examples, stop: int) -> Examples:
    """Return the examples as they were known at the close before a session.

    Args:
        examples: Of all sessions.
        stop: Position of the session; labels that need its close, or a later one, are unknown.
    """
    earlier = examples.chosen(examples.row < stop)
    is_open = earlier.last >= stop
    return replace(
        earlier,
        sessions=examples.sessions[:stop],
        label=np.where(is_open, np.nan, earlier.label),
        forward_return=np.where(is_open, np.nan, earlier.forward_return),
    )


def _obstacle(
    sessions: int, splits: SplitSettings, *, label: LabelSettings, kind: ModelKind, trials: int
) -> str:
    if not trials:
        return "no trial was wanted"
    if not space_of(kind):
        return f"{kind} has nothing to tune"
    trained = FEWEST_TRAIN_SESSIONS + label.reach + splits.embargo_sessions
    needed = 2 * max(trained, FEWEST_FOLDS * label.reach)
    if sessions < needed:
        return f"{needed} sessions before the first that tests are needed, found {sessions}"
    return ""


def _inner_folds(
    known: Examples, splits: SplitSettings, *, label: LabelSettings
) -> tuple[Fold, ...]:
    sessions = len(known.sessions)
    room = sessions - sessions // 2
    inner = splits.model_copy(
        update={
            "folds": min(INNER_FOLDS, room // label.reach),
            "first_train_sessions": sessions // 2,
        }
    )
    folds = walk_forward_folds(known, inner, label=label)
    check_folds(known, folds)
    return folds


class _Search:
    """A study in memory over one kind of model."""

    def __init__(
        self, known: Examples, folds: tuple[Fold, ...], *, kind: ModelKind, seed: int
    ) -> None:
        self.known = known
        self.folds = folds
        self.kind = kind
        self.seed = seed

    def made(self, trials: int) -> tuple[TrialRow, ...]:
        """Make the trials one after the other, the defaults first."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=UNPRUNED_TRIALS),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS, n_warmup_steps=0),
        )
        study.enqueue_trial(dict(default_parameters(self.kind)))
        return tuple(self._made(study) for _ in range(trials))

    def _made(self, study: optuna.Study) -> TrialRow:
        from optuna.trial import TrialState as End

        trial = study.ask()
        parameters = completed(self.kind, suggested(trial, space_of(self.kind)))
        value, folds = self._value(trial, parameters)
        is_whole = folds == len(self.folds)
        study.tell(trial, value if is_whole else None, End.COMPLETE if is_whole else End.PRUNED)
        return TrialRow(
            number=trial.number,
            state=TrialState.COMPLETE if is_whole else TrialState.PRUNED,
            value=value,
            folds=folds,
            parameters=parameters,
        )

    def _value(self, trial: optuna.Trial, parameters: ModelParameters) -> tuple[float, int]:
        """Return the mean rank correlation and on how many folds it stands."""
        found: list[float] = []
        for count, fold in enumerate(self.folds, start=1):
            walked = fold_scores(
                self.known, fold, kind=self.kind, parameters=parameters, seed=self.seed
            )
            found.extend(session_ics(stitched(self.known, (walked,), kind=self.kind)).tolist())
            value = _mean(found)
            trial.report(value, step=count)
            if count < len(self.folds) and trial.should_prune():
                return value, count
        return value, len(self.folds)


def _mean(coefficients: list[float]) -> float:
    """Average what is defined; scores that say nothing at all are worth nothing."""
    known = np.array(coefficients)[np.isfinite(coefficients)]
    return float(known.mean()) if known.size else 0.0
