"""The ledgers there are, for whoever only looks: none is made by looking at it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.ledger.opening import ledger_for
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.ledger.opening import Ledger

FILE = "sqlite:///"

Place = tuple[str, int, int]
"""An address, and which file is found there."""


def place_of(mode: TradingMode) -> Place | None:
    """Say which database holds the accounts of a mode now; None where nobody has made it yet.

    A file that was put in the place of another, as a backup is, is another database.
    """
    settings = load_settings()
    url = settings.live_ledger_url if mode is TradingMode.LIVE else settings.ledger_url
    url = url or f"{FILE}{settings.ledger_folder / mode.value}.db"
    if not url.startswith(FILE):
        return (url, 0, 0)
    file = Path(url.removeprefix(FILE)).expanduser()
    if not file.exists():
        return None
    status = file.stat()
    return (url, status.st_dev, status.st_ino)


@contextmanager
def existing_ledgers() -> Iterator[tuple[Ledger, ...]]:
    """Open the ledgers there are, for as long as they are needed.

    Raises:
        SettingsError: See `ledger_for`; LedgerError likewise.
    """
    ledgers: list[Ledger] = []
    try:
        ledgers.extend(ledger_for(mode) for mode in TradingMode if place_of(mode) is not None)
        yield tuple(ledgers)
    finally:
        for each in ledgers:
            each.close()
