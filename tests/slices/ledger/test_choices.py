"""Choices of a strategy: stored once, never changed, and read as of a session."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import text

from slices.domain.choices import ActiveChoice, ChoiceBasis
from slices.domain.strategies import StrategyName
from slices.domain.trading_errors import LedgerError
from slices.ledger.choices import choice_at, choice_series, choices_of, record_choice
from slices.ledger.opening import Ledger
from slices.ledger.verifying import verify
from tests.support.ledgers import AT, SESSION

DAY = dt.timedelta(days=1)


def chosen(*, name: str = "main", days: int = 0, strategy: str = "sma_cross") -> ActiveChoice:
    return ActiveChoice(
        name=name,
        session=SESSION + days * DAY,
        strategy=StrategyName(strategy),
        parameters=(("fast", "10"), ("slow", "50"), ("short", "False")),
        symbols=("AAPL", "MSFT"),
        basis=ChoiceBasis.LEADER,
        reason="The model has not earned it.",
        regime="bull_quiet",
        probabilities=(("sma_cross", 0.1 + 0.2), ("macd", 0.7)),
        decision_sessions=21,
        data_fingerprint="f" * 32,
        prefect_run_id="one",
        mlflow_run_id="two",
        recorded_at=AT + days * DAY,
    )


def test_a_choice_reads_back_as_it_was_written(ledger: Ledger) -> None:
    assert record_choice(ledger, chosen())
    assert choice_at(ledger, "main", SESSION) == chosen()
    assert verify(ledger).is_whole


def test_every_strategy_fits(ledger: Ledger) -> None:
    for place, each in enumerate(StrategyName):
        record_choice(ledger, chosen(days=place, strategy=each.value))
    assert [each.strategy for each in choices_of(ledger, "main")] == list(StrategyName)


def test_the_same_choice_by_another_run_changes_nothing(ledger: Ledger) -> None:
    record_choice(ledger, chosen())
    heads = verify(ledger).heads
    again = replace(chosen(), prefect_run_id="three", reason="Otherwise said.")
    assert not record_choice(ledger, again)
    assert choices_of(ledger, "main") == (chosen(),)
    assert verify(ledger).heads == heads


@pytest.mark.parametrize(
    "changed",
    [
        {"strategy": StrategyName.MACD},
        {"parameters": (("fast", "11"), ("slow", "50"), ("short", "False"))},
        {"symbols": ("AAPL",)},
    ],
    ids=lambda each: next(iter(each)),
)
def test_another_choice_for_the_same_session_is_refused(
    ledger: Ledger, changed: dict[str, object]
) -> None:
    record_choice(ledger, chosen())
    with pytest.raises(LedgerError, match="another name"):
        record_choice(ledger, replace(chosen(), **changed))
    assert choices_of(ledger, "main") == (chosen(),)
    other = replace(chosen(name="other"), **changed)
    assert record_choice(ledger, other)


def test_the_choice_of_a_session_is_the_newest_made_by_then(ledger: Ledger) -> None:
    for days in (0, 30, 10):
        record_choice(ledger, chosen(days=days))
    asked = [choice_at(ledger, "main", SESSION + days * DAY) for days in (-1, 0, 9, 10, 29, 90)]
    found = [None if each is None else (each.session - SESSION).days for each in asked]
    assert found == [None, 0, 0, 10, 10, 30]


def test_series_are_told_apart(ledger: Ledger) -> None:
    assert choice_series(ledger) == ()
    record_choice(ledger, chosen(name="other", days=5))
    record_choice(ledger, chosen())
    record_choice(ledger, chosen(days=9))
    assert choice_series(ledger) == (("main", SESSION), ("other", SESSION + 5 * DAY))
    assert choice_at(ledger, "third", SESSION + 90 * DAY) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE strategy_choices SET strategy = 'macd'",
        "UPDATE strategy_choices SET parameters = '[]'",
        "DELETE FROM strategy_choices",
    ],
)
def test_a_change_behind_the_journal_is_found(ledger: Ledger, statement: str) -> None:
    record_choice(ledger, chosen())
    assert verify(ledger).is_whole
    with ledger.writing() as connection:
        connection.execute(text(statement))
    assert not verify(ledger).is_whole
