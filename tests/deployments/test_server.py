"""The deployments on a real server."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.exceptions import PrefectHTTPStatusError

from deployments.apply import apply
from deployments.document import FILE
from slices.runtime.settings import Settings
from tests.support.applying import wipe
from tests.support.server import BIN, ROOT, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prefect.client.schemas.objects import FlowRun

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def client(api_url: str) -> Iterator[SyncPrefectClient]:
    apply(Settings(), api_url)
    with get_client(sync_client=True) as each:
        yield each
        wipe(each)


def runs_of(client: SyncPrefectClient, deployment: str) -> list[FlowRun]:
    return client.read_flow_runs(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))
    )


def test_what_is_daily_is_scheduled_for_weekdays(client: SyncPrefectClient) -> None:
    daily = [each for each in client.read_deployments() if each.name == "daily"]
    assert daily
    for each in daily:
        client.request(
            "POST", "/deployments/{id}/schedule", path_params={"id": each.id}, json={"min_runs": 7}
        )
    found = runs_of(client, "daily")
    assert {each.deployment_id for each in found} == {each.id for each in daily}
    assert {each.state_name for each in found} == {"Scheduled"}
    days = [each.expected_start_time for each in found]
    assert {day.weekday() for day in days if day is not None} == set(range(5))
    assert None not in days


def one_of_each_kind() -> str:
    """The project's file with one deployment of all that say the same things about themselves."""
    document = yaml.safe_load(FILE.read_text())
    kinds = {
        (*sorted(each), str(each.get("concurrency_limit"))): each
        for each in document["deployments"]
    }
    return yaml.safe_dump(document | {"deployments": list(kinds.values())})


def test_prefect_s_own_command_deploys_the_same(
    client: SyncPrefectClient, api_url: str, tmp_path: Path
) -> None:
    def picture() -> list[tuple[Any, ...]]:
        return sorted(
            (str(each.id), each.name, each.entrypoint, len(each.schedules), str(each.parameters))
            for each in client.read_deployments()
        )

    before = picture()
    file = tmp_path / "prefect.yaml"
    file.write_text(one_of_each_kind())
    done = subprocess.run(
        [str(BIN / "prefect"), "--no-prompt", "deploy", "--prefect-file", str(file), "--all"],
        cwd=ROOT,
        env=clean_environment(tmp_path) | {"PREFECT_API_URL": api_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert picture() == before
    assert apply(Settings(), api_url, check=True) == ()


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
