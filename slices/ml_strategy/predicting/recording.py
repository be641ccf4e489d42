"""Writing down what was said, and what came of it once that is known."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.calendar import session_close, sessions_between
from slices.domain.errors import IntegrityError
from slices.domain.forecasts import PredictionOutcome, PredictionRecord
from slices.domain.learning_errors import ModelError
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.prediction_trading import KeptPredictions
from slices.ledger.opening import books_of
from slices.ledger.predictions import (
    open_predictions,
    read_predictions,
    write_outcomes,
    write_predictions,
)
from slices.ml_strategy.labels.ranks import session_ranks
from slices.ml_strategy.predicting.scaling import relative_returns
from slices.ml_strategy.registry.loading import load_version
from slices.quant.panel import read_panel
from slices.runtime import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slices.domain.accounts import Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import Forecasts
    from slices.domain.learning import LabelSettings
    from slices.quant.panel import Panel


def keep_predictions(
    bars: DatasetRef,
    model: LoadedModel | ModelRefusal,
    history: tuple[Forecasts, ...],
    *,
    execution: Execution = "paper",
) -> KeptPredictions:
    """Write down everything a decision stands on, and what came of what was said before.

    An earlier session of the history is written where nothing of it is in the books, because the
    flow did not run at its close; what was written then stands. Run again, nothing is new.

    Args:
        bars: The newest bars.
        model: Who was asked.
        history: What it said, the newest session last.
        execution: Whose books; `plan` writes nothing.

    Raises:
        LedgerError: A prediction was recorded before and was different.
    """
    if isinstance(model, ModelRefusal):
        return KeptPredictions(recorded=0, matured=0)
    recorded = sum(
        record_predictions(each, execution=execution, calendar=bars.calendar)
        for each in (*_unwritten(history[:-1], model, execution=execution), history[-1])
    )
    matured = mature_predictions(bars, model, execution=execution)
    return KeptPredictions(recorded=recorded, matured=matured)


def _unwritten(
    history: tuple[Forecasts, ...], model: LoadedModel, *, execution: Execution
) -> tuple[Forecasts, ...]:
    """Choose what the model itself said of sessions that the books know nothing of."""
    mine = [each for each in history if each.model == model.version]
    if execution == "plan" or not mine:
        return ()
    with books_of(execution) as ledger:
        written = read_predictions(
            ledger,
            model=model.version.name,
            version=model.version.version,
            sessions=[each.session for each in mine],
        )
    known = {each.session for each in written}
    return tuple(each for each in mine if each.session not in known)


def record_predictions(
    forecasts: Forecasts, *, execution: Execution = "paper", calendar: str = "XNYS"
) -> int:
    """Write the predictions of a session into the books, each once.

    Args:
        forecasts: What was said; a refusal says nothing and leaves nothing.
        execution: Whose books, paper or live; `plan` writes nothing.
        calendar: Of the exchange.

    Returns:
        How many are new.

    Raises:
        LedgerError: One was recorded before and was different.
    """
    records = prediction_records(forecasts, calendar=calendar)
    if execution == "plan" or not records:
        return 0
    with books_of(execution) as ledger:
        return write_predictions(ledger, records)


def prediction_records(forecasts: Forecasts, *, calendar: str) -> tuple[PredictionRecord, ...]:
    """Return forecasts as the books have them."""
    if forecasts.model is None:
        return ()
    at = session_close(forecasts.session, calendar=calendar)
    return tuple(
        PredictionRecord(
            model=forecasts.model.name,
            version=forecasts.model.version,
            session=forecasts.session,
            symbol=each.symbol,
            matures=forecasts.matures,
            score=each.score,
            probability=each.probability,
            expected_return=each.expected_return,
            lower=each.lower,
            upper=each.upper,
            abstains=each.abstains,
            recorded_at=at,
        )
        for each in forecasts.forecasts
    )


def mature_predictions(
    bars: DatasetRef, model: LoadedModel, *, execution: Execution = "paper"
) -> int:
    """Write what came of every prediction of a model that the bars can tell.

    The returns of all symbols of a session are compared with each other, so that a session waits
    until the bars have every symbol that was predicted. One without a price at its entry or exit
    never gets an outcome.

    Args:
        bars: Up to the newest session that is known.
        model: Whose predictions, those of its other versions included. Each version is judged by
            what it predicted itself; one whose files cannot be read is left open.
        execution: Whose books; `plan` writes nothing.

    Returns:
        How many outcomes are new.
    """
    if execution == "plan":
        return 0
    panel = read_panel(bars)
    with books_of(execution) as ledger:
        waiting = open_predictions(ledger, model=model.version.name, until=panel.sessions[-1])
        found = tuple(
            outcome
            for version, label in _labels(model, {each.version for each in waiting})
            for outcome in outcomes_of(
                panel,
                [each for each in waiting if each.version == version],
                label=label,
                calendar=bars.calendar,
            )
        )
        return write_outcomes(ledger, found) if found else 0


def _labels(model: LoadedModel, wanted: set[int]) -> Iterator[tuple[int, LabelSettings]]:
    """Say what each of some versions predicted; nothing of one that cannot be read."""
    yield model.version.version, model.bundle.label
    others = wanted - {model.version.version}
    for each in registry.versions(model.version.name) if others else ():
        if each.version in others:
            try:
                yield each.version, load_version(each).bundle.label
            except (ModelError, IntegrityError):
                continue


def outcomes_of(
    panel: Panel, waiting: Iterable[PredictionRecord], *, label: LabelSettings, calendar: str
) -> Iterator[PredictionOutcome]:
    """Work out what came of predictions that have matured.

    Args:
        panel: Bars.
        waiting: Predictions without an outcome, session by session.
        label: When the return begins and how long it is earned.
        calendar: Of the exchange.
    """
    ordered = sorted(waiting, key=lambda each: (each.session, each.version))
    for (session, _), group in groupby(ordered, key=lambda each: (each.session, each.version)):
        records = tuple(group)
        dates = _entry_and_exit(session, records[0].matures, label, calendar=calendar)
        if dates is None or not _has_all(panel, records, dates):
            continue
        entry, exit_session = (panel.sessions.index(each) for each in dates)
        columns = [panel.symbols.index(each.symbol) for each in records]
        returns = panel.close[exit_session, columns] / panel.close[entry, columns] - 1.0
        outcomes = relative_returns(returns[None, :])[0]
        ranks = session_ranks(returns[None, :])[0]
        at = session_close(dates[1], calendar=calendar)
        for each, outcome, rank in zip(records, outcomes, ranks, strict=True):
            if np.isfinite(outcome) and np.isfinite(rank):
                yield _outcome(each, float(outcome), float(rank), at)


def _entry_and_exit(
    session: dt.date, matures: dt.date, label: LabelSettings, *, calendar: str
) -> tuple[dt.date, dt.date] | None:
    after = sessions_between(session + dt.timedelta(days=1), matures, calendar=calendar)
    if len(after) != label.reach:
        return None
    return after[label.entry_lag_sessions - 1], after[-1]


def _has_all(
    panel: Panel, records: tuple[PredictionRecord, ...], dates: tuple[dt.date, dt.date]
) -> bool:
    known = set(panel.sessions)
    return all(each in known for each in dates) and all(
        each.symbol in panel.symbols for each in records
    )


def _outcome(
    record: PredictionRecord, outcome: float, rank: float, at: dt.datetime
) -> PredictionOutcome:
    return PredictionOutcome(
        model=record.model,
        version=record.version,
        session=record.session,
        symbol=record.symbol,
        outcome=outcome,
        label=rank,
        known_at=at,
    )
