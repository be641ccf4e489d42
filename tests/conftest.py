"""Every test writes under one temporary home; nothing of the person's own is read or touched."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Before anything imports Prefect or the settings: both read the environment once.
HOME = Path(tempfile.mkdtemp(prefix="tradeflows-tests-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # last of all, after Prefect's own
for name in [e for e in os.environ if e.startswith(("TRADEFLOWS_", "PREFECT_", "MLFLOW_"))]:
    if name != "TRADEFLOWS_SHARED_DATA":
        del os.environ[name]
os.environ["TRADEFLOWS_HOME"] = str(HOME)

from slices.runtime.environment import kernels_stamp, prepare  # noqa: E402

# What one process of a test run compiles, the others need not; nor does the next test run.
KERNELS = Path(__file__).parents[1] / ".pytest_cache" / "kernels"
os.environ["NUMBA_CACHE_DIR"] = str(KERNELS / kernels_stamp())
if "PYTEST_XDIST_WORKER" not in os.environ:
    for old in set(KERNELS.glob("*")) - {KERNELS / kernels_stamp()}:
        if old.stat().st_mtime < time.time() - 7 * 86400:
            shutil.rmtree(old, ignore_errors=True)
prepare()

SLOW_SECONDS = 300.0

collect_ignore = ["benchmarks", "support"]  # no doctests, and much to import

pytest_plugins = ["tests.support.orchestration"]

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("fixed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process ends the run alone with one."""
    patience: dict[Path, float] = {}
    for item in items:
        slow, timeout = item.get_closest_marker("slow"), item.get_closest_marker("timeout")
        seconds = timeout.args[0] if timeout else SLOW_SECONDS if slow else 0.0
        patience[item.path] = max(seconds, patience.get(item.path, 0.0))
    items.sort(key=lambda item: -patience[item.path])


@pytest.fixture(scope="session", autouse=True)
def home() -> Path:
    """The home folder of this process's tests, removed at its end."""
    return HOME


@pytest.fixture(scope="module", autouse=True)
def own_ledgers() -> Iterator[None]:
    """Books, and the file that halts trading, that no other file's accounts are in."""
    yield
    shutil.rmtree(HOME / "ledger", ignore_errors=True)
