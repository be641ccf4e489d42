"""The one password of the servers that are started here: of Prefect, MLflow and the dashboard.

It is made once for a home and kept in a file that only its owner can read. It never stands on a
command line, which every user of the machine can list, nor in a log.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import SecretStr

from slices.domain.errors import SettingsError, StorageError
from slices.runtime.servers import CREDENTIALS, OPERATOR, PASSWORD_VARIABLE
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OPERATOR", "credentials_file", "operator_password", "replace_password"]

SHORTEST_PASSWORD = 12
"""MLflow refuses shorter ones."""

RANDOM_BYTES = 24
OTHERS = 0o077


def credentials_file() -> Path:
    """Return where the password of the home is kept."""
    return load_settings().home / CREDENTIALS


def operator_password() -> SecretStr:
    """Return the password of the settings, or the one of the home, made where there is none yet.

    Raises:
        SettingsError: A password the servers would refuse, or a file that others can read.
        StorageError: The disk refuses.
    """
    given = load_settings().operator_password
    if given is not None:
        return _checked(given.get_secret_value(), PASSWORD_VARIABLE)
    file = credentials_file()
    try:
        if not file.exists():
            _make(file)
        return _checked(_read(file), str(file))
    except OSError as refused:
        raise StorageError(path=str(file), problem=refused.strerror or str(refused)) from refused


def replace_password() -> SecretStr:
    """Make another password for the home and return it; servers must be started again.

    Raises:
        SettingsError: The password is given by the environment, so that a file changes nothing.
        StorageError: The disk refuses.
    """
    if load_settings().operator_password is not None:
        raise SettingsError(
            setting=PASSWORD_VARIABLE, found="a password", needed="none, or another one given there"
        )
    file = credentials_file()
    try:
        aside = _written_aside(file)
        aside.replace(file)
    except OSError as refused:
        raise StorageError(path=str(file), problem=refused.strerror or str(refused)) from refused
    return operator_password()


def _make(file: Path) -> None:
    """Write a password unless another process was first: a link is never put over a file."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = _written_aside(file)
    try:
        with suppress(FileExistsError):
            os.link(aside, file)
    finally:
        aside.unlink()


def _written_aside(file: Path) -> Path:
    aside = file.with_name(f"{file.name}.{secrets.token_hex(8)}.unfinished")
    descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(f"{secrets.token_urlsafe(RANDOM_BYTES)}\n")
        out.flush()
        os.fsync(out.fileno())
    return aside


def _read(file: Path) -> str:
    if file.stat().st_mode & OTHERS:
        raise SettingsError(
            setting=str(file),
            found="a file that others than its owner can use",
            needed=f"`chmod 600 {file}`, and another password if somebody may have read it:"
            " `python -m deployments.up --new-password`",
        )
    return file.read_text().strip()


def _checked(password: str, setting: str) -> SecretStr:
    allowed = password.isascii() and password.isprintable() and not set(password) & set(" :'\"")
    if len(password) < SHORTEST_PASSWORD or not allowed:
        raise SettingsError(
            setting=setting,
            found=f"a password of {len(password)} characters",
            needed=f"at least {SHORTEST_PASSWORD} of ASCII, without spaces, colons and quotes",
        )
    return SecretStr(password)
