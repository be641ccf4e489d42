"""What monitoring announces starts a training, by the trigger of its deployment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

from deployments.apply import apply
from slices.domain.alerts import ChampionChanged, FeatureDrifted, Level, ModelAged, SkillDecayed
from slices.runtime.events import emit
from slices.runtime.settings import Settings
from tests.support.applying import small, wipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

    from slices.domain.alerts import Event

pytestmark = [pytest.mark.server, pytest.mark.slow]

SECONDS = 120.0
DEPLOYMENT = "ml-model-training/retrain"
SAID = "said by a test"


@pytest.fixture(scope="module")
def client(api_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncPrefectClient]:
    file: Path = tmp_path_factory.mktemp("retraining") / "prefect.yaml"
    file.write_text(small())
    apply(Settings(), api_url, file=file)
    with get_client(sync_client=True) as each:
        yield each
        wipe(each)


def changed(model: str) -> Event:
    return ChampionChanged(subject=model, level=Level.ERROR, message=SAID, version=0, before=1)


def decayed(model: str) -> Event:
    return SkillDecayed(
        subject=model, level=Level.ERROR, message=SAID, information_coefficient=0.0,
        expected=0.03, session="2024-01-02",
    )  # fmt: skip


def drifted(model: str) -> Event:
    return FeatureDrifted(
        subject=model, level=Level.ERROR, message=SAID, features=40, worst="volatility_21",
        session="2024-01-02",
    )  # fmt: skip


def aged(model: str) -> Event:
    return ModelAged(
        subject=model, level=Level.ERROR, message=SAID, age_sessions=200, allowed_sessions=126
    )


def runs(client: SyncPrefectClient) -> list[FlowRun]:
    wanted = DeploymentFilterId(any_=[client.read_deployment_by_name(DEPLOYMENT).id])
    return client.read_flow_runs(deployment_filter=DeploymentFilter(id=wanted))


def new_runs(client: SyncPrefectClient, before: set[UUID]) -> list[FlowRun]:
    """Wait for runs that were not there before; none where none comes in time."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = [each for each in runs(client) if each.id not in before]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


@pytest.mark.parametrize("event", [decayed("decayed"), drifted("drifted"), aged("aged")])
def test_what_is_no_longer_true_is_trained_anew(client: SyncPrefectClient, event: Event) -> None:
    before = {each.id for each in runs(client)}
    emit(event)
    (new,) = new_runs(client, before)
    assert new.parameters["model"] == event.subject


def test_another_event_of_a_model_trains_nothing(client: SyncPrefectClient) -> None:
    before = {each.id for each in runs(client)}
    emit(changed("changed-before-it-aged"))
    emit(aged("cross-section"))
    # Events are looked at one after the other: the first would have had its run by now.
    (new,) = new_runs(client, before)
    assert new.parameters["model"] == "cross-section"
