"""A signal is found, promoted, traded on, switched off, noticed to be gone, and not kept."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter

from flows.ml_monitoring import ml_model_monitoring
from flows.ml_predictions import ml_prediction_trading
from flows.ml_training import ml_model_training
from slices.domain.alerts import ChampionChanged, Event, ModelAged, SkillDecayed
from slices.domain.model_monitoring import CheckState
from slices.runtime import registry
from tests.support.planted import Planted, planted

if TYPE_CHECKING:
    from slices.domain.model_monitoring import ModelMonitoring, ModelWatch
    from slices.domain.model_training import ModelTraining
    from slices.domain.prediction_trading import PredictionTrading

pytestmark = pytest.mark.slow

MODEL = "planted-signal"
ON, DEAD = 1500, 480
STRENGTH = 0.028
PREDICTED = (0, 1, 2)
FEATURES = [
    "momentum_21", "momentum_63", "momentum_126", "reversal_5", "z_score_20", "volatility_21",
    "volatility_63", "autocorrelation_63", "skewness_63", "rank_momentum_21",
]  # fmt: skip
TRAINING: dict[str, Any] = {
    "features": FEATURES,
    "splits": {"folds": 4, "first_train_sessions": 504},
    "kinds": ["always_equal", "linear", "lightgbm"],
    "trials": 0,
}


@dataclass
class Story:
    """What became of the signal, in the order it happened.

    Attributes:
        lasting: What monitoring says in a market of the same past whose signal stays.
        dead: What it says of the market whose signal was switched off.
    """

    market: Planted
    since: dt.datetime
    trained: ModelTraining
    predicted: list[PredictionTrading]
    lasting: ModelMonitoring
    dead: ModelMonitoring
    champion_after: object
    again: ModelMonitoring
    retrained: ModelTraining
    refused: PredictionTrading


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("planted")
    market = planted(sessions_on=ON, sessions_off=DEAD, strength=STRENGTH)
    lasting = planted(sessions_on=ON + DEAD, sessions_off=0, strength=STRENGTH)
    assert np.array_equal(market.close[:ON], lasting.close[:ON])
    common: dict[str, Any] = {
        "symbols": list(market.symbols), "source": "files", "adjustment": "split", "model": MODEL,
    }  # fmt: skip
    file = market.write(folder / "market.parquet")
    here = common | {"feed": str(file)}
    since = dt.datetime.now(dt.UTC)
    trained = ml_model_training(**here, **TRAINING, end=market.sessions[ON - 1])
    predicted = [
        ml_prediction_trading(**here, as_of=market.sessions[ON + day]) for day in PREDICTED
    ]
    lasting.write(file)
    still = ml_model_monitoring(**here, retrain="never")
    market.write(file)
    return Story(
        market=market,
        since=since,
        trained=trained,
        predicted=predicted,
        lasting=still,
        dead=ml_model_monitoring(**here),
        champion_after=registry.version_by_alias(MODEL, "champion"),
        again=ml_model_monitoring(**here),
        retrained=ml_model_training(**here, **TRAINING),
        refused=ml_prediction_trading(**here),
    )


def watched(found: ModelMonitoring) -> ModelWatch:
    assert found.watch is not None
    return found.watch


def states(found: ModelMonitoring) -> dict[str, CheckState]:
    return {each.name: each.state for each in watched(found).checks}


def test_the_signal_is_found_and_believed(story: Story) -> None:
    skill = story.trained.best.skill
    assert skill.information_coefficient > 0.02
    assert skill.t_statistic > 3
    assert skill.suspicions == ()


def test_the_model_that_found_it_becomes_champion(story: Story) -> None:
    promotion = story.trained.promotion
    assert promotion is not None
    assert promotion.outcome == "promoted"
    assert promotion.champion is not None
    assert all(each.is_passed for each in promotion.tests)


def test_the_champion_is_asked_and_what_it_says_is_written_down(story: Story) -> None:
    assert watched(story.dead).recorded.recorded == len(PREDICTED) * len(story.market.symbols)
    assert watched(story.dead).recorded.matured == watched(story.dead).recorded.recorded
    assert states(story.dead)["Recorded predictions"] is CheckState.OK


def test_while_the_signal_stays_the_champion_is_not_called_decayed(story: Story) -> None:
    decay = watched(story.lasting).decay
    assert decay.state is not CheckState.ALARM
    assert decay.mean > 0.02
    assert story.lasting.action is not None
    assert story.lasting.action.outcome == "kept"


def test_switched_off_it_is_noticed(story: Story) -> None:
    decay = watched(story.dead).decay
    assert states(story.dead)["Skill"] is CheckState.ALARM
    assert decay.is_gone
    assert abs(decay.mean) < 0.02 < decay.expected
    assert states(story.dead)["Features"] is not CheckState.ALARM  # prices look as they did


def test_the_dead_champion_trades_no_more(story: Story) -> None:
    assert story.dead.action is not None
    assert story.dead.action.outcome == "retired"
    assert story.champion_after is None
    assert story.again.watch is None
    assert story.refused.is_refused


@pytest.mark.parametrize("event", [SkillDecayed, ModelAged, ChampionChanged])
def test_whoever_listens_is_told_once(event: type[Event], story: Story) -> None:
    assert len(received(event.name, story.since)) == 1 + (event is ChampionChanged)  # promoted


def received(name: str, since: dt.datetime) -> list[Any]:
    """Wait for events about the model; empty where none comes in time."""
    deadline = time.monotonic() + 20.0
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            wanted = EventFilter(
                event=EventNameFilter(name=[name]),
                occurred=EventOccurredFilter(since=since, until=dt.datetime.now(dt.UTC)),
            )
            found = client.read_events(wanted, limit=50).events
            mine = [each for each in found if each.resource.id == f"{name}.{MODEL}"]
            if mine:
                return mine
            time.sleep(0.25)
    return []


def test_training_anew_promotes_neither_the_dead_model_nor_its_like(story: Story) -> None:
    promotion = story.retrained.promotion
    assert promotion is not None
    assert promotion.outcome == "challenger"
    assert promotion.champion is None
    assert not all(each.is_passed for each in promotion.tests)
    assert [each.version for each in registry.versions(MODEL) if each.retired] == [1]
