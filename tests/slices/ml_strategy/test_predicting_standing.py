"""A new version takes over: what the one before had said stands until it matures."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from slices.domain.accounts import TradingMode
from slices.domain.forecasts import PredictionRecord
from slices.domain.models import LoadedModel, ModelRefusal
from slices.ledger.opening import ledger_for
from slices.ledger.predictions import write_predictions
from slices.ml_strategy.predicting.recording import prediction_records, record_predictions
from slices.ml_strategy.predicting.serving import predict_latest, predict_many
from slices.ml_strategy.predicting.standing import recorded_forecast, stand_in, standing_records
from slices.ml_strategy.predicting.weighing import standing_weights, trading_weights
from slices.quant.panel import read_panel
from slices.runtime.mlflow_store import open_tracking
from tests.support.served import LABEL, Served, served


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("served"))


@pytest.fixture(autouse=True)
def fresh_books() -> None:
    open_tracking()
    ledger = ledger_for(TradingMode.PAPER)
    file = Path(ledger.name)
    ledger.close()
    for each in file.parent.glob("paper.db*"):
        each.unlink()


def successor(asked: Served, *, version: int = 4) -> LoadedModel:
    """The same model as a version that was trained on all bars."""
    return LoadedModel(
        version=replace(asked.model.version, version=version),
        bundle=replace(asked.model.bundle, known_until=asked.bars.last_session),
    )


def write(asked: Served, *versions: int) -> None:
    """Let versions have said the same at every session of the horizon, each at its close."""
    for said in predict_latest(asked.model, asked.features, asked.bars):
        for version in versions:
            by = replace(asked.model.version, version=version)
            record_predictions(replace(said, model=by))


def test_a_handover_keeps_the_parts_of_the_account(asked: Served) -> None:
    write(asked, 3)
    before = predict_latest(asked.model, asked.features, asked.bars)
    later = successor(asked)
    alone = predict_latest(later, asked.features, asked.bars)
    assert [bool(each.refusals) for each in alone] == [True] * 4 + [False]
    history = stand_in(later, alone)
    assert history[-1] == alone[-1]
    assert not any(each.refusals for each in history)
    assert [each.matures for each in history] == [each.matures for each in before]
    assert standing_weights(history) == standing_weights(before)
    assert sum(dict(standing_weights(history)).values()) > 3 * sum(
        dict(standing_weights(alone)).values()
    )


def test_standing_in_again_or_for_a_plan_gives_the_same(asked: Served) -> None:
    write(asked, 3)
    later = successor(asked)
    alone = predict_latest(later, asked.features, asked.bars)
    wanted = standing_weights(stand_in(later, alone))
    record_predictions(alone[-1])
    assert standing_weights(stand_in(later, alone)) == wanted
    assert standing_weights(stand_in(later, alone, execution="plan")) == wanted


def test_what_nobody_wrote_down_is_cash(asked: Served) -> None:
    later = successor(asked)
    alone = predict_latest(later, asked.features, asked.bars)
    assert stand_in(later, alone) == alone
    write(asked, 4, 5)
    assert stand_in(later, alone) == alone
    refused = ModelRefusal(model="planted", reason="gone")
    said = predict_latest(refused, asked.features, asked.bars)
    assert stand_in(refused, said) == said


def test_a_model_that_may_answer_is_never_replaced(asked: Served) -> None:
    write(asked, 2)
    own = predict_latest(asked.model, asked.features, asked.bars)
    assert stand_in(asked.model, own) == own


def test_a_recorded_prediction_is_worth_what_it_was_when_it_was_made(asked: Served) -> None:
    days = read_panel(asked.bars).sessions[-60:]
    said = predict_many(asked.model, asked.features, asked.bars, sessions=days)
    read = [
        replace(
            each,
            forecasts=tuple(map(recorded_forecast, prediction_records(each, calendar="XNYS"))),
        )
        for each in said
    ]
    assert [trading_weights(each) for each in read] == [trading_weights(each) for each in said]
    assert any(trading_weights(each) for each in said)
    assert any(each.abstains for one in said for each in one.forecasts)
    assert any(each.decision_upper < -one.costs for one in said for each in one.forecasts)


def test_records_of_the_newest_earlier_version_stand_until_they_mature() -> None:
    day, later = dt.date(2024, 3, 4), dt.date(2024, 3, 5)
    records = [
        record(2, day, "A"), record(1, day, "B"), record(2, day, "C"), record(5, day, "D"),
        record(1, later, "E"),
    ]  # fmt: skip
    found = standing_records(records, before=5, at=dt.date(2024, 3, 8))
    assert {key: [each.symbol for each in group] for key, group in found.items()} == {
        day: ["A", "C"],
        later: ["E"],
    }
    assert set(standing_records(records, before=5, at=day + dt.timedelta(days=8))) == {later}
    assert standing_records(records, before=1, at=later) == {}


def record(version: int, session: dt.date, symbol: str) -> PredictionRecord:
    return PredictionRecord(
        model="planted", version=version, session=session, symbol=symbol,
        matures=session + dt.timedelta(days=8), score=0.0, probability=0.5, expected_return=0.0,
        lower=-0.1, upper=0.1, abstains=True, recorded_at=dt.datetime(2024, 3, 4, tzinfo=dt.UTC),
    )  # fmt: skip


def test_a_part_of_another_horizon_stands_no_longer_than_it_was_meant_to(asked: Served) -> None:
    """The version before predicted over fewer sessions, so that some of it has matured."""
    ledger = ledger_for(TradingMode.PAPER)
    said = predict_latest(asked.model, asked.features, asked.bars)
    newest = said[-1].session
    records = [
        replace(each, matures=newest)
        for one in said[:2]
        for each in prediction_records(one, calendar="XNYS")
    ]
    write_predictions(ledger, records)
    ledger.close()
    later = successor(asked)
    alone = predict_latest(later, asked.features, asked.bars)
    assert len(alone) == LABEL.horizon_sessions
    assert stand_in(later, alone) == alone
