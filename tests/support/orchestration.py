"""One real Prefect server for a test run: it takes a quarter of a minute to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    """The address of the server, which starts with the first test that asks for it."""
    from prefect.settings import (  # only the tests that ask for it need Prefect
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    quiet = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=180):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty home for the processes of one test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("TRADEFLOWS_HOME", str(folder))
    return str(folder)
