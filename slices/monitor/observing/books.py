"""The books there are, kept open between two looks at them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.ledger.opening import ledger_for
from slices.monitor.observing.accounts import account_facts
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.observations import AccountFacts
    from slices.ledger.opening import Ledger

FILE = "sqlite:///"
Identity = tuple[str, int, int]


class Books:
    """The ledgers of this installation; none is made by looking at it."""

    def __init__(self) -> None:
        self._open: dict[TradingMode, tuple[Identity, Ledger]] = {}

    def account_facts(self, *, at: dt.datetime) -> tuple[AccountFacts, ...]:
        """Look at every account of every ledger there is.

        Raises:
            TradingError: The settings are wrong, or books cannot be read.
        """
        found = (self._ledger(mode) for mode in TradingMode)
        return tuple(facts for each in found if each for facts in account_facts(each, at=at))

    def close(self) -> None:
        """Close every ledger."""
        for _, ledger in self._open.values():
            ledger.close()
        self._open.clear()

    def _ledger(self, mode: TradingMode) -> Ledger | None:
        """Return a ledger, opened anew where another file took its place; None without one."""
        found = identity(mode)
        known = self._open.get(mode)
        if known and known[0] == found:
            return known[1]
        if known:
            known[1].close()
            del self._open[mode]
        if found is None:
            return None
        self._open[mode] = (found, ledger_for(mode))
        return self._open[mode][1]


def identity(mode: TradingMode) -> Identity | None:
    """Say which database holds the accounts of a mode now; None where there is none yet."""
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
