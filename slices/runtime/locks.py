"""Locks between processes that the operating system releases when their holder dies.

Prefect's own file lock is a file that stays behind when its holder is killed, so that the next run
waits for ever. These are advisory locks of the kernel (`flock`) on a file per key.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from slices.domain.fingerprint import bytes_digest

POLL_SECONDS = 0.05


@dataclass
class _Held:
    descriptor: int
    holder: str


@dataclass
class KernelLocks:
    """A lock per key, held by one transaction of one process at a time.

    Implements Prefect's `LockManager` protocol.
    """

    folder: Path
    _held: dict[str, _Held] = field(default_factory=dict, init=False, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __getstate__(self) -> dict[str, Path]:
        """Travel to another process as the folder alone; what is held stays where it is held."""
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, Path]) -> None:
        """Arrive in another process, holding nothing."""
        self.__init__(state["folder"])  # type: ignore[misc]

    def __deepcopy__(self, memo: object) -> KernelLocks:
        """Return itself: locks are shared by every copy of a cache policy."""
        return self

    def _file(self, key: str) -> Path:
        return self.folder / f"{bytes_digest(key.encode())}.lock"

    def _try(self, key: str) -> int | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file(key), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _try_acquire(self, key: str, holder: str) -> bool:
        with self._guard:
            held = self._held.get(key)
            if held is not None:
                return held.holder == holder
            descriptor = self._try(key)
            if descriptor is None:
                return False
            self._held[key] = _Held(descriptor, holder)
            return True

    def acquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,  # noqa: ARG002 - the kernel releases; see module
    ) -> bool:
        """Wait for the lock and take it; False where `acquire_timeout` seconds pass first."""
        deadline = None if acquire_timeout is None else time.monotonic() + acquire_timeout
        while not self._try_acquire(key, holder):
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    async def aacquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Do as `acquire_lock` without blocking the event loop."""
        return await asyncio.to_thread(
            self.acquire_lock, key, holder, acquire_timeout, hold_timeout
        )

    def release_lock(self, key: str, holder: str) -> None:
        """Give the lock back.

        Raises:
            ValueError: Where `holder` does not hold it.
        """
        with self._guard:
            held = self._held.get(key)
            if held is None or held.holder != holder:
                message = f"no lock held by {holder} for {key}"
                raise ValueError(message)
            del self._held[key]
            os.close(held.descriptor)

    def is_locked(self, key: str) -> bool:
        """Tell whether anyone holds the lock."""
        with self._guard:
            if key in self._held:
                return True
            descriptor = self._try(key)
            if descriptor is None:
                return True
            os.close(descriptor)
            return False

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Tell whether this holder has the lock."""
        held = self._held.get(key)
        return held is not None and held.holder == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until nobody holds the lock; False where `timeout` seconds pass first."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.is_locked(key):
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Do as `wait_for_lock` without blocking the event loop."""
        return await asyncio.to_thread(self.wait_for_lock, key, timeout)
