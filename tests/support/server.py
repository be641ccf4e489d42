"""A real Prefect server and worker on loopback, as an operator starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from slices.runtime.environment import defaults

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
READY_SECONDS = 180.0
STOP_SECONDS = 30.0


def free_port() -> int:
    """Find a port of the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """Where a server answers, and the environment in which commands reach it.

    Attributes:
        pid: Of its process, which leads a group of its own.
    """

    url: str
    home: Path
    environment: dict[str, str]
    pid: int

    def command(self, *words: str, timeout: float = 120.0) -> str:
        """Run one of the installed commands and return what it printed."""
        finished = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def deploy(self, entrypoint: str, name: str) -> None:
        """Make the pool `local` and apply one deployment of the project: all of them take long."""
        document = yaml.safe_load((ROOT / "prefect.yaml").read_text())
        chosen = [
            each
            for each in document["deployments"]
            if (each["entrypoint"], each["name"]) == (entrypoint, name)
        ]
        file = self.home / "prefect.yaml"
        file.write_text(yaml.safe_dump(document | {"deployments": chosen}))
        self.command("prefect", "work-pool", "create", "local", "--type", "process")
        self.command("prefect", "--no-prompt", "deploy", "--prefect-file", str(file), "--all")


def clean_environment(home: Path, *, compiled: bool = True) -> dict[str, str]:
    """Copy this process's environment without its Prefect and tradeflows settings.

    Args:
        home: Where everything is written.
        compiled: Whether to use what this process and its like have compiled already.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PREFECT_", "TRADEFLOWS_"))
    }
    kernels = os.environ.get("NUMBA_CACHE_DIR") if compiled else None
    own = defaults(home) | {"TRADEFLOWS_HOME": str(home)}
    return kept | own | ({"NUMBA_CACHE_DIR": kernels} if kernels else {})


@contextmanager
def started(
    words: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the background, in a session of its own, until the block ends."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())


@contextmanager
def running_server(home: Path, *, port: int | None = None) -> Iterator[Server]:
    """Start a server with its database under `home`, on any free port or a given one."""
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    url = f"http://127.0.0.1:{port}/api"
    environment = clean_environment(home) | {
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
    }
    log = home / "server.log"
    with started([str(BIN / "prefect"), "server", "start"], environment, log) as process:
        _wait_until_ready(url, log)
        yield Server(url=url, home=home, environment=environment, pid=process.pid)


@contextmanager
def running_worker(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process worker on the pool `local`."""
    words = [str(BIN / "prefect"), "worker", "start", "--pool", "local", "--limit", "4"]
    with started(words, server.environment, server.home / "worker.log") as process:
        yield process
