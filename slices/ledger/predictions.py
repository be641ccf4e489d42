"""Predictions in the books: recorded once, never changed, and their outcomes beside them.

A model says one thing of a symbol at a session. Whoever asks again is given what was recorded;
that a second answer differs means that data or model are not what they were, and is an error.
Interval and abstention depend on the terms of whoever asked first and stay as these were.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sqlalchemy import and_, insert, select

from slices.domain.forecasts import PredictionOutcome, PredictionRecord
from slices.domain.trading_errors import LedgerError
from slices.ledger.journal import EVERYBODY, Note, append_all, written
from slices.ledger.prediction_tables import KEY, PREDICTION_OUTCOMES, PREDICTIONS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from slices.ledger.opening import Ledger

SAID = ("score", "probability", "expected_return")
"""What two recordings of one prediction must agree in, beside when it can be checked."""

TOLERANCE = 1e-6
"""Largest difference, beside the size, between two runs of one model on other machines."""

Key = tuple[str, int, "dt.date", str]


def write_predictions(ledger: Ledger, records: Sequence[PredictionRecord]) -> int:
    """Record predictions in one transaction: all that are new, or none.

    Returns:
        How many were new.

    Raises:
        LedgerError: One was recorded before and was different, one is no finite number, or two
            are given for one symbol and session.
    """
    _check_given(ledger, records)
    with ledger.writing() as connection:
        known = {_key(each): each for each in _among(connection, records)}
        for each in records:
            _check_same(ledger, each, known.get(_key(each)))
        fresh = [each for each in records if _key(each) not in known]
        rows = [_row(each) for each in fresh]
        if rows:
            connection.execute(insert(PREDICTIONS), rows)
        for at in sorted({each.recorded_at for each in fresh}):
            of_then = [row for row in rows if row["recorded_at"] == at]
            append_all(connection, EVERYBODY, _notes("prediction.recorded", of_then), at)
        return len(fresh)


def write_outcomes(ledger: Ledger, outcomes: Sequence[PredictionOutcome]) -> int:
    """Record what came of predictions; of one that is recorded already the first stays.

    Returns:
        How many were new.

    Raises:
        LedgerError: There is no such prediction, or an outcome is no finite number.
    """
    with ledger.writing() as connection:
        told = {_key(each) for each in _among(connection, outcomes)}
        known = _known_outcomes(connection, outcomes)
        fresh = [each for each in outcomes if _key(each) not in known]
        for each in fresh:
            _check_outcome(ledger, each, is_predicted=_key(each) in told)
        rows = [vars(each) for each in fresh]
        if rows:
            connection.execute(insert(PREDICTION_OUTCOMES), rows)
        for at in sorted({each.known_at for each in fresh}):
            of_then = [row for row in rows if row["known_at"] == at]
            append_all(connection, EVERYBODY, _notes("outcome.matured", of_then), at)
        return len(fresh)


def read_predictions(
    ledger: Ledger,
    *,
    model: str,
    version: int | None = None,
    sessions: Sequence[dt.date] | None = None,
) -> tuple[PredictionRecord, ...]:
    """List what a model said, by session, version and symbol, with outcomes where known.

    Args:
        ledger: The books.
        model: Who said it.
        version: None lists all of them.
        sessions: At whose close; None lists all of them.
    """
    condition = PREDICTIONS.c.model == model
    if version is not None:
        condition &= PREDICTIONS.c.version == version
    if sessions is not None:
        condition &= PREDICTIONS.c.session.in_(sessions)
    with ledger.reading() as connection:
        return tuple(map(_record, _selected(connection, condition)))


def open_predictions(ledger: Ledger, *, model: str, until: dt.date) -> tuple[PredictionRecord, ...]:
    """List the predictions of a model that matured by a session and have no outcome yet."""
    condition = (PREDICTIONS.c.model == model) & (PREDICTIONS.c.matures <= until)
    condition &= PREDICTION_OUTCOMES.c.outcome.is_(None)
    with ledger.reading() as connection:
        return tuple(map(_record, _selected(connection, condition)))


def _selected(
    connection: Connection, condition: ColumnElement[bool]
) -> Sequence[Row[tuple[object, ...]]]:
    same = and_(*(PREDICTIONS.c[each] == PREDICTION_OUTCOMES.c[each] for each in KEY))
    query = (
        select(PREDICTIONS, PREDICTION_OUTCOMES.c.outcome, PREDICTION_OUTCOMES.c.label)
        .join(PREDICTION_OUTCOMES, same, isouter=True)
        .where(condition)
        .order_by(*(PREDICTIONS.c[each] for each in ("session", "version", "symbol")))
    )
    return connection.execute(query).all()


def _record(row: Row[tuple[object, ...]]) -> PredictionRecord:
    values = row._asdict()
    if values["outcome"] is None:
        values |= {"outcome": math.nan, "label": math.nan}
    return PredictionRecord(**values)


def _among(
    connection: Connection, wanted: Iterable[PredictionRecord | PredictionOutcome]
) -> list[PredictionRecord]:
    """Read what is recorded of the models and sessions that are asked about."""
    asked = {(each.model, each.version, each.session) for each in wanted}
    found: list[PredictionRecord] = []
    for model, version in sorted({(name, number) for name, number, _ in asked}):
        days = [day for name, number, day in asked if (name, number) == (model, version)]
        rows = PREDICTIONS.c
        condition = (rows.model == model) & (rows.version == version)
        condition &= rows.session.between(min(days), max(days))
        found += [_record(each) for each in _selected(connection, condition)]
    return found


def _known_outcomes(connection: Connection, wanted: Iterable[PredictionOutcome]) -> set[Key]:
    return {_key(each) for each in _among(connection, wanted) if not math.isnan(each.outcome)}


def _key(of: PredictionRecord | PredictionOutcome) -> Key:
    return (of.model, of.version, of.session, of.symbol)


def _row(record: PredictionRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name in PREDICTIONS.c}


def _notes(kind: str, rows: Iterable[dict[str, object]]) -> list[Note]:
    return [
        Note(
            kind=kind,
            subject="/".join(str(row[each]) for each in KEY),
            payload=tuple((name, written(value)) for name, value in row.items()),
        )
        for row in rows
    ]


def _check_given(ledger: Ledger, records: Sequence[PredictionRecord]) -> None:
    seen: set[Key] = set()
    for each in records:
        numbers = (each.score, each.probability, each.expected_return, each.lower, each.upper)
        if not all(map(math.isfinite, numbers)):
            raise LedgerError(ledger=ledger.name, problem=f"{_named(each)}: found {numbers}")
        if _key(each) in seen:
            raise LedgerError(ledger=ledger.name, problem=f"{_named(each)} is given twice")
        seen.add(_key(each))


def _check_same(ledger: Ledger, given: PredictionRecord, known: PredictionRecord | None) -> None:
    if known is None:
        return
    pairs = [(name, getattr(known, name), getattr(given, name)) for name in SAID]
    differing = [
        f"{name} {old:.9g}, now {new:.9g}"
        for name, old, new in pairs
        if not math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    ]
    if known.matures != given.matures:
        differing.append(f"matures {known.matures}, now {given.matures}")
    if differing:
        problem = f"{_named(given)} was recorded as {'; '.join(differing)}"
        raise LedgerError(ledger=ledger.name, problem=problem)


def _check_outcome(ledger: Ledger, given: PredictionOutcome, *, is_predicted: bool) -> None:
    if not is_predicted:
        raise LedgerError(ledger=ledger.name, problem=f"no {_named(given)}")
    if not (math.isfinite(given.outcome) and math.isfinite(given.label)):
        problem = f"outcome of {_named(given)}: found {given.outcome:g} and {given.label:g}"
        raise LedgerError(ledger=ledger.name, problem=problem)


def _named(of: PredictionRecord | PredictionOutcome) -> str:
    return f"prediction {of.model} version {of.version} of {of.symbol} at {of.session}"
