"""The machine: cores, memory, disk, file handles, and the processes of the system."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from slices.domain.observations import HostFacts
from slices.runtime.servers import recorded
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SHORTEST_LOOK_SECONDS = 0.2
SIZES_LAST_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class _CoreTimes:
    """Seconds of all cores since the machine started."""

    busy: float
    total: float


class CoreLook:
    """Measures how busy the cores were from one look to the next."""

    def __init__(self) -> None:
        self._before = _core_times()

    def share(self) -> float:
        """Return the share of all cores in use since the look before, at least a moment ago."""
        now = _core_times()
        if now.total - self._before.total < SHORTEST_LOOK_SECONDS * cores():
            time.sleep(SHORTEST_LOOK_SECONDS)
            now = _core_times()
        before, self._before = self._before, now
        elapsed = now.total - before.total
        share = (now.busy - before.busy) / elapsed if elapsed > 0 else 0.0
        return min(1.0, max(0.0, share))


def _core_times() -> _CoreTimes:
    """Read the cores' clocks; time of guests is part of user time already."""
    found = psutil.cpu_times()._asdict()
    total = sum(found.values()) - found.get("guest", 0.0) - found.get("guest_nice", 0.0)
    idle = found["idle"] + found.get("iowait", 0.0)
    return _CoreTimes(busy=total - idle, total=total)


class FolderSizes:
    """Measures folders, each at most once a minute: a home may hold very many files."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[float, int]] = {}

    def size(self, folder: Path) -> int:
        """Return the bytes of all files under a folder."""
        measured, found = self._known.get(folder, (-SIZES_LAST_SECONDS, 0))
        if time.monotonic() - measured >= SIZES_LAST_SECONDS:
            found = folder_size(folder)
            self._known[folder] = (time.monotonic(), found)
        return found


_look = CoreLook()
_sizes = FolderSizes()


def cores() -> int:
    """Return how many cores the machine has."""
    return os.cpu_count() or 1


def folder_size(folder: Path) -> int:
    """Add up the bytes of all files under a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - many files
    return total


def own_processes(run_folder: Path) -> tuple[psutil.Process, ...]:
    """List the processes of the system that run: the servers started here, with their children.

    Args:
        run_folder: Where it is written down which servers were started.

    Returns:
        This process first; nothing twice.
    """
    found = {os.getpid(): psutil.Process()}
    for server in recorded(run_folder):
        with suppress(psutil.Error):
            if server.is_running:
                leader = psutil.Process(server.pid)
                found |= {each.pid: each for each in (leader, *leader.children(recursive=True))}
    return tuple(found.values())


def _open_files(processes: Iterable[psutil.Process]) -> Iterator[int]:
    for each in processes:
        with suppress(psutil.Error):
            yield each.num_fds()


def host_facts(home: Path) -> HostFacts:
    """Look at the machine that this process runs on.

    Args:
        home: Folder of everything that is written; its file system is the one looked at.

    Returns:
        How busy the cores were is measured from the call before, or over a moment.

    Raises:
        OSError: The home's file system cannot be looked at.
    """
    memory, swap, disk = psutil.virtual_memory(), psutil.swap_memory(), shutil.disk_usage(home)
    processes = own_processes(load_settings().run_folder)
    return HostFacts(
        name=platform.node(),
        cores=cores(),
        cpu=_look.share(),
        load_1m=os.getloadavg()[0],
        memory_total=memory.total,
        memory_used=1.0 - memory.available / memory.total,
        swap_used=swap.used / swap.total if swap.total else 0.0,
        disk_total=disk.total,
        disk_used=disk.used / (disk.used + disk.free),
        disk_free=disk.free,
        home_size=_sizes.size(home),
        open_files=sum(_open_files(processes)),
        open_files_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        processes=len(processes),
    )
