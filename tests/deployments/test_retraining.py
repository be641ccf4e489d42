"""What monitoring announces starts a training, by the trigger of its deployment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tests.support.server import Server, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

pytestmark = [pytest.mark.server, pytest.mark.slow]

ENTRYPOINT, NAME = "flows.ml_training.ml_model_training", "retrain"
EMIT = """
import sys
from prefect.events.worker import EventsWorker
from slices.domain.alerts import ChampionChanged, FeatureDrifted, Level, ModelAged, SkillDecayed
from slices.runtime.events import emit

common = {"subject": sys.argv[2], "level": Level.ERROR, "message": "said by a test"}
emit({
    "changed": lambda: ChampionChanged(**common, version=0, before=1),
    "decayed": lambda: SkillDecayed(
        **common, information_coefficient=0.0, expected=0.03, session="2024-01-02"),
    "drifted": lambda: FeatureDrifted(
        **common, features=40, worst="volatility_21", session="2024-01-02"),
    "aged": lambda: ModelAged(**common, age_sessions=200, allowed_sessions=126),
}[sys.argv[1]]())
EventsWorker.instance().drain()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("retraining") / "home") as each:
        each.deploy(ENTRYPOINT, NAME)
        yield each


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[SyncPrefectClient]:
    with SyncPrefectClient(server.url) as each:
        yield each


def new_runs(client: SyncPrefectClient, before: set[UUID], *, seconds: float) -> list[FlowRun]:
    """Wait for runs that were not there before; none where none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = [each for each in client.read_flow_runs() if each.id not in before]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


@pytest.mark.parametrize("event", ["decayed", "drifted", "aged"])
def test_what_is_no_longer_true_is_trained_anew(
    server: Server, client: SyncPrefectClient, event: str
) -> None:
    before = {each.id for each in client.read_flow_runs()}
    server.command("python", "-c", EMIT, event, f"ranks-{event}")
    runs = new_runs(client, before, seconds=60)
    wanted = client.read_deployment_by_name(f"ml-model-training/{NAME}")
    assert [each.deployment_id for each in runs] == [wanted.id]
    assert [each.parameters["model"] for each in runs] == [f"ranks-{event}"]


def test_another_event_of_a_model_trains_nothing(server: Server, client: SyncPrefectClient) -> None:
    before = {each.id for each in client.read_flow_runs()}
    server.command("python", "-c", EMIT, "changed", "cross-section")
    server.command("python", "-c", EMIT, "aged", "cross-section")
    # Events are looked at one after the other: the first would have had its run by now.
    assert len(new_runs(client, before, seconds=60)) == 1
