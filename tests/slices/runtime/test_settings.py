from __future__ import annotations

import stat
from pathlib import Path

import pytest

from slices.domain.errors import SettingsError
from slices.runtime import environment
from slices.runtime.settings import load_settings


def test_everything_written_lies_under_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path / "home"))
    settings = load_settings()
    folders = [getattr(settings, name) for name in dir(settings) if name.endswith("_folder")]
    assert len(folders) >= 5
    assert all(folder.is_relative_to(tmp_path / "home") for folder in folders)
    written = environment.defaults(environment.home())
    for name in ("PREFECT_HOME", "MLFLOW_TRACKING_URI", "NUMBA_CACHE_DIR"):
        assert str(tmp_path / "home") in written[name]


def test_what_the_environment_sets_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_HOME", "mine")
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    environment.prepare()
    assert environment.os.environ["PREFECT_HOME"] == "mine"
    assert environment.os.environ["DO_NOT_TRACK"] == "1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_WORKERS", "0"), ("MAX_WORKERS", "many"), ("TASK_RUNNER", "magic")],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TRADEFLOWS_{name}", value)
    with pytest.raises(SettingsError, match=f"TRADEFLOWS_{name}: found '{value}'"):
        load_settings()


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEFLOWS_ALPACA_SECRET", "hush-hush")
    assert "hush-hush" not in repr(load_settings())


def test_r19_a_home_that_cannot_be_made_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("TRADEFLOWS_HOME", str(blocker / "home"))
    environment.prepare()
    with pytest.raises(SettingsError, match="TRADEFLOWS_HOME"):
        environment.check_home()


def test_the_home_is_made_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADEFLOWS_HOME", str(tmp_path / "a" / "b"))
    assert environment.check_home() == (tmp_path / "a" / "b").resolve()
    assert stat.S_ISDIR((tmp_path / "a" / "b").stat().st_mode)
