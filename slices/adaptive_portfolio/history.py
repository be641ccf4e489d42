"""Prices of a portfolio in the sessions where every symbol has a bar."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.bars import BarShape
from slices.domain.calendar import periods_per_year
from slices.domain.dataset import read_bars, wide_values
from slices.domain.errors import InsufficientHistoryError, counted
from slices.quant.returns import shared_rows, simple_returns
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    import polars as pl

    from slices.domain.dataset import DatasetRef


@dataclass(frozen=True, kw_only=True, eq=False)
class PriceHistory:
    """Aligned prices: T sessions x N symbols, none missing.

    Attributes:
        fill_prices: Opens where the data has them, else closes.
    """

    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    closes: FloatArray
    fill_prices: FloatArray
    periods_per_year: int

    def newest_returns(self, lookback_sessions: int) -> FloatArray:
        """Return the newest simple returns.

        Raises:
            InsufficientHistoryError: With no more than `lookback_sessions` closes.
        """
        self.check_length(lookback_sessions + 1)
        return simple_returns(self.closes[-lookback_sessions - 1 :])

    def check_length(self, needed: int) -> None:
        """Check that there are enough sessions.

        Raises:
            InsufficientHistoryError: With fewer than `needed`.
        """
        if len(self.sessions) < needed:
            raise InsufficientHistoryError(
                symbol=f"portfolio of {counted(len(self.symbols), 'symbol')}",
                needed=needed,
                found=len(self.sessions),
            )


def read_history(bars: DatasetRef) -> PriceHistory:
    """Read closes and fill prices; sessions where any symbol has no bar are left out.

    Raises:
        BadDataError: Where the symbols share no session, or `shared_rows` finds them too sparse.
        InsufficientHistoryError: Where they share a single session.
    """
    frame = read_bars(bars)
    sessions, closes = _wide(frame, "close", bars.symbols)
    is_close_only = bars.shape is BarShape.CLOSE_ONLY
    fill_prices = closes if is_close_only else _wide(frame, "open", bars.symbols)[1]
    kept = shared_rows(closes, bars.symbols)
    return PriceHistory(
        symbols=bars.symbols,
        sessions=tuple(sessions[i] for i in np.flatnonzero(kept)),
        closes=np.ascontiguousarray(closes[kept]),
        fill_prices=np.ascontiguousarray(fill_prices[kept]),
        periods_per_year=periods_per_year(bars.calendar),
    )


def _wide(
    frame: pl.DataFrame, column: str, symbols: tuple[str, ...]
) -> tuple[list[dt.date], FloatArray]:
    wide = wide_values(frame, column, symbols)
    values = wide.select(symbols).to_numpy().astype(np.float64)
    return wide["session"].to_list(), values
