"""The bars of single symbols: what indicators, patterns and levels are computed over."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from slices.domain.bars import BarShape
from slices.domain.errors import ParameterError, listed
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    import numpy.typing as npt

    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel
    from slices.quant.types import IntArray


SERIES = ("open", "high", "low", "close", "volume", "market")


@dataclass(frozen=True, kw_only=True, eq=False)
class SymbolBars:
    """A symbol's own T bars in a row; sessions without a bar are passed over, never filled.

    Attributes:
        open: T opens, or None where the data is close-only; the same for high, low and volume.
        market: T levels of the equal-weighted mean of all symbols of the data, 1 at the data's
            first session; None where there is no other symbol.
        missing_sessions: Sessions passed over between the first and the newest bar.
        periods_per_year: Sessions in a year.
    """

    symbol: str
    sessions: tuple[dt.date, ...]
    close: FloatArray
    open: FloatArray | None = None
    high: FloatArray | None = None
    low: FloatArray | None = None
    volume: FloatArray | None = None
    market: FloatArray | None = None
    missing_sessions: int = 0
    periods_per_year: int

    def __len__(self) -> int:
        return len(self.sessions)

    @property
    def shape(self) -> BarShape:
        """Tell whether there is more than closes."""
        return BarShape.CLOSE_ONLY if self.open is None else BarShape.OHLCV

    @property
    def highs(self) -> FloatArray:
        """Highest known prices: highs, else closes."""
        return self.close if self.high is None else self.high

    @property
    def lows(self) -> FloatArray:
        """Lowest known prices: lows, else closes."""
        return self.close if self.low is None else self.low

    @property
    def fill_prices(self) -> FloatArray:
        """Prices at which decisions of the session before fill: opens, else closes."""
        return self.close if self.open is None else self.open

    def until(self, stop: int) -> SymbolBars:
        """Return the first `stop` bars."""
        series = {name: getattr(self, name) for name in SERIES}
        return dataclasses.replace(
            self,
            sessions=self.sessions[:stop],
            **{name: each[:stop] for name, each in series.items() if each is not None},
        )


class Full(NamedTuple):
    """The five series of OHLCV bars."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


def full(bars: SymbolBars) -> Full:
    """Return all five series.

    Raises:
        ValueError: Where the bars are close-only; callers ask for the shape first.
    """
    if bars.open is None or bars.high is None or bars.low is None or bars.volume is None:
        message = f"{bars.symbol}: needs open, high, low, close and volume; found close only"
        raise ValueError(message)
    return Full(bars.open, bars.high, bars.low, bars.close, bars.volume)


def market_levels(closes: FloatArray) -> FloatArray | None:
    """Compound the mean return of all symbols that have this close and the one before.

    Args:
        closes: T x N, NaN where a symbol has no bar.

    Returns:
        T levels, 1 at the first; None with fewer than two symbols.

    >>> market_levels(np.array([[1.0, 2.0], [1.1, np.nan], [1.1, 3.0]])).round(12).tolist()
    [1.0, 1.1, 1.1]
    """
    if closes.shape[1] < 2:
        return None
    returns = simple_returns(closes)
    known = np.isfinite(returns)
    count = known.sum(axis=1)
    total = np.where(known, returns, 0.0).sum(axis=1)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return np.concatenate([[1.0], np.cumprod(1.0 + mean)])


def panel_bars(panel: Panel, *, market: FloatArray | None) -> tuple[SymbolBars, ...]:
    """Split a panel into the bars of its symbols; a symbol without any bar has none.

    Args:
        panel: The symbols.
        market: T levels of the market that betas are to; None where none are asked for.
    """
    values = {
        name: np.ascontiguousarray(each.T)
        for name in ("open", "high", "low", "close", "volume")
        if (each := getattr(panel, name)) is not None
    }
    sessions = np.array(panel.sessions, dtype=object)
    return tuple(
        _column(panel, place, values, market, sessions) for place in range(len(panel.symbols))
    )


def _column(
    panel: Panel,
    place: int,
    values: dict[str, FloatArray],
    market: FloatArray | None,
    sessions: npt.NDArray[np.object_],
) -> SymbolBars:
    rows = np.flatnonzero(np.isfinite(values["close"][place]))
    whole = rows.size == len(panel.sessions)
    series = {
        name: each[place] if whole else np.ascontiguousarray(each[place][rows])
        for name, each in values.items()
    }
    return SymbolBars(
        symbol=panel.symbols[place],
        sessions=panel.sessions if whole else tuple(sessions[rows].tolist()),
        market=market if market is None or whole else market[rows],
        missing_sessions=_missing(rows),
        periods_per_year=panel.periods_per_year,
        **series,
    )


def _missing(rows: IntArray) -> int:
    return int(rows[-1] - rows[0] + 1 - rows.size) if rows.size else 0


def read_symbol_bars(ref: DatasetRef, symbols: tuple[str, ...]) -> tuple[SymbolBars, ...]:
    """Read the bars of some symbols of a dataset, with the market of all of them.

    Raises:
        ParameterError: Where the dataset lacks a symbol.
        IntegrityError: Where the file is gone or not the one referred to.
    """
    unknown = tuple(each for each in symbols if each not in ref.symbols)
    if unknown:
        raise ParameterError(
            parameter="symbols", found=listed(unknown), allowed=f"some of {listed(ref.symbols)}"
        )
    panel = read_panel(ref)
    chosen = panel.columns([ref.symbols.index(each) for each in symbols])
    return panel_bars(chosen, market=market_levels(panel.close))
