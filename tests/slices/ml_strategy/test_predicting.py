"""Serving: what is said, when nothing is, what is wanted of it, and what is written down."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from slices.domain.accounts import TradingMode
from slices.domain.alerts import ModelAged
from slices.domain.calendar import sessions_between
from slices.domain.forecasts import Forecast, Forecasts, ServingLimits
from slices.domain.learning import LabelSettings
from slices.domain.model_monitoring import MonitorLimits
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.parameters import Costs
from slices.domain.trading_errors import LedgerError
from slices.ledger.opening import ledger_for
from slices.ledger.predictions import read_predictions
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.features.building import build_features, read_features
from slices.ml_strategy.fitting.models import scores_of
from slices.ml_strategy.labels.ranks import forward_returns
from slices.ml_strategy.monitoring.acting import events_of
from slices.ml_strategy.monitoring.watching import watch_champion
from slices.ml_strategy.predicting.recording import mature_predictions, record_predictions
from slices.ml_strategy.predicting.serving import predict, predict_latest, predict_many
from slices.ml_strategy.predicting.weighing import (
    prediction_targets,
    standing_weights,
    trading_weights,
)
from slices.quant.panel import read_panel
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.slices.quant.market import stored
from tests.support.served import LABEL, NAMES, Served, served


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("served"))


def shortened(asked: Served, folder: Path, stop: int) -> Served:
    """The same market as it was known at the close of an earlier session."""
    panel = read_panel(asked.bars).until(stop)
    closes = {name: panel.close[:, i].copy() for i, name in enumerate(panel.symbols)}
    bars = stored(folder, panel.sessions, closes)
    return replace(asked, bars=bars, features=build_features(bars, names=NAMES))


def test_a_prediction_stands_on_nothing_after_its_session(asked: Served, tmp_path: Path) -> None:
    sessions = read_panel(asked.bars).sessions
    for back in (1, 12, 40):
        early = shortened(asked, tmp_path, len(sessions) - back)
        then = predict(asked.model, early.features, early.bars)
        now = predict(asked.model, asked.features, asked.bars, session=sessions[-1 - back])
        assert then.forecasts == now.forecasts
        assert then.matures == now.matures


def test_batch_latest_and_single_predictions_agree(asked: Served) -> None:
    latest = predict_latest(asked.model, asked.features, asked.bars)
    assert len(latest) == LABEL.horizon_sessions
    days = tuple(each.session for each in latest)
    assert predict_many(asked.model, asked.features, asked.bars, sessions=days) == latest
    assert predict(asked.model, asked.features, asked.bars) == latest[-1]


def test_scores_are_those_of_the_predictor(asked: Served) -> None:
    found = predict(asked.model, asked.features, asked.bars)
    rows = read_features(asked.features)
    values = rows.filter(rows["session"] == found.session).select(NAMES).to_numpy()
    expected = scores_of(asked.model.bundle.predictor, values, NAMES)
    assert [each.score for each in found.forecasts] == pytest.approx(expected.tolist(), rel=1e-12)


def test_a_prediction_matures_a_reach_of_the_label_later(asked: Served) -> None:
    found = predict(asked.model, asked.features, asked.bars)
    assert len(sessions_between(found.session, found.matures)) == LABEL.reach + 1


def test_higher_scores_promise_more_and_intervals_hold_the_expectation(asked: Served) -> None:
    found = predict(asked.model, asked.features, asked.bars).forecasts
    chances = [each.probability for each in sorted(found, key=lambda each: each.score)]
    assert chances == sorted(chances)
    assert all(each.lower < each.expected_return < each.upper for each in found)
    assert all(
        each.lower < each.decision_lower < each.decision_upper < each.upper for each in found
    )


def test_coverage_holds_on_sessions_nobody_had_seen(asked: Served) -> None:
    panel = read_panel(asked.bars)
    days = panel.sessions[-60 : -LABEL.reach]
    returns = forward_returns(panel.close, LABEL)
    inside = []
    for said in predict_many(asked.model, asked.features, asked.bars, sessions=days):
        row = panel.sessions.index(said.session)
        relative = returns[row] - returns[row].mean()
        pairs = zip(said.forecasts, relative, strict=True)
        inside += [each.lower <= value <= each.upper for each, value in pairs]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_larger_costs_and_confidence_make_it_abstain(asked: Served) -> None:
    def abstaining(**terms: object) -> int:
        found = predict(asked.model, asked.features, asked.bars, **terms)
        return sum(each.abstains for each in found.forecasts)

    free = abstaining(costs=Costs(commission_bps=0, slippage_bps=0))
    usual = abstaining()
    dear = abstaining(costs=Costs(commission_bps=900, slippage_bps=100))
    sure = abstaining(limits=ServingLimits(decision_confidence=0.95))
    assert free <= usual < dear == len(asked.bars.symbols)
    assert usual < sure


def test_commissions_per_share_count_as_well(asked: Served) -> None:
    closes = dict(zip(asked.bars.symbols, read_panel(asked.bars).close[-1], strict=True))

    def said(costs: Costs) -> dict[str, Forecast]:
        found = predict(asked.model, asked.features, asked.bars, costs=costs)
        return {each.symbol: each for each in found.forecasts}

    free = Costs(commission_bps=0, slippage_bps=0)
    bought = {name: each for name, each in said(free).items() if each.decision_lower > 0}
    assert bought
    for name, each in bought.items():
        for share, abstains in ((0.49, False), (0.51, True)):
            charged = share * each.decision_lower * closes[name]
            costs = free.model_copy(update={"commission_per_share": charged})
            assert said(costs)[name].abstains is abstains


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"limits": ServingLimits(most_age_sessions=20)}, "stale: found 60 sessions"),
        ({"session": dt.date(2013, 5, 1)}, "the training knew"),
        ({"session": dt.date(2015, 1, 10)}, "no bars"),
        ({"session": dt.date(2031, 1, 6)}, "no bars"),
    ],
    ids=["stale", "inside training", "no session", "ahead"],
)
def test_sessions_it_may_not_be_asked_at(
    asked: Served, terms: dict[str, object], words: str
) -> None:
    found = predict(asked.model, asked.features, asked.bars, **terms)
    assert found.forecasts == ()
    assert words in found.refusals[0]
    assert "allowed" in found.refusals[0]


def test_a_model_is_as_old_as_monitoring_says(asked: Served) -> None:
    """Else it is refused for its age on days on which nothing orders another."""
    watch = watch_champion(asked.bars, asked.features, asked.model, (), limits=MonitorLimits())
    for allowed in (watch.age_sessions - 1, watch.age_sessions):
        limits = ServingLimits(most_age_sessions=allowed)
        found = predict(asked.model, asked.features, asked.bars, limits=limits)
        aged = events_of(watch, limits=MonitorLimits(most_age_sessions=allowed))
        assert bool(found.refusals) is any(isinstance(each, ModelAged) for each in aged)
        assert bool(found.refusals) is (allowed < watch.age_sessions)


def test_no_model_is_an_answer(asked: Served) -> None:
    reason = ModelRefusal(model="planted", reason="found no champion; allowed: a registered one")
    for model in (None, reason):
        found = predict_latest(model, asked.features, asked.bars)
        assert found[-1].refusals
        assert found[-1].forecasts == ()
        assert standing_weights(found) == ()
    assert "no champion" in predict(reason, asked.features, asked.bars).refusals[0]


@pytest.mark.parametrize("kind", ["triple_barrier", "meta"])
def test_labels_that_cannot_be_traded_are_not_asked_for(
    asked: Served, kind: Literal["triple_barrier", "meta"]
) -> None:
    other = replace(asked.model, bundle=replace(asked.model.bundle, label=LabelSettings(kind=kind)))
    found = predict_latest(other, asked.features, asked.bars)
    assert all(each.forecasts == () and kind in each.refusals[0] for each in found)
    assert standing_weights(found) == ()


def forecast(symbol: str, lower: float, *, abstains: bool = False) -> Forecast:
    return Forecast(
        symbol=symbol, score=0.0, probability=0.5, expected_return=0.01, lower=-0.1, upper=0.1,
        decision_lower=lower, decision_upper=lower + 0.01, abstains=abstains,
    )  # fmt: skip


def said(*forecasts: Forecast, refusals: tuple[str, ...] = ()) -> Forecasts:
    return Forecasts(
        model=None, session=dt.date(2024, 1, 2), matures=dt.date(2024, 1, 10),
        forecasts=forecasts, refusals=refusals, costs=0.002,
    )  # fmt: skip


def test_weights_are_equal_capped_and_long_only() -> None:
    found = said(
        forecast("A", 0.003), forecast("B", 0.002), forecast("C", -0.05), forecast("D", 0.01),
        forecast("E", 0.01, abstains=True),
    )  # fmt: skip
    assert trading_weights(found) == (("A", 0.2), ("D", 0.2))
    assert trading_weights(found, most_weight=1.0) == (("A", 0.5), ("D", 0.5))
    assert trading_weights(said()) == ()


def test_a_part_is_held_until_its_predictions_mature() -> None:
    first, second = said(forecast("A", 0.01)), said(forecast("B", 0.01))
    nothing = said(refusals=("no bars",))
    history = (first, nothing, second, second)
    assert dict(standing_weights(history)) == pytest.approx({"A": 0.05, "B": 0.1})
    assert dict(standing_weights((nothing, second, second, nothing))) == {"B": 0.1}


def test_targets_cover_every_symbol_of_the_bars(asked: Served) -> None:
    history = predict_latest(asked.model, asked.features, asked.bars)
    targets = prediction_targets(asked.bars, history)
    assert targets.symbols == asked.bars.symbols
    assert 0 < sum(targets.weights) <= 1 + 1e-9
    wanted = {
        name: weight
        for name, weight in zip(targets.symbols, targets.weights, strict=True)
        if weight
    }
    assert wanted == dict(standing_weights(history))


@pytest.fixture
def fresh_books() -> None:
    ledger = ledger_for(TradingMode.PAPER)
    file = Path(ledger.name)
    ledger.close()
    for each in file.parent.glob("paper.db*"):
        each.unlink()


@pytest.mark.usefixtures("fresh_books")
def test_predictions_are_written_once_and_outcomes_when_they_mature(
    asked: Served, tmp_path: Path
) -> None:
    panel = read_panel(asked.bars)
    stop = len(panel.sessions) - 10
    early = shortened(asked, tmp_path, stop)
    found = predict(asked.model, early.features, early.bars)
    assert record_predictions(found, execution="plan") == 0
    assert record_predictions(found) == len(asked.bars.symbols)
    assert record_predictions(found) == 0
    assert mature_predictions(early.bars, asked.model) == 0
    assert mature_predictions(asked.bars, asked.model) == len(asked.bars.symbols)
    assert mature_predictions(asked.bars, asked.model) == 0
    ledger = ledger_for(TradingMode.PAPER)
    records = read_predictions(ledger, model="planted", version=3)
    ledger.close()
    returns = forward_returns(panel.close, LABEL)[stop - 1]
    expected = dict(zip(panel.symbols, returns - returns.mean(), strict=True))
    assert {each.symbol: each.outcome for each in records} == pytest.approx(expected)
    assert sorted(each.label for each in records) == pytest.approx(np.linspace(-0.5, 0.5, 12))


@pytest.mark.usefixtures("fresh_books")
def test_another_answer_to_the_same_question_is_an_error(asked: Served) -> None:
    found = predict(asked.model, asked.features, asked.bars)
    record_predictions(found)
    first = replace(found.forecasts[0], score=found.forecasts[0].score + 1)
    with pytest.raises(LedgerError, match="score"):
        record_predictions(replace(found, forecasts=(first, *found.forecasts[1:])))


@pytest.mark.usefixtures("fresh_books")
def test_outcomes_wait_for_every_symbol_that_was_predicted(asked: Served, tmp_path: Path) -> None:
    panel = read_panel(asked.bars)
    day = panel.sessions[-20]
    found = predict(asked.model, asked.features, asked.bars, session=day)
    record_predictions(found)
    closes = {name: panel.close[:, i].copy() for i, name in enumerate(panel.symbols)}
    fewer = stored(tmp_path, panel.sessions, {name: closes[name] for name in panel.symbols[:5]})
    assert mature_predictions(fewer, asked.model) == 0
    gone = dict(closes)
    gone[panel.symbols[0]][-18:] = math.nan
    (tmp_path / "gone").mkdir()
    without = stored(tmp_path / "gone", panel.sessions, gone)
    assert mature_predictions(without, asked.model) == 11


@pytest.mark.usefixtures("fresh_books")
def test_a_version_is_judged_by_what_it_predicted_itself(asked: Served) -> None:
    """Labels may reach equally far and yet begin elsewhere."""
    panel = read_panel(asked.bars)
    record_predictions(
        predict(asked.model, asked.features, asked.bars, session=panel.sessions[-20])
    )
    label = LabelSettings(horizon_sessions=4, entry_lag_sessions=2)
    assert label.reach == LABEL.reach
    bundle = replace(asked.model.bundle, label=label)
    later = LoadedModel(version=replace(asked.model.version, version=4), bundle=bundle)
    assert mature_predictions(asked.bars, later) == 0
    name, own = asked.model.version.name, asked.model.bundle
    open_tracking()
    for key in "abc":
        part = TrackedPart(name=f"{name} {key}", parameters=(), metrics=())
        run_id = track(TrackedRun(experiment="served", key=f"{name} {key}", main=part))
        registry.register(name, run_id=run_id, files=bundle_files(own), key=key)
    assert mature_predictions(asked.bars, later) == len(panel.symbols)
    ledger = ledger_for(TradingMode.PAPER)
    records = read_predictions(ledger, model=name, version=3)
    ledger.close()
    returns = forward_returns(panel.close, LABEL)[-20]
    expected = dict(zip(panel.symbols, returns - returns.mean(), strict=True))
    assert {each.symbol: each.outcome for each in records} == pytest.approx(expected)
