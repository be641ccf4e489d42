"""The series a regime is told from: one symbol, or the equal-weight index of several."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, InsufficientHistoryError, ParameterError, listed
from slices.quant.returns import MOST_INCOMPLETE, compounded, simple_returns
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel

FLAT = 1e-10
"""A series whose returns deviate less than this per session does not move."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReturnSeries:
    """T sessions with a return over exactly one session.

    Attributes:
        label: What the series is, for people.
        returns: T log returns; each from the close of the session before.
        simple: The same as T fractions.
        levels: T closes or index values.
        periods_per_year: Sessions in a year.
    """

    label: str
    sessions: tuple[dt.date, ...]
    returns: FloatArray
    simple: FloatArray
    levels: FloatArray
    periods_per_year: int

    def check_usable(self, needed: int) -> None:
        """Check that there are enough returns and that they are not all alike.

        Raises:
            InsufficientHistoryError: With fewer than `needed` returns.
            BadDataError: Where the level never moves.
        """
        if self.returns.size < needed:
            found = self.returns.size + 1
            raise InsufficientHistoryError(symbol=self.label, needed=needed + 1, found=found)
        if not float(self.returns.std()) > FLAT:
            raise BadDataError(dataset=self.label, problem="the level never changes")


def symbol_series(panel: Panel, symbol: str) -> ReturnSeries:
    """Return the series of one symbol.

    A session without a bar has no return, nor has the one after it, whose change spans more than
    one session; both are left out. The levels that remain still hold that change.

    Raises:
        ParameterError: Where the dataset does not have the symbol.
        BadDataError: Where more than 2 % of the sessions inside its history have no bar.
    """
    if symbol not in panel.symbols:
        raise ParameterError(parameter="symbol", found=symbol, allowed=listed(panel.symbols))
    closes = panel.close[:, panel.symbols.index(symbol)]
    return _series(symbol, panel, simple_returns(closes), closes[1:])


def index_series(panel: Panel) -> ReturnSeries:
    """Return the equal-weight index: each return is the mean over the symbols that have one.

    A symbol counts from its second bar on and not over its gaps. The index starts at 1 and is a
    gauge, not a portfolio: it is weighted equally anew at every close, without costs.

    Raises:
        BadDataError: Where for more than 2 % of the sessions no symbol has a return.
    """
    ordered = np.sort(simple_returns(panel.close), axis=1)  # the same sum in any order of symbols
    known = np.isfinite(ordered)
    counts = known.sum(axis=1)
    total = np.where(known, ordered, 0.0).sum(axis=1)
    means = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    levels = compounded(np.where(counts > 0, means, 0.0))
    label = f"equal-weight index of {len(panel.symbols)} symbols"
    return _series(label, panel, means, levels)


def series_of(panel: Panel, symbol: str | None) -> ReturnSeries:
    """Return the series of one symbol, or the index of all where none is named."""
    if symbol is not None:
        return symbol_series(panel, symbol)
    if len(panel.symbols) == 1:
        return symbol_series(panel, panel.symbols[0])
    return index_series(panel)


def _series(label: str, panel: Panel, simple: FloatArray, levels: FloatArray) -> ReturnSeries:
    kept = np.flatnonzero(np.isfinite(simple))
    _check_gaps(label, kept)
    return ReturnSeries(
        label=label,
        sessions=tuple(panel.sessions[i + 1] for i in kept),
        returns=np.log1p(simple[kept]),
        simple=simple[kept],
        levels=np.ascontiguousarray(levels[kept]),
        periods_per_year=panel.periods_per_year,
    )


def _check_gaps(label: str, kept: np.ndarray[tuple[int], np.dtype[np.intp]]) -> None:
    span = int(kept[-1] - kept[0]) + 1 if kept.size else 0
    missing = 1.0 - kept.size / span if span else 0.0
    if missing > 2 * MOST_INCOMPLETE:
        raise BadDataError(
            dataset=label,
            problem=f"{missing:.1%} of the sessions have no return over one session, at most "
            f"{2 * MOST_INCOMPLETE:.0%} may (a missing bar takes two returns): choose another "
            "source",
        )
