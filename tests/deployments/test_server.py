"""The deployments on a real server with a real process worker."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.exceptions import PrefectHTTPStatusError

from deployments.apply import apply
from slices.runtime.settings import Settings
from tests.support.server import Server, running_server, running_worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

pytestmark = [pytest.mark.server, pytest.mark.slow]

RUN_SECONDS = 150.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server") / "home") as each:
        apply(Settings(), each.url)
        yield each


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[SyncPrefectClient]:
    with SyncPrefectClient(server.url) as each:
        yield each


def runs_of(client: SyncPrefectClient, deployment: str) -> list[FlowRun]:
    return client.read_flow_runs(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))
    )


def wait_for_end(client: SyncPrefectClient, run_id: UUID) -> FlowRun:
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        run = client.read_flow_run(run_id)
        if run.state is not None and run.state.is_final():
            return run
        time.sleep(0.5)
    raise AssertionError(client.read_flow_run(run_id).state)


def test_a_scheduled_run_appears(client: SyncPrefectClient) -> None:
    deadline = time.monotonic() + 60
    found: list[FlowRun] = []
    while not found and time.monotonic() < deadline:
        found = client.read_flow_runs(
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=["daily"])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(name=FlowRunFilterStateName(any_=["Scheduled"]))
            ),
        )
        time.sleep(0.5)
    assert found
    assert all(run.expected_start_time is not None for run in found)
    assert {run.expected_start_time.weekday() for run in found if run.expected_start_time} <= set(
        range(5)
    )


def test_prefect_s_own_command_deploys_the_same(server: Server, client: SyncPrefectClient) -> None:
    def picture() -> list[tuple[Any, ...]]:
        return sorted(
            (str(each.id), each.name, each.entrypoint, len(each.schedules), str(each.parameters))
            for each in client.read_deployments()
        )

    before = picture()
    server.command("prefect", "--no-prompt", "deploy", "--all", timeout=280)
    assert picture() == before
    assert apply(Settings(), server.url, check=True) == ()


def test_the_form_explains_every_parameter(client: SyncPrefectClient) -> None:
    deployment = client.read_deployment_by_name("portfolio-analysis/adhoc")
    assert deployment.description
    assert "What do I hold" in deployment.description
    properties = deployment.parameter_openapi_schema["properties"]  # type: ignore[index]
    assert all(each["description"] for each in properties.values())


@pytest.mark.parametrize(
    "parameters",
    [{"symbols": ["AAPL"]}, {"capital": -5}, {"start": "2013-13-01"}, {"source": "moon"}],
)
def test_r21_the_api_refuses_bad_parameters_before_a_run_exists(
    client: SyncPrefectClient, parameters: dict[str, Any]
) -> None:
    deployment = client.read_deployment_by_name("portfolio-analysis/adhoc")
    with pytest.raises(PrefectHTTPStatusError, match=r"409|422"):
        client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
    assert runs_of(client, "adhoc") == []


def test_a_worker_runs_what_the_command_orders(server: Server, client: SyncPrefectClient) -> None:
    with running_worker(server):
        printed = server.command(
            "prefect", "deployment", "run", "portfolio-analysis/adhoc",
            "-p", 'symbols=["AAPL","MSFT"]', "-p", "start=2010-01-04",
        )  # fmt: skip
        assert "Created flow run" in printed
        run = runs_of(client, "adhoc")[0]
        ended = wait_for_end(client, run.id)
    assert ended.state is not None
    assert ended.state.is_completed(), (server.home / "worker.log").read_text()
    assert list((server.home / "reports").glob("portfolio-analysis-2*.html"))
    status = json.loads(server.command("tradeflows", "status", "--json"))
    assert [each["state"] for each in status if each["run_id"] == str(run.id)] == ["Completed"]
