"""Exit codes: stable, so that scripts may rely on them."""

from __future__ import annotations

from enum import IntEnum

from slices.domain.errors import (
    DataError,
    ParameterError,
    SettingsError,
    SourceError,
    StorageError,
)
from slices.domain.learning_errors import CanaryError, ModelError
from slices.domain.trading_errors import (
    BrokerError,
    LedgerError,
    LiveTradingRefusedError,
    ReconciliationError,
    TradingHaltedError,
)


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    DEGRADED = 3
    DATA = 4
    SOURCE = 5
    STORAGE = 6
    SETTINGS = 7
    HALTED = 8
    INTERRUPTED = 130
    UNREAD = 141


EXIT_CODES = {
    Exit.OK: "done",
    Exit.FAILED: "the run failed",
    Exit.BAD_INPUT: "a parameter or option is not allowed; nothing was started",
    Exit.DEGRADED: "done, but something was left out; the result says what and why",
    Exit.DATA: "the data cannot answer, such as a symbol the source does not have",
    Exit.SOURCE: "a provider or broker did not deliver, or wants credentials",
    Exit.STORAGE: "the disk or the ledger refused, or a stored file is damaged",
    Exit.SETTINGS: "the environment is not usable as configured, or live trading lacks a switch",
    Exit.HALTED: "trading is halted, or broker and books disagree, which halts it",
    Exit.INTERRUPTED: "interrupted",
    Exit.UNREAD: "whoever read the output stopped reading, as `head` does",
}

_BY_ERROR: tuple[tuple[type[BaseException], Exit], ...] = (
    (ParameterError, Exit.BAD_INPUT),
    (SettingsError, Exit.SETTINGS),
    (LiveTradingRefusedError, Exit.SETTINGS),
    (DataError, Exit.DATA),
    (SourceError, Exit.SOURCE),
    (BrokerError, Exit.SOURCE),
    (StorageError, Exit.STORAGE),
    (TradingHaltedError, Exit.HALTED),
    (ReconciliationError, Exit.HALTED),
    (LedgerError, Exit.STORAGE),
    (CanaryError, Exit.DATA),
    (ModelError, Exit.DATA),
)


def exit_code(error: BaseException) -> Exit:
    """Choose the exit code of an error."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.FAILED)
