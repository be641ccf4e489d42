"""Containers run the same programs as `up`, as nobody special, on loopback, from the lock file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from deployments.serve import NAMES
from tests.support.server import ROOT

FOLDER = ROOT / "deployments"
VARIABLE = re.compile(r"\$\{(\w+)(:-(.*?)|-|:\?.*?)?\}")


@cache
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"])


def dockerfile() -> str:
    return (FOLDER / "Dockerfile").read_text()


def test_every_program_is_there_and_is_one_that_can_be_served() -> None:
    served = {each["command"][3] for name, each in services().items() if name != "postgres"}
    assert served == set(NAMES)
    for name, each in services().items():
        if name != "postgres":
            assert each["command"] == ["python", "-m", "deployments.serve", name]


def test_what_listens_is_checked() -> None:
    for name in ("prefect", "mlflow", "dashboard"):
        check = services()[name]["healthcheck"]["test"]
        assert check == ["CMD", "python", "-m", "deployments.serve", name, "--check"]
    assert services()["postgres"]["healthcheck"]["test"]


def test_ports_are_published_on_loopback_alone() -> None:
    for name, each in services().items():
        assert all(port.startswith("127.0.0.1:") for port in each.get("ports", ())), name
        assert each.get("network_mode", "host" if name != "postgres" else "") in {"host", ""}


def test_no_secret_stands_in_the_file() -> None:
    for each in services().values():
        for name, value in each["environment"].items():
            if value and ("PASSWORD" in name or "_URL" in name):
                assert VARIABLE.search(value), name
            assert "POSTGRES_PASSWORD:-" not in (value or "")


def test_databases_that_are_named_are_made() -> None:
    made = {
        "prefect",
        *re.findall(r"CREATE DATABASE (\w+)", (FOLDER / "databases.sql").read_text()),
    }
    named = {
        value.rpartition("/")[2]
        for value in services()["watch"]["environment"].values()
        if value and value.startswith("postgresql")
    }
    assert named == made


def test_waiting_names_what_there_is() -> None:
    for each in services().values():
        assert each.get("depends_on", {}).keys() <= services().keys()


def test_the_image_runs_as_nobody_special_from_locked_versions() -> None:
    text = dockerfile()
    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users[-1] == "tradeflows"
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "-e ." in line for line in installs)
    for words in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / word).exists() for word in words.split())


def test_the_lock_gives_the_driver_of_the_database() -> None:
    (program,) = re.findall(r"awk '(.*?)'", dockerfile())
    words = ["awk", program, str(ROOT / "requirements-dev.lock")]
    kept = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^([a-z-]+)==", kept, re.MULTILINE))
    assert names == {"psycopg", "psycopg-binary"}
    assert kept.count("--hash=sha256:") >= len(names)


def test_compose_itself_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not on this machine")
    words = [docker, "compose", "-f", str(FOLDER / "compose.yaml"), "config", "--format", "json"]
    shown = subprocess.run(
        words, capture_output=True, check=True, env=os.environ | {"POSTGRES_PASSWORD": "x"}
    )
    assert json.loads(shown.stdout)["services"].keys() == services().keys()
