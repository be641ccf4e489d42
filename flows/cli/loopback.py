"""The loopback interface: Prefect's own server answers there, and nothing else is needed."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from flows.cli.output import note
from slices.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING (Linux netdevice(7))


def ensure_loopback() -> None:
    """Check that this machine can reach itself, where a server is to be started for the run.

    A fresh network namespace (`unshare -n`) has a loopback interface that is down. Where this
    process may, it brings it up and says so.

    Raises:
        SettingsError: Where it may not.
    """
    if os.environ.get("PREFECT_API_URL") or _reaches_itself():
        return
    with suppress(OSError):
        _bring_up()
    if not _reaches_itself():
        raise SettingsError(
            setting="loopback interface", found="down", needed="`ip link set lo up` as root"
        )
    note("tradeflows: the loopback interface was down; brought it up")


@contextmanager
def reachable_api() -> Iterator[None]:
    """Turn a Prefect server that does not answer into a settings error.

    Raises:
        SettingsError: Naming the address and what to do.
    """
    from httpx import HTTPError

    try:
        yield
    except (RuntimeError, HTTPError) as unreachable:
        where = os.environ.get("PREFECT_API_URL", "a server started for this run")
        raise SettingsError(
            setting="PREFECT_API_URL",
            found=f"{where}: {str(unreachable).partition(chr(10))[0]}",
            needed="a Prefect server that answers, or no address at all",
        ) from unreachable


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
