"""The ledgers of this installation, for commands that look at them or stop them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.domain.errors import ParameterError
from slices.domain.trading_errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slices.ledger.opening import Ledger

ALL_ACCOUNTS = ""
"""The name of what concerns all accounts."""


def mode_of(word: str) -> TradingMode:
    """Read `--mode`.

    Raises:
        ParameterError: It is neither paper nor live.
    """
    try:
        return TradingMode(word)
    except ValueError:
        allowed = ", ".join(TradingMode)
        raise ParameterError(parameter="--mode", found=word, allowed=allowed) from None


def has_ledger(mode: TradingMode) -> bool:
    """Tell whether anybody has ever made a ledger of this mode, without making one."""
    from slices.runtime.settings import load_settings

    settings = load_settings()
    urls = {
        TradingMode.PAPER: settings.ledger_url,
        TradingMode.LIVE: settings.live_ledger_url,
    }
    url = urls[mode]
    file = settings.ledger_folder / f"{mode}.db"
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///")).expanduser()
    return file.exists() or (bool(url) and not url.startswith("sqlite:///"))


@contextmanager
def opened_ledger(mode: TradingMode) -> Iterator[Ledger]:
    """Open a ledger for as long as it is needed.

    Raises:
        LedgerError: There is none of this mode yet, or it cannot be read.
    """
    from slices.ledger.opening import ledger_for

    if not has_ledger(mode):
        raise LedgerError(ledger=mode, problem="it has no account yet")
    ledger = ledger_for(mode)
    try:
        yield ledger
    finally:
        ledger.close()
