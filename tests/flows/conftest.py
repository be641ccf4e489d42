"""One real Prefect server for all flow tests: it takes a quarter of a minute to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def api_url() -> Iterator[str]:
    """The address of the server."""
    quiet = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=180):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty home for the command line of one test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("TRADEFLOWS_HOME", str(folder))
    return str(folder)
