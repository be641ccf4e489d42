"""What a simulation leaves behind: an account's value session by session, and every fill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from slices.quant.types import FloatArray, IntArray


class FillReason(IntEnum):
    """Why a fill happened."""

    TARGET = 0
    MARKET = 1
    LIMIT = 2
    STOP = 3
    TRAILING_STOP = 4
    STOP_LOSS = 5
    TAKE_PROFIT = 6
    DELISTING = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class Fills:
    """F fills in the order in which they happened.

    Attributes:
        rows: Sessions of the fills.
        columns: Symbols.
        quantities: Signed shares; negative where sold.
        prices: Market prices, before costs.
        commissions: Money, at least 0; so are spreads and impacts.
        reasons: `FillReason` of each.
        orders: Position of the order intent that led to it, or -1 where a target weight did.
        decided: Sessions at whose close the decision was made; before `rows`, always.
    """

    rows: IntArray
    columns: IntArray
    quantities: FloatArray
    prices: FloatArray
    commissions: FloatArray
    spreads: FloatArray
    impacts: FloatArray
    reasons: IntArray
    orders: IntArray
    decided: IntArray

    @property
    def costs(self) -> FloatArray:
        """Commission, spread and impact of each fill, in money."""
        return np.asarray(self.commissions + self.spreads + self.impacts, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """What became of a sequence of decisions.

    Attributes:
        equity: T account values, marked at the close.
        cash: T amounts of cash, negative where money is owed.
        shares: T x N signed shares held after each session.
        marks: T x N prices positions are valued at: the close, or the last one known.
        fills: Every fill.
        interest: T amounts earned on cash; dividends and borrow fees likewise, in money.
        pending: N target weights decided at the last session and not traded; NaN where none.
    """

    equity: FloatArray
    cash: FloatArray
    shares: FloatArray
    marks: FloatArray
    fills: Fills
    interest: FloatArray
    dividends: FloatArray
    borrow_fees: FloatArray
    pending: FloatArray

    @property
    def weights(self) -> FloatArray:
        """T x N held weights: what each position is worth, as a fraction of equity."""
        return np.asarray(self.shares * self.marks / self.equity[:, None], dtype=np.float64)
