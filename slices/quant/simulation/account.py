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
    TIME_LIMIT = 8
    RUIN = 9


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

    At every session equity is capital, plus the gains of all positions, minus the costs of all
    fills, plus interest and dividends, minus borrow fees.

    An account is ruined at the first point of a session at which it is not worth more than 0: at
    the fill prices, before or after what is filled there, or at the close. Everything is closed
    at these prices, for want of money free of costs; every order is cancelled; later decisions
    are ignored. From then on equity and cash are exactly 0, and what was owed beyond the
    account's value is written off: equity is what it says above, plus `written_off`.

    Attributes:
        capital: Cash before the first session.
        equity: T account values, marked at the close.
        cash: T amounts of cash, negative where money is owed.
        shares: T x N signed shares held after each session.
        marks: T x N prices positions are valued at: the close, or the last one known; NaN before
            a symbol's first bar.
        fills: Every fill.
        interest: T amounts earned on cash without what short positions are worth, negative where
            paid because that is owed; dividends and borrow fees likewise, in money.
        pending: N target weights decided and not traded, for want of a later session, of a bar or
            of volume, or because of ruin; NaN where none.
        scaled_rows: Sessions at which purchases were scaled down because cash was short.
        shortfalls: T amounts of money that were to be traded and were not, because of whole
            shares, too little volume or too little cash.
        ignored: M x 2 sessions and symbols of weights that came too late: no bar followed, or
            the account was ruined.
        splits: T x N new shares for one old that it was given; None where there were none.
        ruined_row: Session at which nothing was left; -1 where that never happened.
        written_off: Money owed at ruin beyond what the account was worth; lenders lose it.
    """

    capital: float
    equity: FloatArray
    cash: FloatArray
    shares: FloatArray
    marks: FloatArray
    fills: Fills
    interest: FloatArray
    dividends: FloatArray
    borrow_fees: FloatArray
    pending: FloatArray
    scaled_rows: IntArray
    shortfalls: FloatArray
    ignored: IntArray
    splits: FloatArray | None = None
    ruined_row: int = -1
    written_off: float = 0.0

    @property
    def values(self) -> FloatArray:
        """T x N values of the positions, in money; negative where sold short."""
        return np.where(self.shares == 0.0, 0.0, self.shares * self.marks)

    @property
    def weights(self) -> FloatArray:
        """T x N held weights: what each position is worth, as a fraction of equity; 0 from ruin."""
        return np.asarray(self.values / self.divisors[:, None], dtype=np.float64)

    @property
    def divisors(self) -> FloatArray:
        """T account values to divide by; 1 from ruin on, where only 0 is left to be divided."""
        return np.where(self.equity > 0.0, self.equity, 1.0)
