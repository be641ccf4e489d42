from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from slices.runtime.locks import KernelLocks

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, pathlib, time
from slices.runtime.locks import KernelLocks
KernelLocks(pathlib.Path(sys.argv[1])).acquire_lock("key", "other process")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def locks(tmp_path: Path) -> KernelLocks:
    return KernelLocks(tmp_path / "locks")


def test_one_holder_at_a_time(locks: KernelLocks) -> None:
    assert locks.acquire_lock("key", "one")
    assert locks.acquire_lock("key", "one")
    assert not locks.acquire_lock("key", "two", acquire_timeout=0.1)
    assert locks.acquire_lock("another key", "two")
    assert locks.is_lock_holder("key", "one")
    assert not locks.is_lock_holder("key", "two")
    assert locks.is_locked("key")
    locks.release_lock("key", "one")
    assert not locks.is_locked("key")
    assert locks.acquire_lock("key", "two", acquire_timeout=0.1)


def test_only_the_holder_releases(locks: KernelLocks) -> None:
    locks.acquire_lock("key", "one")
    with pytest.raises(ValueError, match="two"):
        locks.release_lock("key", "two")
    with pytest.raises(ValueError, match="one"):
        locks.release_lock("other", "one")


def test_waiting_ends_with_the_release_or_the_time_limit(locks: KernelLocks) -> None:
    locks.acquire_lock("key", "one")
    assert not locks.wait_for_lock("key", timeout=0.1)
    threading.Timer(0.2, locks.release_lock, ("key", "one")).start()
    assert locks.wait_for_lock("key", timeout=10)


def test_the_event_loop_is_served_too(locks: KernelLocks) -> None:
    async def both() -> tuple[bool, bool, bool]:
        first = await locks.aacquire_lock("key", "one")
        second = await locks.aacquire_lock("key", "two", acquire_timeout=0.1)
        locks.release_lock("key", "one")
        return first, second, await locks.await_for_lock("key", timeout=1)

    assert asyncio.run(both()) == (True, False, True)


def test_a_killed_holder_leaves_no_lock_behind(locks: KernelLocks) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(locks.folder)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert locks.is_locked("key")
        assert not locks.acquire_lock("key", "us", acquire_timeout=0.1)
        other.send_signal(signal.SIGKILL)
    assert locks.acquire_lock("key", "us", acquire_timeout=5)
