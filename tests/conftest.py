"""Every test writes under one temporary home; nothing of the person's own is read or touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Before anything imports Prefect or the settings: both read the environment once.
HOME = Path(tempfile.mkdtemp(prefix="tradeflows-tests-"))
for name in [each for each in os.environ if each.startswith(("TRADEFLOWS_", "PREFECT_"))]:
    if name != "TRADEFLOWS_SHARED_DATA":
        del os.environ[name]
os.environ["TRADEFLOWS_HOME"] = str(HOME)

from slices.runtime.environment import prepare  # noqa: E402

prepare()

pytest_plugins = ["tests.support.orchestration"]

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("fixed")


@pytest.fixture(scope="session", autouse=True)
def home() -> Iterator[Path]:
    """The home folder of this test run, removed at its end."""
    yield HOME
    shutil.rmtree(HOME, ignore_errors=True)
