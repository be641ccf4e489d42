"""Watching a champion as a flow: what it says, what it announces, what it leaves behind."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.ml_monitoring import ml_model_monitoring
from slices.domain.accounts import TradingMode
from slices.domain.alerts import ModelAged, SkillDecayed
from slices.domain.forecasts import PredictionRecord
from slices.domain.model_monitoring import DEFAULT_MONITOR_LIMITS, CheckState
from slices.ledger.opening import ledger_for
from slices.ledger.predictions import write_predictions
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.monitoring.findings import model_monitoring_findings
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.support.planted import Planted, planted
from tests.support.runs import artifacts
from tests.support.served import trained

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from slices.domain.model_monitoring import ModelMonitoring, ModelWatch
    from slices.domain.models import ModelVersion

pytestmark = pytest.mark.slow

MODEL = "watched"
TRAINED, ON, OFF = 700, 760, 240


@dataclasses.dataclass
class Market:
    """A market whose signal is switched off, and how the flow is asked about it."""

    planted: Planted
    base: dict[str, Any]

    def ran(self, place: int, **options: Any) -> State[ModelMonitoring]:
        end = self.planted.sessions[place]
        state: State[ModelMonitoring] = ml_model_monitoring(
            **(self.base | {"end": end} | options), return_state=True
        )
        return state


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    made = planted(symbols=12, sessions_on=ON, sessions_off=OFF, strength=0.15, after=-0.05)
    file = made.write(tmp_path_factory.mktemp("watched") / "planted.parquet")
    base = {
        "symbols": list(made.symbols), "source": "files", "feed": str(file),
        "adjustment": "split", "model": MODEL,
    }  # fmt: skip
    return Market(made, base)


@pytest.fixture(scope="module")
def unwatched(market: Market) -> State[ModelMonitoring]:
    return market.ran(TRAINED)


@pytest.fixture(scope="module")
def champion(unwatched: State[ModelMonitoring]) -> ModelVersion:
    bundle = dataclasses.replace(trained(unwatched.result().bars, TRAINED), name=MODEL)
    open_tracking()
    part = TrackedPart(name=MODEL, parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="watched", key="watched", main=part))
    version = registry.register(MODEL, run_id=run_id, files=bundle_files(bundle), key="watched")
    return registry.set_champion(MODEL, version.version, "for a test")


@pytest.fixture(scope="module")
def healthy(market: Market, champion: ModelVersion) -> State[ModelMonitoring]:
    assert champion.version == 1
    return market.ran(ON - 1)


@pytest.fixture(scope="module")
def dead(market: Market, champion: ModelVersion) -> State[ModelMonitoring]:
    assert champion.version == 1
    return market.ran(ON + OFF - 1, on_dead="keep")


def watch_of(state: State[ModelMonitoring]) -> ModelWatch:
    watch = state.result().watch
    assert watch is not None
    return watch


def outcome_of(state: State[ModelMonitoring]) -> str:
    action = state.result().action
    assert action is not None
    return action.outcome


def states(state: State[ModelMonitoring]) -> dict[str, CheckState]:
    return {each.name: each.state for each in watch_of(state).checks}


def test_without_a_champion_the_run_says_so_and_is_degraded(
    unwatched: State[ModelMonitoring],
) -> None:
    result = unwatched.result()
    assert unwatched.name == "Degraded"
    assert result.watch is None
    assert MODEL in result.headline
    assert Path(result.report_path).is_file()


def test_a_champion_that_is_still_true_completes(healthy: State[ModelMonitoring]) -> None:
    assert healthy.name == "Completed"
    assert set(states(healthy).values()) <= {CheckState.OK, CheckState.WATCH, CheckState.UNKNOWN}
    assert states(healthy)["Skill"] is CheckState.OK
    assert watch_of(healthy).age_sessions == ON - TRAINED
    assert healthy.result().announced == ()
    assert healthy.result().mlflow_run_id == watch_of(healthy).model.run_id


def test_the_headline_counts_apart_what_is_to_be_watched(healthy: State[ModelMonitoring]) -> None:
    result, watch = healthy.result(), watch_of(healthy)
    fine = tuple(dataclasses.replace(each, state=CheckState.OK) for each in watch.checks)
    near = tuple(
        dataclasses.replace(each, state=CheckState.WATCH) if each.name == "Intervals" else each
        for each in fine
    )
    kept, watched = (
        model_monitoring_findings(
            result.bars,
            watch=dataclasses.replace(watch, checks=checks),
            action=result.action,
            announced=(),
            limits=DEFAULT_MONITOR_LIMITS,
        ).headline
        for checks in (fine, near)
    )
    assert "all 6 checks" in kept
    assert "Intervals" not in kept
    assert "5 of 6 checks" in watched
    assert "1 to be watched: Intervals" in watched


def test_only_sessions_after_training_with_known_outcomes_count(
    market: Market, healthy: State[ModelMonitoring]
) -> None:
    sessions = watch_of(healthy).decay.sessions
    assert sessions == market.planted.sessions[TRAINED : ON - 6]


def test_right_after_training_skill_cannot_be_judged(
    market: Market, champion: ModelVersion
) -> None:
    state = market.ran(TRAINED - 1)
    assert watch_of(state).model.version == champion.version
    assert states(state)["Skill"] is CheckState.UNKNOWN
    assert states(state)["Age"] is CheckState.OK
    assert outcome_of(state) == "kept"


def test_a_dead_champion_is_named_announced_once_and_kept_where_that_is_asked_for(
    market: Market, dead: State[ModelMonitoring]
) -> None:
    assert dead.name == "Degraded"
    assert states(dead)["Skill"] is CheckState.ALARM
    assert set(dead.result().announced) == {SkillDecayed.name, ModelAged.name}
    assert outcome_of(dead) == "kept"
    assert market.ran(ON + OFF - 1, on_dead="keep").result().announced == ()
    current = registry.version_by_alias(MODEL, "champion")
    assert current is not None
    assert current.version == 1


def test_where_nobody_is_to_train_anew_nothing_is_announced(
    market: Market, dead: State[ModelMonitoring]
) -> None:
    assert dead.result().announced
    state = market.ran(ON + OFF - 2, on_dead="keep", retrain="never")
    assert states(state)["Skill"] is CheckState.ALARM
    assert state.result().announced == ()


def test_the_report_shows_every_check_skill_features_and_promises(
    dead: State[ModelMonitoring],
) -> None:
    result = dead.result()
    keys = {each.key for each in result.report.blocks() if hasattr(each, "key")}
    assert keys >= {
        "checks", "skill-since-training", "evidence-of-decay", "notice-times", "feature-drift",
        "drift-since-training", "reliability",
    }  # fmt: skip
    page = Path(result.report_path).read_text()
    assert all(each.name in page for each in watch_of(dead).checks)
    run_id = dead.state_details.flow_run_id
    assert run_id is not None
    assert {f"ml-model-monitoring-{key}" for key in ("checks", "chart", "html")} <= {
        each.key for each in artifacts(run_id)
    }


def test_other_symbols_than_those_of_the_training_are_refused(
    market: Market, champion: ModelVersion
) -> None:
    assert champion.version == 1
    state = market.ran(ON - 1, symbols=list(market.planted.symbols[:-1]))
    assert state.is_failed()
    assert "symbols: found without P11" in str(state.message)


def test_other_bars_than_those_it_trades_on_retire_nobody(
    market: Market, champion: ModelVersion, tmp_path: Path
) -> None:
    elsewhere = market.planted.write(tmp_path / "elsewhere.parquet")
    state = market.ran(ON + OFF - 1, feed=str(elsewhere))
    assert state.is_failed()
    assert str(elsewhere) in str(state.message)
    assert market.base["feed"] in str(state.message)
    assert registry.version_by_alias(MODEL, "champion") == champion
    assert [each.retired for each in registry.versions(MODEL)] == [""]


def test_a_prediction_in_the_books_that_the_model_never_made_is_found(
    market: Market, champion: ModelVersion
) -> None:
    session = market.planted.sessions[ON - 20]
    said = PredictionRecord(
        model=MODEL,
        version=champion.version,
        session=session,
        symbol="P03",
        matures=market.planted.sessions[ON - 14],
        score=0.4321,
        probability=0.9,
        expected_return=0.01,
        lower=-0.1,
        upper=0.1,
        abstains=False,
        recorded_at=dt.datetime.combine(session, dt.time(21), tzinfo=dt.UTC),
    )
    other = dataclasses.replace(said, symbol="P07")
    ledger = ledger_for(TradingMode.PAPER)
    write_predictions(ledger, (said, other))
    ledger.close()
    state = market.ran(ON - 1, retrain="never")
    assert states(state)["Recorded predictions"] is CheckState.ALARM
    assert watch_of(state).recorded.matured == 2
    assert watch_of(state).recorded.first_differing == f"P03 on {session}"


def test_a_dead_champion_is_retired_by_default(
    market: Market, dead: State[ModelMonitoring]
) -> None:
    assert outcome_of(dead) == "kept"
    state = market.ran(ON + OFF - 1)
    assert outcome_of(state) == "retired"
    assert "retired" in state.result().headline
    assert registry.version_by_alias(MODEL, "champion") is None
    assert market.ran(ON + OFF - 1).result().watch is None
