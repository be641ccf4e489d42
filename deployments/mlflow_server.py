"""What MLflow needs before its server starts: folders, its file of users, our password."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from werkzeug.security import check_password_hash, generate_password_hash

from deployments.programs import AUTH_FILE, auth_settings_file
from slices.runtime.servers import OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from slices.runtime.settings import Settings

WAIT_SECONDS = 30.0
AUTH_SETTINGS = """[mlflow]
default_permission = NO_PERMISSIONS
auth_cache_ttl_seconds = 600
database_uri = sqlite:///{users}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def prepare_mlflow(settings: Settings, password: SecretStr) -> None:
    """Make what the server expects; MLflow itself takes a password only at its first start."""
    folder = settings.mlflow_folder
    (folder / "artifacts").mkdir(parents=True, exist_ok=True)
    users = folder / AUTH_FILE
    auth_settings_file(settings).write_text(AUTH_SETTINGS.format(users=users))
    _let_readers_in(folder / "mlflow.db")
    _align(users, password)


def _let_readers_in(file: Path) -> None:
    """Let commands read and write the store while the server does; the file remembers it."""
    with closing(sqlite3.connect(file, timeout=WAIT_SECONDS)) as database:
        database.execute("PRAGMA journal_mode=WAL")


def _align(users: Path, password: SecretStr) -> None:
    """Put our password in the place of the one the user was made with."""
    if not users.exists():
        return
    secret = password.get_secret_value()
    with closing(sqlite3.connect(users, timeout=WAIT_SECONDS)) as database, database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'users'").fetchone():
            return
        found = database.execute(
            "SELECT password_hash FROM users WHERE username = ?", (OPERATOR,)
        ).fetchone()
        if found and not check_password_hash(found[0], secret):
            database.execute(
                "UPDATE users SET password_hash = ? WHERE username = ?",
                (generate_password_hash(secret), OPERATOR),
            )
