from __future__ import annotations

import dataclasses
import math
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from slices.domain.monitoring import Unit
from slices.domain.observations import Observation
from slices.monitor.health import health
from slices.monitor.history import Measurement
from slices.monitor.metrics import METRICS, measure
from slices.monitor.prometheus import exposition, prometheus_name
from tests.support.observed import half_seen, hostile, observation

BREAKING = 'x"} 1\nmade_up{y="\\'

Labelled = tuple[str, tuple[tuple[str, str], ...]]


def measured(seen: Observation) -> Measurement:
    samples = measure(seen)
    scores = health(seen, samples, ())
    return Measurement(at=seen.at, observation=seen, samples=samples, health=scores)


def parsed(text: str) -> dict[Labelled, float]:
    found = {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }
    lines = [each for each in text.splitlines() if not each.startswith("#")]
    assert len(found) == len(lines)
    return found


def linted(text: str) -> subprocess.CompletedProcess[str]:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    return subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )


def renamed(word: str) -> Observation:
    seen = observation()
    assert seen.accounts is not None
    assert seen.server is not None
    account = dataclasses.replace(seen.accounts[0], name=word)
    durations = ((word, 3.0),)
    server = dataclasses.replace(seen.server, durations=durations, states=((word, 1),))
    return dataclasses.replace(seen, accounts=(account,), server=server)


@pytest.mark.parametrize("seen", [observation(), half_seen(), hostile(), renamed(BREAKING)])
def test_every_sample_is_read_back_by_the_client_of_prometheus(seen: Observation) -> None:
    measurement = measured(seen)
    names = {each.name: prometheus_name(each) for each in METRICS}
    expected = {(names[each.metric], each.labels): each.value for each in measurement.samples}
    found = parsed(exposition(measurement))
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, nan_ok=True, rel=1e-15), key
    scores = {each.part: each.score for each in measurement.health if each.score is not None}
    for part, score in scores.items():
        assert found.pop(("tradeflows_health_points", (("part", part),))) == score
    assert found.pop(("tradeflows_measured_timestamp_seconds", ())) == seen.at.timestamp()
    assert found.keys() == expected.keys()


@pytest.mark.parametrize(
    "seen", [observation(), Observation(at=observation().at), hostile(), renamed(BREAKING)]
)
def test_promtool_has_nothing_to_say(seen: Observation) -> None:
    found = linted(exposition(measured(seen)))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_promtool_would_say_something() -> None:
    assert linted("tradeflows_total 1\n").returncode != 0


def test_r45_a_name_from_outside_cannot_add_a_metric() -> None:
    text = exposition(measured(renamed(BREAKING)))
    assert not [each for each in text.splitlines() if each.startswith("made_up")]
    assert {name for name, _ in parsed(text)} == {
        name for name, _ in parsed(exposition(measured(observation())))
    }


def test_what_is_undefined_is_nan_and_what_was_not_seen_is_absent() -> None:
    found = parsed(exposition(measured(half_seen())))
    fresh = (("account", "fresh"), ("mode", "paper"))
    assert math.isnan(found["tradeflows_account_volatility_ratio", fresh])
    assert not [name for name, _ in found if name.startswith("tradeflows_model_")]
    assert ("tradeflows_health_points", (("part", "models"),)) not in found


def test_a_name_says_its_unit_and_is_said_once() -> None:
    names = [prometheus_name(each) for each in METRICS]
    assert len(set(names)) == len(names)
    for kind, name in zip(METRICS, names, strict=True):
        if kind.unit not in {Unit.COUNT, Unit.STATE}:
            assert name.endswith(f"_{kind.unit.value}"), name


def test_every_metric_brings_its_help_and_kind() -> None:
    text = exposition(measured(observation()))
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
