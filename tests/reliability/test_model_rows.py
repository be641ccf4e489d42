"""Rows 40 and 44: models nobody tampered with, and champions that earned it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slices.domain.learning import Canary, LabelSettings
from slices.domain.learning_errors import ModelError, ModelNotFoundError, TamperedModelError
from slices.domain.model_monitoring import MonitorLimits
from slices.domain.models import LoadedModel, ModelBundle, ModelRefusal, ModelVersion, Promotion
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.features.computing import feature_frame
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.monitoring.reference import drift_reference
from slices.ml_strategy.registry.loading import find_model, load_model
from slices.ml_strategy.training.promoting import promote
from slices.quant.panel import read_panel
from slices.runtime import registry
from slices.runtime.mlflow_store import open_client, open_tracking
from slices.runtime.model_files import MODEL_TAG
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.support.served import LABEL, NAMES, Served, served

pytestmark = pytest.mark.slow

QUIET = Canary(
    name="shuffled_labels", question="?", found=0.0, allowed="0", is_singing=False, detail=""
)
SINGING = replace(QUIET, is_singing=True)


@pytest.fixture(scope="module", autouse=True)
def _ready(api_url: str) -> None:
    """Events go to a real server."""
    assert api_url
    open_tracking()


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(Path(tmp_path_factory.mktemp("market")))


def believed(market: Served, name: str, **changes: Any) -> ModelBundle:
    """The planted model under another name, as if its signal were not too strong to be true."""
    bundle = market.model.bundle
    skill = replace(bundle.skill, suspicions=(), net_sharpe_ratio=0.5)
    return replace(bundle, name=name, skill=skill, **changes)


def registered(bundle: ModelBundle, key: str) -> ModelVersion:
    part = TrackedPart(name=bundle.name, parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="rows", key=f"{bundle.name}-{key}", main=part))
    return registry.register(bundle.name, run_id=run_id, files=bundle_files(bundle), key=key)


def judged(
    market: Served,
    bundle: ModelBundle,
    key: str,
    *,
    canary: Canary = QUIET,
    limits: MonitorLimits | None = None,
) -> Promotion:
    return promote(
        bundle,
        registered(bundle, key),
        bars=market.bars,
        features=market.features,
        canaries=(canary,),
        limits=limits or MonitorLimits(),
    )


def failed(promotion: Promotion) -> set[str]:
    return {each.name for each in promotion.tests if not each.is_passed}


def noisier(bundle: ModelBundle, *, noise: float, seed: int = 0) -> ModelBundle:
    """The same model with out-of-sample scores that know less."""
    scores = bundle.out_of_sample
    spread = noise * float(np.nanstd(scores.scores))
    drawn = np.random.default_rng(seed).normal(0.0, spread, scores.scores.shape)
    return replace(bundle, out_of_sample=replace(scores, scores=scores.scores + drawn))


def stored_files(version: ModelVersion) -> Path:
    client: Any = open_client()
    model_id = client.get_model_version(version.name, str(version.version)).tags[MODEL_TAG]
    place = client.get_logged_model(model_id).artifact_location
    return Path(str(place).removeprefix("file://"))


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("name", ["bundle.json", "out_of_sample.arrow", "model.pkl"])
def test_r40_a_malicious_pickle_is_refused_and_never_opened(
    market: Served, name: str, tmp_path: Path
) -> None:
    model = f"pickle-{name.split('.', maxsplit=1)[0].replace('_', '-')}"
    version = registered(believed(market, model), "k")
    registry.set_champion(model, version.version, "for a test")
    assert load_model(model).bundle.name == model
    bomb = tmp_path / "exploded"
    (stored_files(version) / name).write_bytes(pickle.dumps(Bomb(bomb)))
    with pytest.raises(TamperedModelError):
        load_model(model)
    refused = find_model(model)
    assert isinstance(refused, ModelRefusal)
    assert not bomb.exists()


def test_r40_an_edited_number_is_refused(market: Served) -> None:
    version = registered(believed(market, "edited"), "k")
    registry.set_champion("edited", version.version, "for a test")
    file = stored_files(version) / "bundle.json"
    text = file.read_text()
    file.write_text(text.replace('"slope":', '"slope": ', 1) if '"slope":' in text else text + " ")
    with pytest.raises(TamperedModelError):
        load_model("edited")


def test_r40_what_is_loaded_is_what_was_registered(market: Served) -> None:
    bundle = believed(market, "intact")
    registry.set_champion("intact", registered(bundle, "k").version, "for a test")
    loaded = find_model("intact")
    assert isinstance(loaded, LoadedModel)
    assert bundle_files(loaded.bundle) == bundle_files(bundle)


def test_r40_a_tampered_champion_is_not_compared_with(market: Served) -> None:
    first = judged(market, believed(market, "tampered"), "first")
    assert first.champion is not None
    (stored_files(first.champion) / "bundle.json").write_bytes(b"{}")
    second = judged(market, noisier(believed(market, "tampered"), noise=0.1), "second")
    assert second.outcome == "challenger"
    assert failed(second) == {"Against the champion"}


def test_r44_the_first_that_passes_trades_and_an_equal_does_not_replace_it(market: Served) -> None:
    bundle = believed(market, "equal")
    first = judged(market, bundle, "first")
    assert (first.outcome, failed(first)) == ("promoted", set())
    assert first.champion is not None
    assert first.champion.aliases == ("champion",)
    second = judged(market, noisier(bundle, noise=0.05), "second")
    assert second.outcome == "challenger"
    assert failed(second) == {"Against the champion"}
    champion = registry.version_by_alias("equal", "champion")
    assert champion is not None
    assert champion.version == 1


def test_r44_a_better_one_replaces_the_champion_and_one_step_brings_it_back(
    market: Served,
) -> None:
    best = believed(market, "better")
    weak = judged(market, noisier(best, noise=3.0), "weak")
    assert weak.outcome == "promoted"
    strong = judged(market, best, "strong")
    assert strong.outcome == "promoted"
    assert strong.before is not None
    assert strong.before.version == 1
    assert registry.rollback("better", "by hand").version == 1
    with pytest.raises(ModelError):
        registry.rollback("better", "once more")


def test_r44_the_same_training_is_judged_once(market: Served) -> None:
    bundle = believed(market, "once")
    first = judged(market, bundle, "same")
    registry.retire("once", "by hand")
    again = judged(market, bundle, "same")
    assert again.outcome == "known"
    assert again.version.version == first.version.version
    assert "retired (by hand)" in again.reason
    assert repr(again.tests) == repr(first.tests)
    with pytest.raises(ModelNotFoundError):
        load_model("once")


def test_r44_a_challenger_is_judged_anew_once_nobody_trades(market: Served) -> None:
    bundle = believed(market, "anew")
    judged(market, bundle, "first")
    challenger = noisier(bundle, noise=0.05)
    assert judged(market, challenger, "second").outcome == "challenger"
    assert judged(market, challenger, "second").outcome == "known"
    registry.retire("anew", "by hand")
    made = judged(market, challenger, "second")
    assert made.outcome == "promoted"
    assert made.version.version == 2


def test_r44_a_model_that_does_not_pay_its_costs_is_not_promoted(market: Served) -> None:
    bundle = believed(market, "dear")
    skill = replace(bundle.skill, net_sharpe_ratio=0.0)
    assert failed(judged(market, replace(bundle, skill=skill), "k")) == {"Pays its costs"}


def test_r44_a_suspect_model_is_not_promoted(market: Served) -> None:
    made = judged(market, replace(market.model.bundle, name="suspect"), "k")
    assert "Believable" in failed(made)
    assert made.champion is None


def test_r44_a_singing_canary_is_not_promoted(market: Served) -> None:
    made = judged(market, believed(market, "singing"), "k", canary=SINGING)
    assert failed(made) == {"Canaries"}


def test_r44_a_model_older_than_the_limit_is_not_promoted(market: Served) -> None:
    made = judged(market, believed(market, "old"), "k", limits=MonitorLimits(most_age_sessions=59))
    assert failed(made) == {"Fresh"}
    young = judged(
        market, believed(market, "young"), "k", limits=MonitorLimits(most_age_sessions=60)
    )
    assert young.outcome == "promoted"


def test_r44_drift_above_the_limit_is_not_promoted(market: Served) -> None:
    bundle = believed(market, "drifted")
    moved = replace(
        bundle.drift, edges=bundle.drift.edges + 1e3, quantiles=bundle.drift.quantiles + 1e3
    )
    made = judged(market, replace(bundle, drift=moved), "k")
    assert failed(made) == {"Features as in training"}


def test_r44_drift_that_cannot_be_judged_is_not_promoted(market: Served) -> None:
    """A training too short to learn limits from has none to keep to."""
    panel = read_panel(market.bars).until(200)
    examples = examples_from(panel, feature_frame(panel, NAMES), LABEL)
    drift = drift_reference(examples.features, examples.row, NAMES, seed=0)
    assert np.isnan(drift.alone_limit)
    made = judged(market, believed(market, "unjudged", drift=drift), "k")
    assert failed(made) == {"Features as in training"}
    assert made.champion is None


def test_r44_a_champion_too_old_to_trade_needs_only_not_be_better(market: Served) -> None:
    bundle = believed(market, "replaced")
    long_ago = bundle.out_of_sample.sessions[200]
    first = judged(market, bundle, "first")
    assert first.outcome == "promoted"
    aged = replace(bundle, name="aged", known_until=long_ago)
    registry.set_champion("aged", registered(aged, "old").version, "long ago")
    made = judged(market, replace(noisier(bundle, noise=0.05), name="aged"), "new")
    assert made.outcome == "promoted", failed(made)


def test_r44_a_champion_of_another_label_is_not_compared_with(market: Served) -> None:
    other = believed(market, "label", label=LabelSettings(horizon_sessions=10))
    registry.set_champion("label", registered(other, "ten").version, "for a test")
    made = judged(market, believed(market, "label"), "five")
    assert failed(made) == {"Against the champion"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("source", "files"), ("feed", "another"), ("adjustment", "raw"), ("symbols", ("A", "B"))],
)
def test_r44_a_better_one_of_other_bars_does_not_replace_the_champion(
    market: Served, field: str, value: object
) -> None:
    """Whoever trades the champion would be refused the new one every day."""
    best = believed(market, f"bars-{field}")
    judged(market, noisier(best, noise=3.0), "weak")
    other = judged(market, replace(best, **{field: value}), "other")
    assert other.outcome == "challenger"
    assert failed(other) == {"Against the champion"}
    assert other.champion is not None
    assert other.champion.version == 1


def test_r44_a_better_one_of_earlier_bars_does_not_replace_the_champion(market: Served) -> None:
    best = believed(market, "earlier")
    judged(market, noisier(best, noise=3.0), "weak")
    day = best.out_of_sample.sessions[-2]
    assert day < best.known_until
    earlier = judged(market, replace(best, known_until=day), "earlier")
    assert earlier.outcome == "challenger"
    assert failed(earlier) == {"Against the champion"}


def test_r44_a_dead_champion_is_retired_even_where_nobody_replaces_it(market: Served) -> None:
    bundle = believed(market, "dead")
    reversed_model = replace(bundle.predictor, coefficients=-bundle.predictor.coefficients)
    dead = replace(bundle, predictor=reversed_model)
    registry.set_champion("dead", registered(dead, "dead").version, "it was good once")
    made = judged(market, bundle, "next", canary=SINGING)
    assert made.outcome == "challenger"
    assert made.retired
    assert made.champion is None
    assert registry.version_by_alias("dead", "champion") is None
    refused = find_model("dead")
    assert isinstance(refused, ModelRefusal)
