"""The error tree.

::

    TradingError
    ├── ParameterError             a value a person supplied is not allowed
    ├── SettingsError              the environment is not usable as configured
    ├── DataError                  the data cannot answer the question
    │   ├── SymbolNotFoundError    the source does not have these symbols
    │   ├── InsufficientHistoryError
    │   ├── MissingColumnsError    the data lacks columns the question needs
    │   ├── AdjustmentUnavailableError
    │   ├── BadDataError           bars that break the schema or the market's rules
    │   └── SuspectedSplitError    a price jump that looks like an unadjusted split
    ├── SourceError                a provider did not deliver
    │   ├── SourceNotInstalledError
    │   ├── AuthMissingError
    │   ├── MalformedAnswerError   an answer that is not the promised format (retryable)
    │   ├── RateLimitedError       (retryable)
    │   └── TransientSourceError   (retryable)
    ├── StorageError               the disk refused
    │   └── IntegrityError         a stored file is not what was written
    ├── BrokerError, LedgerError, ...  see `trading_errors`
    └── ComputationError           the mathematics has no answer
        ├── InfeasibleError        constraints that exclude each other
        └── ConvergenceError
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


def listed(items: tuple[str, ...], *, most: int = 30) -> str:
    """Join names for a message, shortening a long list.

    >>> listed(("A", "B", "C"), most=2)
    'A, B and 1 more'
    """
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def counted(count: int, word: str) -> str:
    """Write a number of things.

    >>> counted(1, "symbol"), counted(1200, "symbol")
    ('1 symbol', '1,200 symbols')
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _rebuilt(kind: type[TradingError], values: dict[str, object]) -> TradingError:
    return kind(**values)


@dataclass(eq=False, kw_only=True, repr=False)
class TradingError(Exception):
    """Any failure this system can name; `retryable` says whether trying again may help."""

    retryable: ClassVar[bool] = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return _rebuilt, (type(self), values)


@dataclass(eq=False, kw_only=True, repr=False)
class ParameterError(TradingError):
    """A parameter outside what is allowed."""

    parameter: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.parameter}: found {self.found}; allowed: {self.allowed}"


@dataclass(eq=False, kw_only=True, repr=False)
class SettingsError(TradingError):
    """The environment cannot be used as configured."""

    setting: str
    found: str
    needed: str

    def __str__(self) -> str:
        return f"{self.setting}: found {self.found}; needed: {self.needed}"


class DataError(TradingError):
    """The data cannot answer the question."""


@dataclass(eq=False, kw_only=True, repr=False)
class SymbolNotFoundError(DataError):
    """Symbols the source does not have; nothing is dropped silently."""

    symbols: tuple[str, ...]
    source: str
    available: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        offer = f"; it has: {listed(self.available)}" if self.available else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{listed(self.symbols)}: not found in source '{self.source}'{why}{offer}"


@dataclass(eq=False, kw_only=True, repr=False)
class InsufficientHistoryError(DataError):
    """Fewer sessions of bars than the computation needs."""

    symbol: str
    needed: int
    found: int

    def __str__(self) -> str:
        return f"{self.symbol}: needs {self.needed} sessions of bars, found {self.found}"


@dataclass(eq=False, kw_only=True, repr=False)
class MissingColumnsError(DataError):
    """Columns that this data does not have and that are never invented."""

    dataset: str
    needed: tuple[str, ...]
    found: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.dataset}: needs columns {listed(self.needed)}; found {listed(self.found)}"


@dataclass(eq=False, kw_only=True, repr=False)
class AdjustmentUnavailableError(DataError):
    """Prices the source cannot provide under the requested adjustment."""

    dataset: str
    requested: str
    available: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.dataset}: no '{self.requested}' prices; "
            f"available adjustments: {listed(self.available)}"
        )


@dataclass(eq=False, kw_only=True, repr=False)
class BadDataError(DataError):
    """Bars that break the schema or the rules of a market."""

    dataset: str
    problem: str

    def __str__(self) -> str:
        return f"{self.dataset}: {self.problem}"


@dataclass(eq=False, kw_only=True, repr=False)
class SuspectedSplitError(DataError):
    """A jump that looks like a split nobody adjusted for; sizing on it would be wrong."""

    symbol: str
    session: str
    change: float

    def __str__(self) -> str:
        return (
            f"{self.symbol}: price changed {self.change:+.1%} on {self.session}, which looks like "
            "an unadjusted split, so no size would be right: leave the symbol out, correct its "
            "prices, or choose another source"
        )


@dataclass(eq=False, kw_only=True, repr=False)
class SourceError(TradingError):
    """A provider did not deliver."""

    source: str
    problem: str

    def __str__(self) -> str:
        return f"source '{self.source}': {self.problem}"


class SourceNotInstalledError(SourceError):
    """The optional package of a source is not installed."""


class AuthMissingError(SourceError):
    """The source wants credentials that are absent or were refused."""


class MalformedAnswerError(SourceError):
    """The answer is not in the promised format, such as HTML instead of bars.

    Worth a retry: a cut connection or a captive portal passes.
    """

    retryable: ClassVar[bool] = True


@dataclass(eq=False, kw_only=True, repr=False)
class RateLimitedError(SourceError):
    """The source asked for fewer requests."""

    retryable: ClassVar[bool] = True
    retry_after_seconds: float | None = None


class TransientSourceError(SourceError):
    """A timeout, a broken connection or a server error; trying again may help."""

    retryable: ClassVar[bool] = True


@dataclass(eq=False, kw_only=True, repr=False)
class StorageError(TradingError):
    """The disk refused to keep something; what was there before is untouched."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class IntegrityError(StorageError):
    """A stored file is not what was written."""


class ComputationError(TradingError):
    """The mathematics has no answer for this input."""


@dataclass(eq=False, kw_only=True, repr=False)
class InfeasibleError(ComputationError):
    """Constraints that exclude each other."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass(eq=False, kw_only=True, repr=False)
class ConvergenceError(ComputationError):
    """An iteration that did not reach its tolerance."""

    method: str
    iterations: int
    residual: float

    def __str__(self) -> str:
        return (
            f"{self.method}: residual {self.residual:.3g} after {self.iterations} iterations; "
            "the input may be ill-conditioned"
        )
