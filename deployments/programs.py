"""What is started: words, environment and address of each program. Secrets are never words."""

from __future__ import annotations

import os
import secrets
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.addresses import LOOPBACK, Address, addresses
from slices.runtime.environment import HOME_VARIABLE, defaults
from slices.runtime.servers import OPERATOR, PASSWORD_VARIABLE, mlflow_access, prefect_access

if TYPE_CHECKING:
    from pydantic import SecretStr

    from slices.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
POOL = "local"
DATABASE_VARIABLE = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
STORE_VARIABLE = "MLFLOW_BACKEND_STORE_URI"
SQLITE_RUNS = 4
"""Runs at once where Prefect keeps its records in SQLite, which takes one writer at a time."""

POSTGRES_RUNS = 8
LATE_SECONDS = 60
PAGES = "prefect-pages"
"""Prefect writes its pages before it serves them; where it is installed may be read-only."""

LEASES = "prefect.server.concurrency.lease_storage.filesystem"
"""Who holds a place under a limit is known to a server that is started again.

A run that died before it began would keep its place for ever otherwise, and its deployment would
never run again.
"""

AUTH_FILE = "basic_auth.db"


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to be kept running.

    Attributes:
        words: Of its command line, which every user of the machine can read.
        variables: Name and value of what its environment has beyond this process's own.
        address: Where it listens; None where it does not.
        needs_prefect: Whether it is started once the Prefect server answers.
    """

    name: str
    words: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    address: Address | None = None
    needs_prefect: bool = False


def programs(settings: Settings, password: SecretStr) -> tuple[Program, ...]:
    """List what `up` starts, the slowest first."""
    prefect, mlflow, dashboard = addresses(settings)
    shared = client_variables(settings, password)
    command = str(Path(sysconfig.get_path("scripts")) / "tradeflows")
    return (
        Program(
            name="prefect",
            words=_prefect_words(prefect),
            variables=(*shared, *_prefect_variables(settings, prefect, password)),
            address=prefect,
        ),
        Program(
            name="mlflow",
            words=_mlflow_words(mlflow),
            variables=(*shared, *_mlflow_variables(settings, password)),
            address=mlflow,
        ),
        Program(
            name="dashboard",
            words=(command, "dashboard", "--port", str(dashboard.port)),
            variables=shared,
            address=dashboard,
        ),
        Program(name="watch", words=(command, "watch"), variables=shared, needs_prefect=True),
        Program(name="worker", words=_worker_words(), variables=shared, needs_prefect=True),
    )


def client_variables(settings: Settings, password: SecretStr) -> tuple[tuple[str, str], ...]:
    """List what every program has: the folders, and how it reaches the servers as a client."""
    prefect, mlflow, _ = addresses(settings)
    secret = password.get_secret_value()
    found = {name: os.environ.get(name, value) for name, value in defaults(settings.home).items()}
    found |= prefect_access(prefect.url, secret) | mlflow_access(mlflow.url, secret)
    found |= {
        HOME_VARIABLE: str(settings.home),
        PASSWORD_VARIABLE: secret,
        "TRADEFLOWS_MLFLOW_UI_URL": mlflow.url,
        "PREFECT_WORKER_WEBSERVER_HOST": LOOPBACK,
        "PYTHONUNBUFFERED": "1",
    }
    return tuple(found.items())


def _prefect_words(address: Address) -> tuple[str, ...]:
    return (
        sys.executable, "-m", "uvicorn", "--factory", "deployments.prefect_server:create_app",
        "--host", LOOPBACK, "--port", str(address.port),
        "--log-level", "warning", "--timeout-keep-alive", "5",
    )  # fmt: skip


def _prefect_variables(
    settings: Settings, address: Address, password: SecretStr
) -> tuple[tuple[str, str], ...]:
    kept_seconds = str(round(settings.history_days * 86_400))
    return (
        ("PREFECT_SERVER_API_HOST", LOOPBACK),
        ("PREFECT_SERVER_API_PORT", str(address.port)),
        ("PREFECT_SERVER_API_AUTH_STRING", f"{OPERATOR}:{password.get_secret_value()}"),
        ("PREFECT_SERVER_CSRF_PROTECTION_ENABLED", "true"),
        ("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", address.url),
        ("PREFECT_SERVER_UI_API_URL", "/api"),
        ("PREFECT_SERVER_UI_STATIC_DIRECTORY", str(settings.home / "cache" / PAGES)),
        ("PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE", LEASES),
        ("PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED", "events,flow_runs"),
        ("PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD", kept_seconds),
        ("PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS", str(LATE_SECONDS)),
    )


def _mlflow_words(address: Address) -> tuple[str, ...]:
    hosts = ",".join(f"{host}:{address.port}" for host in (LOOPBACK, "localhost"))
    return (
        sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth",
        "--host", LOOPBACK, "--port", str(address.port), "--workers", "1",
        "--allowed-hosts", hosts, "--cors-allowed-origins", address.url,
        "--x-frame-options", "DENY", "--no-serve-artifacts",
        "--uvicorn-opts", "--log-level warning --no-access-log",
    )  # fmt: skip


def _mlflow_variables(settings: Settings, password: SecretStr) -> tuple[tuple[str, str], ...]:
    """Artifacts are files under the home for the server and for its clients.

    So what was trained with the server running is found without it, and the other way round.
    """
    store = f"sqlite:///{settings.mlflow_folder / 'mlflow.db'}"
    return (
        (STORE_VARIABLE, os.environ.get(STORE_VARIABLE) or store),
        ("MLFLOW_DEFAULT_ARTIFACT_ROOT", (settings.mlflow_folder / "artifacts").as_uri()),
        ("MLFLOW_AUTH_CONFIG_PATH", str(auth_settings_file(settings))),
        ("MLFLOW_AUTH_ADMIN_USERNAME", OPERATOR),
        ("MLFLOW_AUTH_ADMIN_PASSWORD", password.get_secret_value()),
        ("MLFLOW_FLASK_SERVER_SECRET_KEY", secrets.token_urlsafe(32)),
        ("MLFLOW_BASIC_AUTH_FAIL_CLOSED", "true"),
        ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"),
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
    )


def auth_settings_file(settings: Settings) -> Path:
    """Return where MLflow's settings of users are written."""
    return settings.mlflow_folder / "basic_auth.ini"


def _worker_words() -> tuple[str, ...]:
    is_postgres = os.environ.get(DATABASE_VARIABLE, "").startswith("postgresql")
    runs = POSTGRES_RUNS if is_postgres else SQLITE_RUNS
    return (
        sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process",
        "--name", POOL, "--limit", str(runs), "--install-policy", "never",
    )  # fmt: skip
