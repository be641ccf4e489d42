"""Secrets that can be recognised wherever they turn up."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CANARY = "cnry7QxR2vLw9"
"""Part of every secret below; letters and digits alone, so that no escaping changes it."""

KEYS = {
    "TRADEFLOWS_ALPACA_KEY": f"AK{CANARY}1",
    "TRADEFLOWS_ALPACA_SECRET": f"{CANARY}alpaca-secret/+=",
    "TRADEFLOWS_OPERATOR_PASSWORD": f"{CANARY} pass word!",
    "TRADEFLOWS_ALERTS_URL": f"http://127.0.0.1:9/services/T0/{CANARY}?token={CANARY}",
}
BROKER = {
    "TRADEFLOWS_BROKER_KEY": f"BK{CANARY}2",
    "TRADEFLOWS_BROKER_SECRET": f"{CANARY}broker-secret",
}
UNREACHABLE_LEDGER = f"postgresql://books:{CANARY}ledger@127.0.0.1:9/tradeflows"
LEDGERS = {
    "TRADEFLOWS_LEDGER_URL": UNREACHABLE_LEDGER,
    "TRADEFLOWS_LIVE_LEDGER_URL": f"{UNREACHABLE_LEDGER}-live?password={CANARY}query",
}


def written_forms(secret: str) -> tuple[bytes, ...]:
    """List how a secret looks as it is, and inside of Base64 wherever it begins there."""
    plain = secret.encode()
    inside = (base64.b64encode(b"x" * shift + plain) for shift in range(3))
    return (plain, *(each[4:-4] for each in inside))


def betrayed(texts: Iterable[tuple[str, bytes]], *secrets: str) -> list[str]:
    """Name the texts in which a secret stands.

    Args:
        texts: Pairs of name and content.
        *secrets: Besides those of this file.
    """
    forms = [form for each in (CANARY, *secrets) for form in written_forms(each)]
    return [name for name, text in texts if any(form in text for form in forms)]


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Read every file below a folder, by its name.

    A copy is read that another process makes: closing a database's file here would end the locks
    that SQLite holds on it for the connections of this process.
    """
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "copy"
        words = ["cp", "-a", str(folder), str(copy)]
        done = subprocess.run(
            words, env={"LC_ALL": "C", "PATH": os.defpath}, stderr=subprocess.PIPE, check=False
        )
        told = done.stderr.decode().splitlines()  # files come and go
        assert all("No such file or directory" in each for each in told), told
        assert copy.is_dir()
        for each in sorted(copy.rglob("*")):
            if each.is_file():
                yield str(each.relative_to(copy)), each.read_bytes()


def open_to_others(folder: Path) -> list[str]:
    """Name the files below a folder, and the folder, that other users may read or write."""
    every = [folder, *sorted(folder.rglob("*"))] if folder.exists() else []
    return [str(each) for each in every if not each.is_symlink() and each.stat().st_mode & 0o077]
