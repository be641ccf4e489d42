"""The Prefect server of a command: the one that is set, or one of its own on loopback."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from flows.cli.output import note
from slices.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_SECONDS = 120.0
USUAL_PAGES = "http://127.0.0.1:4200"
"""Where `prefect server start` shows the runs later; a server of one command has no pages."""

STOP_SECONDS = 5.0
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG (Linux prctl(2))
SERVER_ENVIRONMENT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}
SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING (Linux netdevice(7))


def ensure_loopback() -> None:
    """Check that this machine can reach itself, where a server is to be started for the run.

    A fresh network namespace (`unshare -n`) has a loopback interface that is down. Where this
    process may, it brings it up and says so.

    Raises:
        SettingsError: Where it may not.
    """
    if _reaches_itself():
        return
    with suppress(OSError):
        _bring_up()
    if not _reaches_itself():
        raise SettingsError(
            setting="loopback interface", found="down", needed="`ip link set lo up` as root"
        )
    note("tradeflows: the loopback interface was down; brought it up")


@contextmanager
def prefect_api() -> Iterator[None]:
    """Use the Prefect server of `PREFECT_API_URL`, or start one for the rest of this command.

    Prefect would start one by itself, but in the terminal's process group: Ctrl-C would stop the
    server before the run could say that it was interrupted, and a killed command would leave the
    server behind.

    Raises:
        SettingsError: Where no server answers, naming the address and what to do.
    """
    from httpx import HTTPError
    from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

    try:
        if PREFECT_API_URL.value():
            yield
        else:
            ensure_loopback()
            pages = PREFECT_UI_URL.value() or USUAL_PAGES
            with temporary_settings({PREFECT_API_URL: _own_server(), PREFECT_UI_URL: pages}):
                yield
    except (RuntimeError, HTTPError) as unreachable:
        where = os.environ.get("PREFECT_API_URL", "a server started for this command")
        raise SettingsError(
            setting="PREFECT_API_URL",
            found=f"{where}: {str(unreachable).partition(chr(10))[0]}",
            needed="a Prefect server that answers, or no address at all",
        ) from unreachable


def _own_server() -> str:
    """Start a server that ends with this process and return its address."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    words = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    words += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        words,
        env=os.environ | SERVER_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    # Exit handlers run last in first out: Prefect's, which send the last log lines, before this.
    atexit.register(_stop, process)
    _wait_until_ready(process, url)
    return url


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    import httpx

    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"it ended with code {process.returncode} before it answered"
            raise RuntimeError(message)
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=2).is_success:
                return
        time.sleep(0.1)
    message = f"no answer within {READY_SECONDS:.0f} seconds"
    raise RuntimeError(message)


def _die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, even by SIGKILL (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reaches_itself() -> bool:
    with socket.socket() as listener, socket.socket() as caller:
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            caller.settimeout(5)
            caller.connect(listener.getsockname())
        except OSError:
            return False
    return True


def _bring_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sH14s", b"lo", UP_AND_RUNNING, b""))
