"""Registered models as the watch sees them, and predictions whose skill is known beforehand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import spearmanr

from slices.domain.accounts import TradingMode
from slices.domain.calendar import missed_sessions
from slices.domain.errors import IntegrityError, SettingsError
from slices.domain.forecasts import PredictionOutcome, PredictionRecord
from slices.domain.model_monitoring import DriftWatch, FeatureDrift
from slices.domain.observations import FeedFacts, ModelFacts
from slices.ledger.opening import ledger_for
from slices.ledger.predictions import write_outcomes, write_predictions
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.observing import coverage, keep_look, live_ic, model_facts
from slices.runtime import registry
from slices.runtime.mlflow_store import open_client, open_tracking
from slices.runtime.model_files import MODEL_TAG
from slices.runtime.settings import load_settings
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.support.frames import sessions
from tests.support.served import served

if TYPE_CHECKING:
    from slices.domain.models import ModelBundle, ModelVersion

AT = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)
SESSIONS = sessions(30)
SYMBOLS = tuple(f"S{each}" for each in range(8))


def predicted(
    session: dt.date, symbol: str, score: float, *, version: int = 1, half_width: float = 1.0
) -> PredictionRecord:
    return PredictionRecord(
        model="seen",
        version=version,
        session=session,
        symbol=symbol,
        matures=session + dt.timedelta(days=7),
        score=score,
        probability=0.5,
        expected_return=0.0,
        lower=-half_width,
        upper=half_width,
        abstains=False,
        recorded_at=AT,
    )


def drawn(count: int, *, noise: float = 1.0) -> tuple[PredictionRecord, ...]:
    """Predictions of so many sessions with outcomes that are scores and noise."""
    generator = np.random.default_rng(3)
    records = []
    for session in SESSIONS[:count]:
        scores = generator.normal(size=len(SYMBOLS))
        outcomes = scores + noise * generator.normal(size=len(SYMBOLS))
        labels = outcomes.argsort().argsort() / (len(SYMBOLS) - 1) - 0.5
        for symbol, score, outcome, label in zip(SYMBOLS, scores, outcomes, labels, strict=True):
            record = predicted(session, symbol, float(score))
            records.append(replace(record, outcome=float(outcome), label=float(label)))
    return tuple(records)


def test_the_live_coefficient_is_the_mean_rank_correlation_of_sessions() -> None:
    records = drawn(25)
    by_session = [[each for each in records if each.session == day] for day in SESSIONS[:25]]
    known = [
        spearmanr([each.score for each in day], [each.outcome for each in day]).statistic
        for day in by_session
    ]
    assert live_ic(records) == pytest.approx(np.mean(known))
    assert live_ic(tuple(reversed(records))) == pytest.approx(np.mean(known))


def test_a_coefficient_of_few_sessions_is_not_defined() -> None:
    assert math.isnan(live_ic(()))
    assert math.isnan(live_ic(drawn(19)))
    assert live_ic(drawn(20, noise=0.0)) == pytest.approx(1.0)


def test_coverage_is_the_share_within() -> None:
    records = drawn(25)
    outcomes = np.array([each.outcome for each in records])
    assert coverage(records) == pytest.approx((np.abs(outcomes) <= 1).mean())
    assert math.isnan(coverage(()))


def test_where_nothing_was_registered_nothing_is_made(fresh_home: str) -> None:
    assert model_facts(at=AT) == ()
    assert not list(Path(fresh_home).iterdir())


@dataclass(frozen=True)
class Seen:
    """A bundle that was registered three times, and the feed it learnt from."""

    bundle: ModelBundle
    versions: tuple[ModelVersion, ...]

    def only(self, *feeds: FeedFacts) -> ModelFacts:
        (found,) = model_facts(at=AT, feeds=feeds)
        return found


@pytest.fixture(scope="module")
def registered_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A home of its own, since making its database takes long."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TRADEFLOWS_HOME", str(tmp_path_factory.mktemp("models")))
        bundle = replace(served(tmp_path_factory.mktemp("served")).model.bundle, name="seen")
        open_tracking()
        part = TrackedPart(name="seen", parameters=(), metrics=())
        run_id = track(TrackedRun(experiment="seen", key="seen", main=part))
        files = bundle_files(bundle)
        made = [registry.register("seen", run_id=run_id, files=files, key=key) for key in "abc"]
        yield Seen(bundle, tuple(made))


@pytest.fixture
def seen(registered_once: Seen) -> Iterator[Seen]:
    """The three versions, of which the third is the challenger, and none the champion."""
    client = open_client()
    client.set_registered_model_alias("seen", "challenger", "3")
    yield registered_once
    for alias in ("champion", "challenger"):
        client.delete_registered_model_alias("seen", alias)
    for each in registered_once.versions:
        client.delete_model_version_tag("seen", str(each.version), registry.RETIRED_TAG)


def feed_of(bundle: ModelBundle, last: dt.date) -> FeedFacts:
    return FeedFacts(
        source=bundle.source,
        feed=bundle.feed,
        symbols=1,
        rows=1,
        last_session=last,
        is_final=False,
        age_sessions=0,
        gaps=0,
        quarantined=0,
        suspected_splits=0,
        ingested=AT,
    )


@pytest.mark.slow
def test_a_champion_and_a_challenger_are_seen_with_what_the_books_say_of_them(seen: Seen) -> None:
    registry.set_champion("seen", 1, "for a test")
    assert [(each.version, each.alias) for each in model_facts(at=AT)] == [
        (1, "champion"), (3, "challenger")
    ]  # fmt: skip
    _written(drawn(22))
    champion, challenger = model_facts(at=AT)
    assert champion.kind == seen.bundle.predictor.kind.value
    assert champion.expected_ic == seen.bundle.skill.information_coefficient
    assert champion.trained_to == seen.bundle.known_until
    assert champion.live_ic == pytest.approx(live_ic(drawn(22)))
    assert champion.coverage == pytest.approx(coverage(drawn(22)))
    assert (champion.matured, champion.pending) == (22 * 8, 1)
    assert (challenger.matured, challenger.pending) == (0, 0)
    assert math.isnan(challenger.live_ic)
    assert champion.page.endswith("seen/versions/1?workflowType=machine_learning")


def _written(records: tuple[PredictionRecord, ...]) -> None:
    """Write predictions with their outcomes into the books, and one whose outcome is not known."""
    waiting = predicted(SESSIONS[-1], "S0", 0.1)
    ledger = ledger_for(TradingMode.PAPER)
    unknown = [replace(each, outcome=math.nan, label=math.nan) for each in records]
    write_predictions(ledger, [*unknown, waiting])
    write_outcomes(
        ledger,
        [
            PredictionOutcome(
                model=each.model, version=each.version, session=each.session, symbol=each.symbol,
                outcome=each.outcome, label=each.label, known_at=AT,
            )
            for each in records
        ],
    )  # fmt: skip
    ledger.close()


@pytest.mark.slow
def test_the_newest_is_seen_where_nobody_is_followed(seen: Seen) -> None:
    registry.set_champion("seen", 3, "for a test")
    registry.retire("seen", "for a test")
    found = seen.only()
    assert (found.version, found.alias) == (3, "")
    assert math.isnan(found.drifted)
    keep_look(seen.versions[2], looked_at(beyond=1, features=5))
    assert seen.only().drifted == pytest.approx(0.2)


def looked_at(*, beyond: int, features: int) -> DriftWatch:
    """A look that found so many features beyond their limit."""
    feature = FeatureDrift(
        name="one", psi=0.1, psi_limit=0.2, ks=0.1, ks_limit=0.2, shift=0.0, multiple=0.5,
        measure="psi", unknown_share=0.0, trained_unknown_share=0.0,
    )  # fmt: skip
    return DriftWatch(
        session=SESSIONS[0], window_sessions=21, features=(feature,) * features, beyond=beyond,
        beyond_limit=2, largest=0.5, alone_limit=3.0, is_alarm=False, alarm_rate=0.05, ends=(),
        beyond_history=(), alarms=(),
    )  # fmt: skip


@pytest.mark.slow
def test_a_model_ages_by_what_its_feed_has_and_else_by_the_calendar(seen: Seen) -> None:
    registry.set_champion("seen", 3, "for a test")
    known = seen.bundle.known_until
    later = sessions(6, first=known)[-1]
    assert seen.only(feed_of(seen.bundle, later)).age_sessions == 5
    assert seen.only(feed_of(seen.bundle, known)).age_sessions == 0
    other = replace(feed_of(seen.bundle, known), feed="another")
    assert seen.only(other).age_sessions == missed_sessions(known, AT.date())


@pytest.mark.slow
def test_a_model_that_was_tampered_with_is_an_error_and_not_a_fact(seen: Seen) -> None:
    registry.set_champion("seen", 2, "for a test")
    kept = {each: each.read_bytes() for each in load_settings().home.rglob("bundle.json")}
    for file, content in kept.items():
        file.write_bytes(content + b" ")
    with pytest.raises(IntegrityError):
        model_facts(at=AT)
    for file, content in kept.items():
        file.write_bytes(content)
    assert len(model_facts(at=AT)) == 2


@pytest.mark.slow
def test_a_store_that_gives_no_answer_in_between_is_an_error_of_ours(seen: Seen) -> None:
    part = TrackedPart(name="gone", parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="gone", key="gone", main=part))
    registry.register("gone", run_id=run_id, files=bundle_files(seen.bundle), key="gone")
    client = open_client()
    client.delete_logged_model(client.get_model_version("gone", "1").tags[MODEL_TAG])
    with pytest.raises(SettingsError, match="MLFLOW"):
        model_facts(at=AT)
    client.delete_registered_model("gone")
