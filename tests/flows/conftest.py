"""Every test here runs flows, so all of them run against the one Prefect server."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _with_a_server(api_url: str) -> None:
    pass
