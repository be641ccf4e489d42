"""Every fold's model fitted and asked about the sessions it has not seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError
from slices.domain.learning import Fold, OutOfSampleScores
from slices.domain.models import Predictor
from slices.ml_strategy.fitting.models import fitted, scores_of
from slices.ml_strategy.splits.walk_forward import rows_of
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.learning import ModelKind
    from slices.domain.training import ModelParameters
    from slices.ml_strategy.examples import Examples


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldScores:
    """What the model of one fold said.

    Attributes:
        train: Positions of the examples it learnt from.
        test: Positions of the examples it scored.
        scores: Of those.
    """

    fold: Fold
    predictor: Predictor
    train: IntArray
    test: IntArray
    scores: FloatArray


def walk_scores(
    examples: Examples,
    folds: tuple[Fold, ...],
    *,
    kind: ModelKind,
    parameters: ModelParameters = (),
    seed: int,
    threads: int = 1,
) -> OutOfSampleScores:
    """Score every test session by a model that has not seen it.

    Args:
        examples: Of all sessions.
        folds: Whose test blocks share no session.
        kind: Of the models.
        parameters: Those that differ from the kind's defaults.
        seed: The same for every fold.
        threads: Folds fitted at once, each by one thread; they change nothing else.

    Raises:
        ParameterError: Where a session is tested twice: it has one score.
        InsufficientHistoryError: Where a fold has too little to learn from.
    """
    walked = walk(examples, folds, kind=kind, parameters=parameters, seed=seed, threads=threads)
    return stitched(examples, walked, kind=kind)


def walk(
    examples: Examples,
    folds: tuple[Fold, ...],
    *,
    kind: ModelKind,
    parameters: ModelParameters = (),
    seed: int,
    threads: int = 1,
) -> tuple[FoldScores, ...]:
    """Fit and ask a model for every fold, in the order of the folds."""

    def walked(fold: Fold) -> FoldScores:
        return fold_scores(examples, fold, kind=kind, parameters=parameters, seed=seed)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return tuple(pool.map(walked, folds))


def fold_scores(
    examples: Examples, fold: Fold, *, kind: ModelKind, parameters: ModelParameters, seed: int
) -> FoldScores:
    """Fit a model to the sessions a fold trains on and ask it about those it tests."""
    train, test = rows_of(examples, fold)
    predictor = fitted(kind, examples, train, parameters=parameters, seed=seed)
    scores = scores_of(predictor, examples.features[test], examples.names)
    return FoldScores(fold=fold, predictor=predictor, train=train, test=test, scores=scores)


def stitched(
    examples: Examples, walked: tuple[FoldScores, ...], *, kind: ModelKind
) -> OutOfSampleScores:
    """Set the scores of all folds side by side, sessions rising.

    Raises:
        ParameterError: Where a session is tested twice.
    """
    sessions = np.concatenate([each.fold.test for each in walked])
    numbers = np.concatenate([np.full(each.fold.test.size, each.fold.number) for each in walked])
    order = np.argsort(sessions, kind="stable")
    sessions = sessions[order]
    _check_once(sessions)
    scores = np.full(examples.row.size, np.nan)
    for each in walked:
        scores[each.test] = each.scores
    return OutOfSampleScores(
        kind=kind,
        symbols=examples.symbols,
        sessions=tuple(examples.sessions[place] for place in sessions),
        scores=examples.matrix(scores)[sessions],
        labels=examples.matrix(examples.label)[sessions],
        forward_returns=examples.matrix(examples.forward_return)[sessions],
        volatilities=examples.matrix(examples.volatility)[sessions],
        folds=numbers[order].astype(np.int64),
    )


def _check_once(sessions: IntArray) -> None:
    twice = int((np.diff(sessions) == 0).sum())
    if twice:
        raise ParameterError(
            parameter="folds", found=f"{twice} sessions tested twice", allowed="each session once"
        )
