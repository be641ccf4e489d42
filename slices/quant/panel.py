"""Panels: bars of several symbols as aligned matrices, the input of every signal and simulation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.calendar import periods_per_year
from slices.domain.dataset import read_bars
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from slices.domain.dataset import DatasetRef


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """T sessions x N symbols; NaN where a symbol has no bar, and nothing is ever filled.

    Attributes:
        symbols: N names, one per column.
        sessions: T exchange dates, rising; a row for every session on which any symbol has a bar.
        close: T x N closes; also what says whether a symbol has a bar.
        open: T x N, or None where the data is close-only; the same for high, low and volume.
        periods_per_year: Sessions in a year.
    """

    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    close: FloatArray
    open: FloatArray | None = None
    high: FloatArray | None = None
    low: FloatArray | None = None
    volume: FloatArray | None = None
    periods_per_year: int

    @property
    def fill_prices(self) -> FloatArray:
        """Prices at which decisions of the session before fill: opens, else closes."""
        return self.close if self.open is None else self.open

    def until(self, stop: int) -> Panel:
        """Return the first `stop` sessions: what was known at the close of session `stop` - 1."""
        return self._sliced(slice(0, stop), self.sessions[:stop])

    def between(self, start: int, stop: int) -> Panel:
        """Return the sessions `start` to `stop` - 1."""
        return self._sliced(slice(start, stop), self.sessions[start:stop])

    def columns(self, places: Sequence[int]) -> Panel:
        """Return some of the symbols, in this order."""
        chosen = list(places)
        symbols = tuple(self.symbols[i] for i in chosen)
        return self._mapped(lambda values: values[:, chosen], symbols, self.sessions)

    def _sliced(self, rows: slice, sessions: tuple[dt.date, ...]) -> Panel:
        return self._mapped(lambda values: values[rows], self.symbols, sessions)

    def _mapped(
        self,
        change: Callable[[FloatArray], FloatArray],
        symbols: tuple[str, ...],
        sessions: tuple[dt.date, ...],
    ) -> Panel:
        return Panel(
            symbols=symbols,
            sessions=sessions,
            close=change(self.close),
            open=None if self.open is None else change(self.open),
            high=None if self.high is None else change(self.high),
            low=None if self.low is None else change(self.low),
            volume=None if self.volume is None else change(self.volume),
            periods_per_year=self.periods_per_year,
        )


def read_panel(ref: DatasetRef) -> Panel:
    """Read a dataset as a panel, in the order of its symbols.

    Raises:
        IntegrityError: Where the file is gone or not the one referred to.
    """
    frame = read_bars(ref)
    sessions = frame["session"].unique().sort()
    rows = sessions.search_sorted(frame["session"]).to_numpy()
    places = {symbol: place for place, symbol in enumerate(ref.symbols)}
    columns = frame["symbol"].replace_strict(places, return_dtype=pl.Int64).to_numpy()
    values = {
        name: _placed(frame[name], rows, columns, shape=(sessions.len(), len(ref.symbols)))
        for name in ref.shape.values
    }
    return Panel(
        symbols=ref.symbols,
        sessions=tuple(sessions.to_list()),
        periods_per_year=periods_per_year(ref.calendar),
        **values,
    )


def _placed(
    values: pl.Series, rows: IntArray, columns: IntArray, *, shape: tuple[int, int]
) -> FloatArray:
    matrix = np.full(shape, np.nan)
    matrix[rows, columns] = values.to_numpy()
    return matrix
