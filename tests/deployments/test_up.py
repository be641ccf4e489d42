"""Everything an operator runs, started by the one command for all tests here, and ended again."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import Pending, Scheduled
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from deployments.addresses import basic
from deployments.processes import MARK
from slices.runtime.servers import running
from tests.support.receiver import Receiver, running_receiver
from tests.support.server import BIN, ROOT, clean_environment, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from prefect.client.schemas import State

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

NAMES = {"dashboard", "mlflow", "prefect", "watch", "worker"}
RUN_SECONDS = 200.0
HIDDEN = "../../../../../../../../etc/passwd"
ENCODED = HIDDEN.replace("..", "%2e%2e").replace("/", "%2f")


@dataclass(frozen=True)
class Operated:
    """What the command started."""

    home: Path
    environment: dict[str, str]
    printed: str
    receiver: Receiver
    prefect: str
    mlflow: str
    dashboard: str

    @property
    def password(self) -> str:
        return (self.home / "credentials").read_text().strip()

    @property
    def login(self) -> tuple[str, str]:
        return ("tradeflows", self.password)

    def asking(self) -> SyncPrefectClient:
        """Open a client that asks a busy server again, as everybody's does."""
        login = f"tradeflows:{self.password}"
        return SyncPrefectClient(f"{self.prefect}/api", auth_string=login)

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def pids(self) -> dict[str, int]:
        return {each.name: each.pid for each in running(self.home / "run") if each.is_ready}

    def processes(self) -> list[psutil.Process]:
        return [each for each in psutil.process_iter() if started_in(each) == self.home / "run"]


def started_in(process: psutil.Process) -> Path | None:
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return Path(process.environ().get(MARK, "/")) if alive else None
    except (psutil.Error, OSError):
        return None


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    home = tmp_path_factory.mktemp("up") / "home"
    ports = {name: free_port() for name in ("prefect", "mlflow", "dashboard")}
    environment = clean_environment(home) | {
        f"TRADEFLOWS_{name.upper()}_PORT": str(port) for name, port in ports.items()
    }
    for name in ("PREFECT_HOME", "MLFLOW_TRACKING_URI"):
        environment.pop(name)
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    with running_receiver() as receiver:
        environment["TRADEFLOWS_ALERTS_URL"] = receiver.url
        try:
            draft = Operated(home, environment, "", receiver, **urls)
            yield replace(draft, printed=draft.run(sys.executable, "-m", "deployments.up"))
        finally:
            subprocess.run([sys.executable, "-m", "deployments.down"], env=environment, cwd=ROOT)


def test_everything_is_up_and_the_command_says_where(operated: Operated) -> None:
    assert operated.pids().keys() == NAMES
    for place in (operated.prefect, operated.mlflow, operated.dashboard):
        assert place in operated.printed
    assert str(operated.home / "credentials") in operated.printed
    assert operated.password not in operated.printed


def test_deployments_are_applied_and_the_watch_measures(operated: Operated) -> None:
    environment = exported(operated)
    with operated.asking() as client:
        found = client.request("POST", "/deployments/filter", json={}).json()
        rules = client.request("POST", "/automations/filter", json={}).json()
    assert {each["name"] for each in found} >= {"adhoc", "daily"}
    assert any(each["name"].startswith("tradeflows: ") for each in rules)
    assert environment["PREFECT_API_URL"] == f"{operated.prefect}/api"
    assert httpx.get(f"{operated.dashboard}/metrics", auth=operated.login).status_code == 200


def test_only_the_owner_reads_what_is_written(operated: Operated) -> None:
    assert mode(operated.home) == 0o700
    assert mode(operated.home / "run") == 0o700
    kept = [operated.home / "credentials", *(operated.home / "run").iterdir()]
    kept += [*operated.home.rglob("*.db")]
    assert {mode(file) for file in kept} == {0o600}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def exported(operated: Operated) -> dict[str, str]:
    lines = operated.run(str(BIN / "tradeflows"), "environment").splitlines()
    words = [shlex.split(line)[1].partition("=") for line in lines]
    return {name: value for name, _, value in words}


def test_a_worker_does_what_is_ordered_with_the_password_of_the_file(operated: Operated) -> None:
    wanted = {"symbols": ["AAPL", "MSFT"], "start": "2010-01-04"}
    with operated.asking() as client:
        found = client.read_deployment_by_name("portfolio-analysis/adhoc")
        run = client.create_flow_run_from_deployment(found.id, parameters=wanted)
        deadline = time.monotonic() + RUN_SECONDS
        while not (state := client.read_flow_run(run.id).state) or not state.is_final():
            assert time.monotonic() < deadline, state
            time.sleep(0.5)
    assert state.is_completed(), (operated.home / "run" / "worker.log").read_text()
    shown = json.loads(operated.run(str(BIN / "tradeflows"), "status", "--json"))
    assert str(run.id) in {each["run_id"] for each in shown}
    assert list((operated.home / "reports").glob("portfolio-analysis-2*.html"))


def test_the_server_schedules_runs_by_itself(operated: Operated) -> None:
    wanted = {"flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}}, "limit": 50}
    deadline = time.monotonic() + RUN_SECONDS
    with operated.asking() as client:
        while not (found := client.request("POST", "/flow_runs/filter", json=wanted).json()):
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert all(each["auto_scheduled"] and each["deployment_id"] for each in found)


def test_an_alert_reaches_its_receiver(operated: Operated) -> None:
    operated.run(str(BIN / "tradeflows"), "alerts", "test", "ERROR")
    operated.receiver.wait(lambda message: message.get("level") == "error")


def test_r45_without_the_password_nobody_gets_anything(operated: Operated) -> None:
    for place in protected(operated):
        assert httpx.get(place).status_code == 401, place
        assert httpx.get(place, auth=("tradeflows", "wrong-password")).status_code in {401, 403}
        assert httpx.get(place, auth=("admin", "password1234")).status_code in {401, 403}
        assert httpx.get(place, auth=operated.login).status_code == 200, place


def protected(operated: Operated) -> tuple[str, ...]:
    return (
        f"{operated.prefect}/api/admin/version",
        f"{operated.prefect}/api/docs",
        f"{operated.mlflow}/",
        f"{operated.mlflow}/api/2.0/mlflow/experiments/get?experiment_id=0",
        f"{operated.mlflow}/ajax-api/2.0/mlflow/experiments/get?experiment_id=0",
        f"{operated.dashboard}/",
        f"{operated.dashboard}/metrics",
    )


@pytest.mark.parametrize("stream", ["events/in", "events/out", "logs/out"])
def test_r45_streams_want_the_password_too(operated: Operated, stream: str) -> None:
    async def opened() -> None:
        async with connect(f"ws{operated.prefect.removeprefix('http')}/api/{stream}"):
            pass

    with pytest.raises(InvalidStatus):
        asyncio.run(opened())


def test_r45_pages_describing_the_api_are_closed(operated: Operated) -> None:
    for page in ("docs", "redoc", "openapi.json"):
        answer = httpx.get(f"{operated.prefect}/{page}")
        assert "openapi" not in answer.text.lower()


def test_r45_another_host_name_is_refused(operated: Operated) -> None:
    for place in protected(operated):
        answer = httpx.get(place, auth=operated.login, headers={"Host": "evil.example"})
        assert answer.status_code in {400, 403}, place


def test_r45_another_site_changes_nothing(operated: Operated) -> None:
    foreign = {"Origin": "http://evil.example"}
    sent = {"json": {"name": "planted"}, "auth": operated.login, "headers": foreign}
    flows, experiments = (
        f"{operated.prefect}/api/flows/",
        f"{operated.mlflow}/api/2.0/mlflow/experiments/create",
    )
    acknowledge = f"{operated.dashboard}/alerts/a/acknowledge"
    assert {httpx.post(each, **sent).status_code for each in (flows, experiments)} == {403}
    assert httpx.post(acknowledge, **sent).status_code in {400, 403}
    for place in (flows, experiments, acknowledge):
        asked = httpx.options(place, headers=foreign | {"Access-Control-Request-Method": "POST"})
        assert "evil" not in asked.headers.get("access-control-allow-origin", "")
        assert asked.headers.get("access-control-allow-origin") != "*"


@pytest.mark.parametrize("path", [HIDDEN, ENCODED])
def test_r45_no_path_leads_out_of_what_is_served(operated: Operated, path: str) -> None:
    places = (
        f"{operated.prefect}/api/static/",
        f"{operated.prefect}/v2/",
        f"{operated.mlflow}/static-files/",
        f"{operated.mlflow}/get-artifact?run_uuid=a&path=",
        f"{operated.mlflow}/ajax-api/2.0/mlflow-artifacts/artifacts/",
        f"{operated.dashboard}/static/",
    )
    for place in places:
        answer = as_written(operated, place + path)
        assert "root:" not in answer, place


def as_written(operated: Operated, url: str) -> str:
    """Ask for an address as it is; most clients tidy it up before they send it."""
    place = urlsplit(url)
    connection = HTTPConnection(place.netloc, timeout=60)
    query = f"?{place.query}" if place.query else ""
    connection.request(
        "GET",
        f"{place.path}{query}",
        headers={"Authorization": basic(SecretStr(operated.password))},
    )
    answer = connection.getresponse().read().decode(errors="replace")
    connection.close()
    return answer


def test_r45_everything_listens_on_loopback_alone(operated: Operated) -> None:
    listening = [
        each.laddr.ip
        for process in operated.processes()
        for each in process.net_connections(kind="inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert set(listening) <= {"127.0.0.1", "::1"}


def test_r46_the_password_is_in_its_file_alone(operated: Operated) -> None:
    secret = operated.password.encode()
    assert not [each for each in operated.processes() if operated.password in str(each.cmdline())]
    holding = [
        file for file in operated.home.rglob("*") if file.is_file() and secret in file.read_bytes()
    ]
    assert holding == [operated.home / "credentials"]


def test_a_second_up_starts_what_died_and_leaves_the_rest(operated: Operated) -> None:
    before = operated.pids()
    with operated.asking() as client:
        lease = place_taken(client, "quick-test/daily")
        os.kill(before["prefect"], signal.SIGKILL)
        printed = operated.run(sys.executable, "-m", "deployments.up")
        # A place that nobody knows of any more is refused here, and would be taken for ever.
        client.renew_concurrency_lease(lease, lease_duration=60)
    after = operated.pids()
    assert after.keys() == NAMES
    assert {name for name in NAMES if after[name] != before[name]} == {"prefect"}
    assert "deployments are applied: 0 changes" in printed


def place_taken(client: SyncPrefectClient, deployment: str) -> UUID:
    """Begin a run as a worker does, which then dies; return what holds its place."""
    found = client.read_deployment_by_name(deployment)
    tomorrow: State[None] = Scheduled(scheduled_time=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    run = client.create_flow_run_from_deployment(found.id, state=tomorrow)
    pending: State[None] = Pending()
    begun = client.set_flow_run_state(run.id, pending)
    assert begun.status is SetStateStatus.ACCEPT
    state = client.read_flow_run(run.id).state
    assert state is not None
    lease = state.state_details.deployment_concurrency_lease_id
    assert lease is not None
    return lease


def test_down_leaves_nothing_even_after_a_crash(operated: Operated) -> None:
    os.kill(operated.pids()["worker"], signal.SIGKILL)
    assert operated.processes()
    printed = operated.run(sys.executable, "-m", "deployments.down")
    assert {name for name in NAMES if name in printed} == NAMES - {"worker"}
    assert operated.processes() == []
    assert operated.pids() == {}
    assert "nothing was running" in operated.run(sys.executable, "-m", "deployments.down")
