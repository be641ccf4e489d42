"""What an earlier version had said of sessions that a new one knew from its training.

A model that takes over has no say about the sessions before its training ended. The account holds
what the version before said of them, and goes on holding it until those predictions mature: on the
day of a handover only the newest part is decided by the new version. What was said is read from the
books as it was written at the close of each session, and never made again.

Whose records stand: those of the newest earlier version of the same model that has any of that
session, whether it is retired by now or not. Predictions that have matured at the newest session
stand no more. Where there are none, the part is cash.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from slices.domain.forecasts import Forecast
from slices.domain.models import LoadedModel, ModelRefusal
from slices.ledger.opening import books_of
from slices.ledger.predictions import read_predictions
from slices.runtime import registry

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from slices.domain.accounts import Execution
    from slices.domain.forecasts import Forecasts, PredictionRecord
    from slices.domain.models import ModelVersion


def stand_in(
    model: LoadedModel | ModelRefusal,
    history: tuple[Forecasts, ...],
    *,
    execution: Execution = "paper",
) -> tuple[Forecasts, ...]:
    """Let what earlier versions said stand for sessions that a model knew from its training.

    Args:
        model: Who was asked.
        history: What it said, the newest session last.
        execution: Whose books are read; those of paper accounts for `plan`.

    Returns:
        The history, where a session before the end of the training has the recorded predictions of
        an earlier version instead of a refusal, if there are any that have not matured. Where the
        model was not asked at the newest session, nothing is read.
    """
    if isinstance(model, ModelRefusal) or history[-1].refusals:
        return history
    known = tuple(e.session for e in history[:-1] if e.session < model.bundle.known_until)
    if not known:
        return history
    with books_of(execution) as ledger:
        found = read_predictions(ledger, model=model.version.name, sessions=known)
    standing = standing_records(found, before=model.version.version, at=history[-1].session)
    versions = registry.versions(model.version.name) if standing else ()
    return tuple(
        _said_by(each, standing[each.session], versions) if each.session in standing else each
        for each in history
    )


def standing_records(
    records: Iterable[PredictionRecord], *, before: int, at: dt.date
) -> dict[dt.date, tuple[PredictionRecord, ...]]:
    """Choose whose records of each session stand; see the text of this module.

    Args:
        records: Of one model, at any sessions.
        before: The version that took over.
        at: The newest session.
    """
    groups: dict[dt.date, tuple[PredictionRecord, ...]] = {}
    for each in sorted(records, key=lambda each: (each.session, each.version, each.symbol)):
        if each.version < before:
            chosen = groups.get(each.session, ())
            is_newer = not chosen or chosen[0].version < each.version
            groups[each.session] = (each,) if is_newer else (*chosen, each)
    return {day: group for day, group in groups.items() if group[0].matures > at}


def recorded_forecast(record: PredictionRecord) -> Forecast:
    """Return a prediction of the books as it was said.

    The bounds of its decision are not written down and are not known, but for the side of zero
    they are on: a prediction that does not abstain was sure of the sign it has.
    """
    return Forecast(
        symbol=record.symbol,
        score=record.score,
        probability=record.probability,
        expected_return=record.expected_return,
        lower=record.lower,
        upper=record.upper,
        decision_lower=math.nan,
        decision_upper=math.nan,
        abstains=record.abstains,
    )


def _said_by(
    blank: Forecasts, records: tuple[PredictionRecord, ...], versions: tuple[ModelVersion, ...]
) -> Forecasts:
    """Put recorded predictions in the place of a refusal."""
    numbered = {each.version: each for each in versions}
    return replace(
        blank,
        model=numbered.get(records[0].version),
        matures=records[0].matures,
        forecasts=tuple(map(recorded_forecast, records)),
        refusals=(),
        definition="",
        data_fingerprint="",
    )
