"""Predictions in the books: once, unchanged, with their outcomes, and provably so."""

from __future__ import annotations

import datetime as dt
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from slices.domain.forecasts import PredictionOutcome, PredictionRecord
from slices.domain.trading_errors import LedgerError
from slices.ledger.opening import Ledger
from slices.ledger.predictions import (
    open_predictions,
    read_predictions,
    write_outcomes,
    write_predictions,
)
from slices.ledger.verifying import verify
from tests.support.frames import repository
from tests.support.ledgers import AT, SESSION, ledger_at

MATURES = dt.date(2024, 3, 12)


def predicted(symbol: str = "AAPL", *, days: int = 0, version: int = 1) -> PredictionRecord:
    return PredictionRecord(
        model="cross-section",
        version=version,
        session=SESSION + dt.timedelta(days=days),
        symbol=symbol,
        matures=MATURES + dt.timedelta(days=days),
        score=0.1 + 0.2,
        probability=0.53,
        expected_return=0.0012,
        lower=-0.04,
        upper=0.05,
        abstains=True,
        recorded_at=AT + dt.timedelta(days=days),
    )


def outcome_of(record: PredictionRecord, *, outcome: float = 0.013) -> PredictionOutcome:
    return PredictionOutcome(
        model=record.model,
        version=record.version,
        session=record.session,
        symbol=record.symbol,
        outcome=outcome,
        label=0.25,
        known_at=AT + dt.timedelta(days=8),
    )


def test_what_is_recorded_is_read_to_the_last_bit(ledger: Ledger) -> None:
    records = (predicted(), predicted("MSFT"), predicted(days=1), predicted(version=2))
    assert write_predictions(ledger, records) == 4
    found = read_predictions(ledger, model="cross-section", version=1)
    assert [(each.session, each.symbol) for each in found] == [
        (SESSION, "AAPL"),
        (SESSION, "MSFT"),
        (SESSION + dt.timedelta(days=1), "AAPL"),
    ]
    assert math.isnan(found[0].outcome)
    assert math.isnan(found[0].label)
    assert replace(found[0], outcome=0.0, label=0.0) == replace(records[0], outcome=0.0, label=0.0)
    assert len(read_predictions(ledger, model="cross-section")) == 4
    assert read_predictions(ledger, model="another") == ()


def test_recording_again_changes_nothing(ledger: Ledger) -> None:
    write_predictions(ledger, [predicted()])
    heads = verify(ledger).heads
    assert write_predictions(ledger, [predicted()]) == 0
    assert verify(ledger).heads == heads


def test_terms_of_whoever_asked_first_stay(ledger: Ledger) -> None:
    write_predictions(ledger, [predicted()])
    other = replace(predicted(), lower=-0.1, upper=0.1, abstains=False)
    assert write_predictions(ledger, [other]) == 0
    assert read_predictions(ledger, model="cross-section")[0].abstains


@pytest.mark.parametrize(
    "changed",
    [
        {"score": 0.31},
        {"probability": 0.6},
        {"expected_return": -0.0012},
        {"matures": SESSION + dt.timedelta(days=9)},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_differing_prediction_is_refused_with_everything_beside_it(
    ledger: Ledger, changed: dict[str, object]
) -> None:
    write_predictions(ledger, [predicted()])
    other = replace(predicted(), **changed)
    with pytest.raises(LedgerError, match=next(iter(changed))):
        write_predictions(ledger, [predicted("MSFT"), other])
    found = read_predictions(ledger, model="cross-section")
    assert [each.symbol for each in found] == ["AAPL"]
    assert found[0].score == predicted().score


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_no_number_is_never_recorded(ledger: Ledger, number: float) -> None:
    with pytest.raises(LedgerError, match="found"):
        write_predictions(ledger, [replace(predicted(), score=number)])
    assert read_predictions(ledger, model="cross-section") == ()


def test_one_prediction_given_twice_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="twice"):
        write_predictions(ledger, [predicted(), predicted()])


def test_outcomes_are_written_once_and_beside_the_prediction(ledger: Ledger) -> None:
    records = (predicted(), predicted(days=1))
    write_predictions(ledger, records)
    waiting = open_predictions(ledger, model="cross-section", until=MATURES)
    assert [each.session for each in waiting] == [SESSION]
    assert write_outcomes(ledger, [outcome_of(records[0])]) == 1
    assert write_outcomes(ledger, [outcome_of(records[0], outcome=0.5)]) == 0
    first, second = read_predictions(ledger, model="cross-section")
    assert (first.outcome, first.label) == (0.013, 0.25)
    assert math.isnan(second.outcome)
    assert open_predictions(ledger, model="cross-section", until=MATURES) == ()


def test_an_outcome_of_nothing_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="no prediction"):
        write_outcomes(ledger, [outcome_of(predicted())])
    write_predictions(ledger, [predicted()])
    with pytest.raises(LedgerError, match="found"):
        write_outcomes(ledger, [outcome_of(predicted(), outcome=math.nan)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE predictions SET score = 0.9",
        "UPDATE prediction_outcomes SET outcome = 0.9",
        "DELETE FROM prediction_outcomes",
        "UPDATE predictions SET abstains = (1 = 0)",
    ],
)
def test_a_change_behind_the_journal_is_found(ledger: Ledger, statement: str) -> None:
    write_predictions(ledger, [predicted(), predicted("MSFT")])
    write_outcomes(ledger, [outcome_of(predicted())])
    assert verify(ledger).is_whole
    with ledger.writing() as connection:
        connection.execute(text(statement))
    assert not verify(ledger).is_whole


DYING = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from slices.ledger.predictions import write_outcomes, write_predictions
from tests.slices.ledger.test_predictions import outcome_of, predicted
from tests.support.ledgers import ledger_at
ledger, seen, last = ledger_at(sys.argv[1], Path(sys.argv[2])), 0, int(sys.argv[3])
def counted(*_):
    global seen
    seen += 1
    if seen == last:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(ledger.engine, "after_cursor_execute", counted)
records = [predicted(), predicted("MSFT"), predicted(days=1)]
write_predictions(ledger, records)
write_outcomes(ledger, [outcome_of(each) for each in records[:2]])
"""


@pytest.mark.slow
def test_whoever_is_killed_leaves_all_or_nothing_and_a_rerun_ends_the_same(tmp_path: Path) -> None:
    records = [predicted(), predicted("MSFT"), predicted(days=1)]
    outcomes = [outcome_of(each) for each in records[:2]]
    for last in (2, 5, 9, 13):
        url = f"sqlite:///{tmp_path}/{last}.db"
        words = [sys.executable, "-c", DYING, url, str(tmp_path), str(last)]
        ended = subprocess.run(words, cwd=repository(), env=dict(os.environ), check=False)
        assert ended.returncode == -9
        ledger = ledger_at(url, tmp_path)
        assert verify(ledger).is_whole
        found = read_predictions(ledger, model="cross-section")
        assert len(found) in {0, 3}
        write_predictions(ledger, records)
        write_outcomes(ledger, outcomes)
        known = [each.outcome for each in read_predictions(ledger, model="cross-section")]
        assert known[:2] == [0.013, 0.013]
        assert math.isnan(known[2])
        assert verify(ledger).is_whole
        ledger.close()
