"""Row 44, as far as watching goes: models too old, inputs that changed, skill that is gone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.domain.alerts import ChampionChanged, Event, FeatureDrifted, ModelAged
from slices.domain.bars import Adjustment
from slices.domain.errors import ParameterError
from slices.domain.model_monitoring import DEFAULT_MONITOR_LIMITS, CheckState, MonitorLimits
from slices.domain.models import LoadedModel
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.features.building import build_features
from slices.ml_strategy.monitoring.acting import announce_once, events_of, replace_dead
from slices.ml_strategy.monitoring.watching import watch_champion
from slices.quant.panel import read_panel
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.slices.quant.market import stored
from tests.support.planted import planted
from tests.support.served import LATER, NAMES, Served, served

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef
    from slices.domain.model_monitoring import ModelWatch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("asked"))


def watched(
    asked: Served, bars: DatasetRef, limits: MonitorLimits = DEFAULT_MONITOR_LIMITS
) -> ModelWatch:
    features = build_features(bars, names=NAMES)
    return watch_champion(bars, features, asked.model, (), limits=limits)


def wilder(asked: Served, folder: Path) -> DatasetRef:
    """Multiply every move after training by four."""
    panel = read_panel(asked.bars)
    moves = np.diff(np.log(panel.close), axis=0)
    moves[-LATER:] *= 4.0
    closes = panel.close[0] * np.exp(np.vstack([np.zeros(moves.shape[1]), moves.cumsum(axis=0)]))
    columns = {name: closes[:, place].copy() for place, name in enumerate(panel.symbols)}
    return stored(folder, panel.sessions, columns)


def reversed_rule(asked: Served, folder: Path) -> DatasetRef:
    """Let the rule that was learnt do the opposite after training."""
    sessions = len(read_panel(asked.bars).sessions)
    market = planted(
        symbols=12, sessions_on=sessions - LATER, sessions_off=LATER, strength=0.15, after=-0.15
    )
    columns = {name: market.close[:, place].copy() for place, name in enumerate(market.symbols)}
    return stored(folder, market.sessions, columns)


@pytest.mark.parametrize(("allowed", "is_due"), [(LATER, False), (LATER - 1, True)])
def test_r44_a_model_older_than_its_limit_is_announced(
    asked: Served, allowed: int, *, is_due: bool
) -> None:
    limits = MonitorLimits(most_age_sessions=allowed)
    events = events_of(watched(asked, asked.bars, limits), limits=limits)
    assert [type(each) for each in events] == [ModelAged] * is_due


def test_r44_features_that_changed_are_announced(asked: Served, tmp_path: Path) -> None:
    watch = watched(asked, wilder(asked, tmp_path))
    events = events_of(watch, limits=DEFAULT_MONITOR_LIMITS)
    assert watch.drift.is_alarm
    assert watch.drift.features[0].name == "volatility_21"
    assert FeatureDrifted in {type(each) for each in events}


def test_r44_a_dead_champion_gives_way_to_the_one_before_in_one_step(
    asked: Served, tmp_path: Path
) -> None:
    first, second = (registered(asked, key) for key in ("first", "second"))
    told: list[ChampionChanged] = []
    dead = dying(asked, reversed_rule(asked, tmp_path), second)
    action = replace_dead(dead, on_dead="rollback", announce=told.append)
    assert action.outcome == "rolled back"
    champion = registry.version_by_alias("dying", "champion")
    assert champion is not None
    assert champion.version == first.version.version
    assert [(each.version, each.before) for each in told] == [(1, 2)]
    assert [each.version for each in registry.versions("dying") if each.retired] == [2]

    again = replace_dead(dead, on_dead="rollback", announce=told.append)
    assert again.outcome == "kept"  # whoever was judged dead trades no longer
    assert len(told) == 1

    last = replace_dead(
        dataclasses.replace(dead, model=first.version), on_dead="rollback", announce=told.append
    )
    assert last.outcome == "retired"  # there is nobody before
    assert registry.version_by_alias("dying", "champion") is None


@pytest.mark.parametrize(
    ("name", "other"), [("source", "files"), ("feed", "other"), ("adjustment", Adjustment.SPLIT)]
)
def test_r44_a_watch_on_bars_a_champion_does_not_trade_on_changes_nothing(
    asked: Served, tmp_path: Path, name: str, other: str
) -> None:
    champion = registered(asked, f"unlike in {name}", model=f"trading-{name}")
    against = reversed_rule(asked, tmp_path)
    features = build_features(against, names=NAMES)
    limits, told = DEFAULT_MONITOR_LIMITS, list[Event]()
    alike = watch_champion(against, features, champion, (), limits=limits)
    assert alike.decay.is_gone
    elsewhere = dataclasses.replace(against, **{name: other})
    with pytest.raises(ParameterError, match=name) as refused:
        replace_dead(
            watch_champion(elsewhere, features, champion, (), limits=limits),
            on_dead="retire",
            announce=told.append,
        )
    assert other in str(refused.value)
    assert "\n" not in str(refused.value)
    assert told == []
    assert registry.version_by_alias(f"trading-{name}", "champion") == champion.version
    assert not champion.version.retired


def test_r44_an_announcement_that_failed_is_sent_again_and_then_no_more(asked: Served) -> None:
    limits = MonitorLimits(most_age_sessions=LATER - 1)
    watch = watched(asked, asked.bars, limits)
    (event,) = events_of(watch, limits=limits)
    told: list[Event] = []

    def broken(event: Event) -> None:
        raise ConnectionError(event.name)

    with pytest.raises(ConnectionError):
        announce_once(watch, event, announce=broken)
    assert announce_once(watch, event, announce=told.append)
    assert not announce_once(watch, event, announce=told.append)
    assert told == [event]


def test_r44_a_champion_that_lives_is_never_touched(asked: Served) -> None:
    watch = watched(asked, asked.bars)
    assert watch.decay.state is CheckState.OK
    told: list[ChampionChanged] = []
    action = replace_dead(watch, on_dead="retire", announce=told.append)
    assert action.outcome == "kept"
    assert told == []


def registered(asked: Served, key: str, *, model: str = "dying") -> LoadedModel:
    """Register a model of the same content under another key and let it trade."""
    open_tracking()
    files = bundle_files(dataclasses.replace(asked.model.bundle, name=model))
    part = TrackedPart(name=key, parameters=(), metrics=())
    run_id = track(TrackedRun(experiment=model, key=f"{model}-{key}", main=part))
    version = registry.register(model, run_id=run_id, files=files, key=key)
    return LoadedModel(
        version=registry.set_champion(model, version.version, "for a test"),
        bundle=asked.model.bundle,
    )


def dying(asked: Served, bars: DatasetRef, model: LoadedModel) -> ModelWatch:
    watch = watched(asked, bars)
    assert watch.decay.is_gone
    return dataclasses.replace(watch, model=model.version)
