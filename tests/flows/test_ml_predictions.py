"""Trading on predictions and judging them, from bars to orders, books and reports."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter

from flows.ml_predictions import ml_driven, ml_prediction_trading
from slices.domain.accounts import TradingMode
from slices.domain.errors import ParameterError
from slices.domain.models import LoadedModel, ModelBundle
from slices.ledger.accounts import read_book
from slices.ledger.dump import canonical_dump
from slices.ledger.opening import ledger_for
from slices.ledger.predictions import read_predictions
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.registry.loading import find_model
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.support.planted import Planted, planted
from tests.support.runs import artifacts
from tests.support.served import LABEL, LATER, trained

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from slices.domain.dataset import DatasetRef
    from slices.domain.prediction_trading import PredictionTrading
    from slices.domain.rebalancing import TargetWeights

pytestmark = pytest.mark.slow

MODEL = "predictions-of-a-test"
SESSIONS = 760


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Planted, Path]:
    made = planted(symbols=12, sessions_on=SESSIONS, sessions_off=0, strength=0.15)
    return made, made.write(tmp_path_factory.mktemp("market") / "planted.parquet")


@pytest.fixture(scope="module")
def base(market: tuple[Planted, Path]) -> dict[str, Any]:
    made, file = market
    return {
        "symbols": list(made.symbols), "source": "files", "feed": str(file),
        "adjustment": "split", "model": MODEL,
    }  # fmt: skip


def ran(**parameters: Any) -> State[PredictionTrading]:
    return ml_prediction_trading(return_state=True, **parameters)


@pytest.fixture(scope="module")
def unasked(base: dict[str, Any]) -> State[PredictionTrading]:
    """Before there is any model."""
    return ran(**base, account="unasked")


@pytest.fixture(scope="module")
def champion(unasked: State[PredictionTrading]) -> LoadedModel:
    """A model of the same bars, as champion of the registry."""
    bars: DatasetRef = unasked.result().bars
    bundle = dataclasses.replace(trained(bars, SESSIONS - LATER), name=MODEL)
    return champion_of(bundle, "first")


def champion_of(bundle: ModelBundle, key: str) -> LoadedModel:
    open_tracking()
    part = TrackedPart(name=key, parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="served", key=f"{bundle.name}-{key}", main=part))
    version = registry.register(bundle.name, run_id=run_id, files=bundle_files(bundle), key=key)
    registry.set_champion(bundle.name, version.version, "for a test")
    found = find_model(bundle.name)
    assert isinstance(found, LoadedModel)
    return found


@pytest.fixture(scope="module")
def traded(base: dict[str, Any], champion: LoadedModel) -> State[PredictionTrading]:
    assert champion.bundle.name == MODEL
    return ran(**base, account="trades")


def test_without_a_model_nothing_is_traded_and_the_run_says_so(
    unasked: State[PredictionTrading],
) -> None:
    result = unasked.result()
    assert unasked.name == "Degraded"
    assert result.is_refused
    assert result.placed.records == ()
    assert result.plan is None
    assert MODEL in result.headline
    assert Path(result.report_path).is_file()


def test_a_refusal_is_announced(unasked: State[PredictionTrading]) -> None:
    session = str(unasked.result().history[-1].session)
    wanted = EventFilter(
        event=EventNameFilter(name=["tradeflows.model.refused"]),
        occurred=EventOccurredFilter(since=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)),
    )
    deadline = time.monotonic() + 20
    payloads: list[dict[str, Any]] = []
    while not payloads and time.monotonic() < deadline:
        with get_client(sync_client=True) as client:
            found = client.read_events(wanted, limit=50).events
        payloads = [
            each.payload
            for each in found
            if (each.payload.get("session"), each.payload.get("subject")) == (session, MODEL)
        ]
        time.sleep(0.2)
    assert payloads


def test_what_is_worth_its_costs_is_bought(traded: State[PredictionTrading]) -> None:
    result = traded.result()
    assert traded.name == "Completed"
    assert result.plan is not None
    wanted = {
        name
        for name, weight in zip(
            result.plan.targets.symbols, result.plan.targets.weights, strict=True
        )
        if weight
    }
    assert wanted
    assert {each.order.symbol for each in result.placed.records} <= wanted
    assert all(each.order.side.value == "buy" for each in result.placed.records)
    assert {each.order.workflow for each in result.placed.records} == {"ml_prediction_trading"}
    said = [each for each in result.history if each.forecasts]
    assert len(said) > 1
    assert result.kept.recorded == len(said) * len(result.bars.symbols)


def test_running_again_changes_nothing(
    base: dict[str, Any], traded: State[PredictionTrading]
) -> None:
    first = traded.result()
    before = dump("trades")
    again = ran(**base, account="trades").result()
    assert dump("trades") == before
    assert again.kept.recorded == 0
    assert again.history == first.history


def test_every_prediction_is_written_down_with_the_session_it_matures_at(
    traded: State[PredictionTrading],
) -> None:
    newest = traded.result().history[-1]
    ledger = ledger_for(TradingMode.PAPER)
    found = [e for e in read_predictions(ledger, model=MODEL) if e.session == newest.session]
    ledger.close()
    assert {each.symbol: each.score for each in found} == {
        each.symbol: each.score for each in newest.forecasts
    }
    assert {each.matures for each in found} == {newest.matures}


def test_sessions_one_after_the_other_hold_what_stands_and_learn_what_came_of_it(
    base: dict[str, Any], champion: LoadedModel, market: tuple[Planted, Path]
) -> None:
    assert champion.bundle.name == MODEL
    sessions = market[0].sessions
    held = []
    for session in sessions[-30:-22]:
        result = ran(**base, account="walks", as_of=session).result()
        held.append(sum(float(each.value) for each in result.book.positions))
        assert not result.is_refused
    assert held[0] == 0
    assert held[-1] > 0
    assert result.kept.matured == len(result.bars.symbols)
    ledger = ledger_for(TradingMode.PAPER)
    book = read_book(ledger, "walks")
    matured = [e for e in read_predictions(ledger, model=MODEL) if np.isfinite(e.outcome)]
    ledger.close()
    assert book.cash >= 0
    decided_on = range(-30 - LABEL.horizon_sessions + 1, -22)
    assert {each.matures for each in matured} == {
        sessions[place + LABEL.reach] for place in decided_on if place + LABEL.reach <= -23
    }


def test_a_plan_writes_nothing(base: dict[str, Any], traded: State[PredictionTrading]) -> None:
    assert traded.result().placed.records
    before = dump("trades")
    result = ran(**base, account="planned", execution="plan").result()
    assert result.plan is not None
    assert result.plan.trades
    assert result.placed.records == ()
    assert result.kept.recorded == 0
    assert dump("trades") == before
    ledger = ledger_for(TradingMode.PAPER)
    assert dump("planned") == b""
    ledger.close()


def test_a_refusal_leaves_what_is_held(
    base: dict[str, Any], traded: State[PredictionTrading], market: tuple[Planted, Path]
) -> None:
    assert traded.result().placed.records
    session = market[0].sessions[-30]
    ran(**base, account="leaves", as_of=session)
    ran(**base, account="leaves", as_of=market[0].sessions[-29])
    stale = {"most_age_sessions": 5}
    state = ran(**base, account="leaves", as_of=market[0].sessions[-28], serving=stale)
    result = state.result()
    assert state.name == "Degraded"
    assert result.book.positions
    assert result.placed.records == ()
    assert "stale" in result.headline


def test_a_handover_keeps_what_is_held_until_its_predictions_mature(
    base: dict[str, Any], champion: LoadedModel, market: tuple[Planted, Path]
) -> None:
    sessions, terms = market[0].sessions, base | {"model": "handover", "account": "handover"}
    first = dataclasses.replace(champion.bundle, name="handover")
    champion_of(first, "before")
    for session in sessions[-6:-1]:
        before = ran(**terms, as_of=session).result()
    second = champion_of(dataclasses.replace(first, known_until=sessions[-1]), "after")
    seen = dump("handover")
    planned = ran(**terms, execution="plan").result()
    assert dump("handover") == seen
    after = ran(**terms).result()
    assert after.model == second.version
    assert [each.model.version for each in after.history if each.model] == [1, 1, 1, 1, 2]
    assert invested(before) > 0.3
    unchanged = ran(**base, account="unchanged", execution="plan").result()
    assert unchanged.model == champion.version
    assert targets(after) == targets(unchanged) == targets(planned)
    assert sum("version 1" in each for each in after.notes) == 1
    seen = dump("handover")
    again = ran(**terms).result()
    assert dump("handover") == seen
    assert again.kept.recorded == 0
    assert targets(again) == targets(after)


def targets(result: PredictionTrading) -> TargetWeights:
    assert result.plan is not None
    return result.plan.targets


def invested(result: PredictionTrading) -> float:
    return sum(targets(result).weights)


def test_a_challenger_never_trades_live(base: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="challenger"):
        ml_prediction_trading(**base, alias="challenger", execution="live")


def test_the_report_shows_forecasts_and_whether_they_may_be_believed(
    traded: State[PredictionTrading],
) -> None:
    result = traded.result()
    keys = {block.key for block in result.report.blocks() if hasattr(block, "key")}
    assert {"forecasts", "coverage", "coverage-years", "reliability", "trades", "model"} <= keys
    assert traded.state_details.flow_run_id is not None
    shown = {each.key for each in artifacts(traded.state_details.flow_run_id)}
    assert {"ml-prediction-trading", "ml-prediction-trading-forecasts"} <= shown


def test_a_champion_is_followed_beside_not_asking_it(
    base: dict[str, Any], champion: LoadedModel
) -> None:
    state = ml_driven(return_state=True, **base)
    result = state.result()
    assert result.model.version == champion.version.version
    assert result.is_champion
    assert not result.was_trained
    ranked, confident, sized, equal = result.tested
    assert result.gain_t > 3
    assert ranked.equity[-1] > sized.equity[-1]
    assert confident.equity[-1] > confident.capital
    assert equal.gross_exposure[-1] == pytest.approx(1.0, abs=0.01)
    assert {each.sessions for each in result.tested} == {ranked.sessions}
    assert ranked.sessions[0] == champion.bundle.out_of_sample.sessions[0]
    assert len(result.forecasts.forecasts) == len(result.bars.symbols)
    assert state.name == "Degraded"
    assert any("SUSPECT" in each for each in result.caveats)
    assert result.report.chart in {getattr(block, "key", "") for block in result.report.blocks()}


def test_without_a_champion_one_is_trained_and_shown_as_what_it_is(base: dict[str, Any]) -> None:
    terms = base | {
        "model": "fresh", "kinds": ["linear"],
        "splits": {"folds": 3, "first_train_sessions": 300},
    }  # fmt: skip
    result = ml_driven(**terms)
    assert result.was_trained
    assert not result.is_champion
    assert "challenger" in result.headline
    assert registry.version_by_alias("fresh", "champion") is None
    assert result.mlflow_run_id == registry.versions("fresh")[0].run_id
    again = ml_driven(**terms)
    assert again.model == result.model
    assert again.tested[0].equity == result.tested[0].equity
    assert len(registry.versions("fresh")) == 1


def test_a_retired_champion_is_shown_as_such_where_its_training_is_all_there_is(
    base: dict[str, Any],
) -> None:
    terms = base | {
        "model": "retiring", "kinds": ["linear"],
        "splits": {"folds": 3, "first_train_sessions": 300},
    }  # fmt: skip
    first = ml_driven(**terms)
    registry.set_champion("retiring", first.model.version, "for a test")
    registry.retire("retiring", "nobody wants it")
    result = ml_driven(**terms)
    assert result.was_trained
    assert not result.is_champion
    assert result.model.version == first.model.version
    assert result.model.retired == "nobody wants it"
    assert "retired" in result.headline
    assert any("nobody wants it" in each for each in result.forecasts.refusals)
    assert result.tested[0].equity == first.tested[0].equity
    assert len(registry.versions("retiring")) == 1


def dump(account: str) -> bytes:
    ledger = ledger_for(TradingMode.PAPER)
    try:
        return canonical_dump(ledger, account)
    finally:
        ledger.close()
