"""Whether the predictions in the ledger are those the model makes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from slices.domain.model_monitoring import RecordedPredictions
from slices.ledger.opening import books_of
from slices.ledger.predictions import read_predictions
from slices.ml_strategy.predicting.recording import mature_predictions

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import PredictionRecord
    from slices.domain.learning import OutOfSampleScores
    from slices.domain.models import LoadedModel
    from slices.quant.types import FloatArray

TOLERANCE = 1e-6
"""Relative to the largest score; another processor may round the last digits otherwise."""


def recorded_predictions(
    bars: DatasetRef, champion: LoadedModel, *, execution: Literal["paper", "live"]
) -> tuple[PredictionRecord, ...]:
    """Write down what came of a champion's predictions, and list them.

    Args:
        bars: Up to the newest session that is known.
        champion: Whose predictions.
        execution: Whose books.
    """
    version = champion.version
    mature_predictions(bars, champion, execution=execution)
    with books_of(execution) as ledger:
        return read_predictions(ledger, model=version.name, version=version.version)


def compared_predictions(
    records: tuple[PredictionRecord, ...], since: OutOfSampleScores
) -> RecordedPredictions:
    """Make recorded predictions again and compare scores and outcomes.

    Args:
        records: Of this version of the model.
        since: What it says now of the sessions after its training; records of other sessions and
            symbols cannot be made again and are only counted as written.
    """
    columns = {symbol: place for place, symbol in enumerate(since.symbols)}
    rows = {session: place for place, session in enumerate(since.sessions)}
    said = [each for each in records if each.session in rows and each.symbol in columns]
    places = [(rows[each.session], columns[each.symbol]) for each in said]
    differences = [
        abs(each.score - float(since.scores[place]))
        for each, place in zip(said, places, strict=True)
    ]
    scale = _largest(since.scores)
    wrong = [
        each
        for each, found in zip(said, differences, strict=True)
        if not found <= TOLERANCE * max(scale, 1e-12)
    ]
    return RecordedPredictions(
        recorded=len(said),
        matured=sum(math.isfinite(each.label) for each in said),
        differing=len(wrong),
        largest=max(differences, default=0.0),
        first_differing=f"{wrong[0].symbol} on {wrong[0].session}" if wrong else "",
        written=len(records),
        waiting=sum(not math.isfinite(each.label) for each in records),
    )


def _largest(scores: FloatArray) -> float:
    return float(np.nanmax(np.abs(scores))) if np.isfinite(scores).any() else 0.0
