"""The part of the error tree that has to do with learning.

::

    TradingError
    ├── DataError
    │   └── LeakageError           inputs know what they could not have known
    ├── CanaryError                a training found something where there is nothing
    ├── ModelError                 a registered model cannot be used
    │   └── ModelNotFoundError     there is none
    └── StorageError
        └── IntegrityError
            └── TamperedModelError a model's files are not those that were registered
"""

from __future__ import annotations

from dataclasses import dataclass

from slices.domain.errors import DataError, IntegrityError, TradingError, listed


@dataclass(eq=False, kw_only=True, repr=False)
class LeakageError(DataError):
    """Features, labels or splits that carry the future.

    Attributes:
        names: What leaks: names of features, or of a split.
        problem: How that was found.
    """

    names: tuple[str, ...]
    problem: str

    def __str__(self) -> str:
        return f"look-ahead in {listed(self.names)}: {self.problem}"


@dataclass(eq=False, kw_only=True, repr=False)
class CanaryError(TradingError):
    """A training found something where there is nothing to be found.

    Attributes:
        names: The canaries that sing.
        problem: What each found and what it may find.
    """

    names: tuple[str, ...]
    problem: str

    def __str__(self) -> str:
        return f"the training cannot be trusted, {listed(self.names)}: {self.problem}"


@dataclass(eq=False, kw_only=True, repr=False)
class ModelError(TradingError):
    """A registered model cannot be used."""

    model: str
    problem: str

    def __str__(self) -> str:
        return f"model '{self.model}': {self.problem}"


class ModelNotFoundError(ModelError):
    """There is no such model, version or alias."""


class TamperedModelError(IntegrityError):
    """A model's files are not those that were registered."""
