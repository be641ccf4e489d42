"""The machine, held against what the kernel says of it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from slices.monitor.observing.host import (
    CoreLook,
    FolderSizes,
    folder_size,
    host_facts,
    own_processes,
)
from slices.runtime.servers import ServerProcess, forget, record


def meminfo() -> dict[str, int]:
    """What the kernel says of memory, in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing until it is ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_memory_load_and_cores_are_the_kernels(tmp_path: Path) -> None:
    found, kernel = host_facts(tmp_path), meminfo()
    assert found.memory_total == kernel["MemTotal"]
    assert found.memory_used == pytest.approx(
        1 - kernel["MemAvailable"] / kernel["MemTotal"], abs=0.1
    )
    swap = kernel["SwapTotal"]
    used = 1 - kernel["SwapFree"] / swap if swap else 0.0
    assert found.swap_used == pytest.approx(used, abs=0.05)
    stated = [line for line in Path("/proc/stat").read_text().splitlines() if line[:3] == "cpu"]
    assert found.cores == len(stated) - 1
    assert found.load_1m == pytest.approx(
        float(Path("/proc/loadavg").read_text().split()[0]), abs=1
    )
    assert found.name == Path("/proc/sys/kernel/hostname").read_text().strip()


def test_disk_is_what_df_says(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    found = host_facts(tmp_path)
    words = ["df", "--block-size=1", "--output=size,used,avail", str(tmp_path)]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    size, used, free = (int(each) for each in listed[-3:])
    assert found.disk_total == size
    assert found.disk_free == pytest.approx(free, rel=0.05)
    assert found.disk_used == pytest.approx(used / (used + free), abs=0.05)
    assert found.home_size == 5000


def test_a_folder_weighs_what_its_files_do(tmp_path: Path) -> None:
    for name, size in (("a", 10), ("deep/er/b", 200), ("deep/c", 0)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)
    (tmp_path / "deep" / "link").symlink_to("/proc/self/maps")
    assert folder_size(tmp_path) == 210 + len("/proc/self/maps")
    assert folder_size(tmp_path / "absent") == 0


def test_a_folder_is_measured_once_a_minute(tmp_path: Path) -> None:
    sizes = FolderSizes()
    assert sizes.size(tmp_path) == 0
    (tmp_path / "file").write_bytes(b"x")
    assert sizes.size(tmp_path) == 0
    assert FolderSizes().size(tmp_path) == 1


def test_a_core_in_use_is_seen() -> None:
    look = CoreLook()
    stop = threading.Event()
    busy = threading.Thread(target=lambda: all(not stop.is_set() for _ in iter(int, 1)))
    busy.start()
    try:
        while look.share() < 0.8 / (os.cpu_count() or 1):
            assert busy.is_alive()
    finally:
        stop.set()
        busy.join()
    assert 0 <= look.share() <= 1


def written_down(folder: Path, process: subprocess.Popen[bytes], *, seconds: float = 0) -> None:
    """Record a server, made at its time or some seconds later."""
    created = psutil.Process(process.pid).create_time() + seconds
    record(folder, ServerProcess(name="server", pid=process.pid, created=created))


def test_processes_are_the_recorded_ones_and_this_one(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    assert [each.pid for each in own_processes(tmp_path)] == [os.getpid()]
    written_down(tmp_path, sleeper)
    (tmp_path / "damaged.pid").write_text("1\n")
    assert {each.pid for each in own_processes(tmp_path)} == {os.getpid(), sleeper.pid}
    written_down(tmp_path, sleeper, seconds=100)
    assert len(own_processes(tmp_path)) == 1, "a pid that somebody else has by now"


def test_open_files_are_counted(
    home: Path, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    folder = home / "run"
    folder.mkdir(exist_ok=True)
    written_down(folder, sleeper)
    try:
        found = host_facts(tmp_path)
    finally:
        forget(folder, "server")
    handles = [len(list(Path(f"/proc/{each}/fd").iterdir())) for each in ("self", sleeper.pid)]
    assert found.open_files == pytest.approx(sum(handles), abs=3)
    assert found.processes == 2
    assert found.open_files_limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_a_home_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        host_facts(tmp_path / "absent")
