"""Programs are started apart, found again, and ended: these and no others."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from werkzeug.security import check_password_hash, generate_password_hash

from deployments.addresses import Address, addresses, check_free
from deployments.mlflow_server import prepare_mlflow
from deployments.processes import alone, end_all, end_one, log_file, start
from deployments.programs import Program, programs
from slices.domain.errors import SettingsError
from slices.runtime.credentials import operator_password
from slices.runtime.servers import ServerProcess, access, record, recorded, running
from slices.runtime.settings import Settings, load_settings
from tests.support.server import free_port

WAIT_SECONDS = 60.0
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


Ending = Callable[[ServerProcess, Path], object]


@pytest.fixture
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def sleeper(name: str = "sleeper", *, words: tuple[str, ...] = ()) -> Program:
    return Program(name=name, words=words or ("sleep", "600"), variables=(("COLOUR", "green"),))


def wait_for_text(file: Path) -> str:
    deadline = time.monotonic() + WAIT_SECONDS
    while not file.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return file.read_text()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_runs_in_a_session_of_its_own_with_a_log_of_its_own(run_folder: Path) -> None:
    begun = start(sleeper(words=("sh", "-c", "echo $COLOUR; exec sleep 600")), run_folder)
    try:
        log = log_file(run_folder, "sleeper")
        assert wait_for_text(log) == "green\n"
        assert log.stat().st_mode & 0o777 == 0o600
        assert os.getsid(begun.pid) == begun.pid
        assert running(run_folder) == (begun,)
    finally:
        assert end_all(run_folder) == ("sleeper",)
    assert not is_alive(begun.pid)
    assert recorded(run_folder) == ()


@pytest.mark.parametrize("ended", [end_one, lambda _, folder: end_all(folder)])
def test_what_a_killed_program_left_behind_ends_too(run_folder: Path, ended: Ending) -> None:
    begun = start(sleeper(words=(sys.executable, "-c", PARENT)), run_folder)
    child = int(wait_for_text(log_file(run_folder, "sleeper")))
    os.kill(begun.pid, 9)
    assert is_alive(child)
    ended(begun, run_folder)
    assert not is_alive(child)


def test_a_program_that_ignores_being_asked_is_ended(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployments.processes.PATIENCE_SECONDS", 0.3)
    stubborn = "trap '' TERM; echo ready; while true; do sleep 1; done"
    begun = start(sleeper(words=("sh", "-c", stubborn)), run_folder)
    wait_for_text(log_file(run_folder, "sleeper"))
    end_all(run_folder)
    assert not is_alive(begun.pid)


def test_a_foreign_process_under_a_known_id_is_left_alone(run_folder: Path) -> None:
    foreign = subprocess.Popen(["sleep", "600"])
    try:
        made = psutil.Process(foreign.pid).create_time() - 60
        record(run_folder, ServerProcess(name="worker", pid=foreign.pid, created=made))
        assert running(run_folder) == ()
        assert end_all(run_folder) == ()
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_files_that_are_no_records_are_passed_over(run_folder: Path) -> None:
    (run_folder / "prefect.pid").write_text("not a process\n")
    assert recorded(run_folder) == ()


def test_two_commands_at_once_are_refused(run_folder: Path) -> None:
    settings = load_settings()
    waiting = (
        "from deployments.processes import alone\n"
        "from slices.runtime.settings import load_settings\n"
        "with alone(load_settings()): print('held', flush=True); input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SettingsError, match="one at a time"), alone(settings):
            pass
        holder.communicate("\n")
    with alone(settings):
        pass


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        address = Address(name="mlflow", setting="TRADEFLOWS_MLFLOW_PORT", port=port, probe="/")
        with pytest.raises(SettingsError, match=rf"TRADEFLOWS_MLFLOW_PORT: .*{port}"):
            check_free(address)
    check_free(address)


def test_two_servers_on_one_port_are_refused() -> None:
    with pytest.raises(SettingsError, match="TRADEFLOWS_DASHBOARD_PORT"):
        addresses(Settings(dashboard_port=4200))


def test_up_refuses_a_taken_port_before_it_starts_anything(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("TRADEFLOWS_PREFECT_PORT", str(free_port()))
        monkeypatch.setenv("TRADEFLOWS_MLFLOW_PORT", str(free_port()))
        monkeypatch.setenv("TRADEFLOWS_DASHBOARD_PORT", str(taken.getsockname()[1]))
        refused = subprocess.run(
            [sys.executable, "-m", "deployments.up"], capture_output=True, text=True, check=False
        )
    assert refused.returncode == 7
    assert "TRADEFLOWS_DASHBOARD_PORT" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert list(run_folder.iterdir()) == []


def test_r46_no_secret_is_on_a_command_line(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = "postgresql://user:database-password@127.0.0.1/mlflow"
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", database)
    password = operator_password()
    for program in programs(load_settings(), password):
        words = " ".join(program.words)
        assert password.get_secret_value() not in words
        assert "database-password" not in words


def test_commands_find_servers_that_run_and_no_others(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    home, secret = run_folder.parent, operator_password().get_secret_value()
    begun = replace(start(sleeper("prefect"), run_folder), address="http://127.0.0.1:1")
    assert access(home) == {}
    record(run_folder, replace(begun, is_ready=True))
    found = access(home)
    assert found["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
    assert found["PREFECT_API_AUTH_STRING"] == f"tradeflows:{secret}"
    monkeypatch.setenv("PREFECT_API_URL", "http://elsewhere.example/api")
    assert access(home) == {}
    monkeypatch.delenv("PREFECT_API_URL")
    end_all(run_folder)
    assert access(home) == {}


def test_mlflow_takes_another_password_when_it_is_started_again(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = load_settings().mlflow_folder / "basic_auth.db"
    prepare_mlflow(load_settings(), operator_password())
    first = generate_password_hash(operator_password().get_secret_value())
    with closing(sqlite3.connect(users)) as database, database:
        database.execute("CREATE TABLE users (username TEXT, password_hash TEXT)")
        database.execute("INSERT INTO users VALUES ('tradeflows', ?), ('else', ?)", (first, first))
    monkeypatch.setenv("TRADEFLOWS_OPERATOR_PASSWORD", "another-password")
    prepare_mlflow(load_settings(), operator_password())
    with closing(sqlite3.connect(users)) as database:
        hashes = dict(database.execute("SELECT username, password_hash FROM users"))
    assert check_password_hash(hashes["tradeflows"], "another-password")
    assert hashes["else"] == first
