"""Predictions in the books beside those the model makes again."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np

from slices.domain.forecasts import PredictionRecord
from slices.domain.learning import ModelKind, OutOfSampleScores
from slices.domain.model_monitoring import CheckState
from slices.ml_strategy.monitoring.recorded import compared_predictions
from slices.ml_strategy.monitoring.watching import recorded_check

FIRST, SESSIONS, SYMBOLS = dt.date(2010, 1, 4), 10, 20


def scored(*, first: int = 0) -> OutOfSampleScores:
    """Draw scores of sessions that begin so many days after the first date."""
    scores, returns = np.random.default_rng(1).normal(size=(2, SESSIONS, SYMBOLS))
    return OutOfSampleScores(
        kind=ModelKind.LINEAR,
        symbols=tuple(f"S{number:02d}" for number in range(SYMBOLS)),
        sessions=tuple(FIRST + dt.timedelta(days=first + each) for each in range(SESSIONS)),
        scores=scores,
        labels=returns.argsort(axis=1).argsort(axis=1) / (SYMBOLS - 1) - 0.5,
        forward_returns=returns,
        volatilities=np.full(scores.shape, 0.02),
        folds=np.zeros(SESSIONS, dtype=np.int64),
    )


def record(
    since: OutOfSampleScores, row: int, column: int, *, off: float = 0.0
) -> PredictionRecord:
    session = since.sessions[row]
    return PredictionRecord(
        model="m",
        version=1,
        session=session,
        symbol=since.symbols[column],
        matures=session + dt.timedelta(days=6),
        score=float(since.scores[row, column]) + off,
        probability=0.5,
        expected_return=0.0,
        lower=-0.1,
        upper=0.1,
        abstains=True,
        recorded_at=dt.datetime.combine(session, dt.time(21), tzinfo=dt.UTC),
    )


def test_predictions_in_the_books_are_those_the_model_makes() -> None:
    since = scored()
    right = tuple(record(since, row, column) for row in range(5) for column in range(SYMBOLS))
    found = compared_predictions(right, since)
    assert (found.recorded, found.differing) == (5 * SYMBOLS, 0)
    assert recorded_check(found).state is CheckState.OK


def test_one_prediction_that_is_another_raises_the_alarm() -> None:
    since = scored()
    found = compared_predictions((record(since, 0, 0), record(since, 3, 7, off=0.01)), since)
    assert (found.recorded, found.differing) == (2, 1)
    assert found.first_differing == f"S07 on {since.sessions[3]}"
    assert recorded_check(found).state is CheckState.ALARM


def test_predictions_that_cannot_be_made_again_are_not_judged() -> None:
    since = scored()
    found = compared_predictions((record(scored(first=500), 0, 0),), since)
    assert found.recorded == 0
    assert recorded_check(found).state is CheckState.UNKNOWN


def test_predictions_that_wait_for_their_outcome_are_not_taken_for_none() -> None:
    since = scored()
    later = scored(first=500)
    waiting = tuple(record(later, 0, column) for column in range(SYMBOLS))
    over = dataclasses.replace(waiting[0], outcome=0.01, label=0.25)
    checks = [
        recorded_check(compared_predictions(each, since))
        for each in ((), waiting, (over, *waiting[1:]))
    ]
    assert {each.state for each in checks} == {CheckState.UNKNOWN}
    empty, unripe, ripe = (each.found for each in checks)
    assert "in the books" in empty
    assert "mature" in unripe
    assert f"{SYMBOLS}" in unripe
    assert "mature" not in ripe
    assert f"{SYMBOLS}" in ripe
