"""The operator's password: made once, read by its owner alone, never shown."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from slices.domain.errors import SettingsError, StorageError
from slices.runtime.credentials import credentials_file, operator_password, replace_password

ASK = (
    "from slices.runtime.credentials import operator_password;"
    "print(operator_password().get_secret_value())"
)


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("TRADEFLOWS_HOME", str(folder))
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_password_is_made_once_and_only_its_owner_reads_it(own_home: Path) -> None:
    made = operator_password()
    assert operator_password() == made
    assert len(made.get_secret_value()) >= 24
    assert mode(own_home / "credentials") == 0o600
    assert mode(own_home) == 0o700
    assert [each.name for each in own_home.iterdir()] == ["credentials"]


def test_nothing_shows_it(own_home: Path) -> None:
    made = operator_password()
    assert made.get_secret_value() not in f"{made!r} {made}"


def test_processes_that_start_at_once_agree(own_home: Path) -> None:
    asking = [
        subprocess.Popen([sys.executable, "-c", ASK], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = {process.communicate()[0] for process in asking}
    assert answers == {f"{operator_password().get_secret_value()}\n"}


def test_a_file_that_others_can_read_is_refused(own_home: Path) -> None:
    operator_password()
    credentials_file().chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        operator_password()


def test_the_environment_comes_first(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOWS_OPERATOR_PASSWORD", "from-the-environment")
    assert operator_password().get_secret_value() == "from-the-environment"
    assert not own_home.exists()
    with pytest.raises(SettingsError):
        replace_password()


@pytest.mark.parametrize(
    "bad", ["short", "with:a:colon:in:it", "with spaces in it", "pässwörter12"]
)
def test_a_password_servers_would_refuse_is_refused_without_showing_it(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("TRADEFLOWS_OPERATOR_PASSWORD", bad)
    with pytest.raises(SettingsError) as refused:
        operator_password()
    assert bad not in str(refused.value)


def test_another_password_takes_the_place_of_the_old_one(own_home: Path) -> None:
    before = operator_password()
    after = replace_password()
    assert after != before
    assert operator_password() == after
    assert mode(credentials_file()) == 0o600


def test_a_home_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StorageError, match="credentials"):
        operator_password()
