"""Paper trading as values: what was ordered, what became of it, and how it compares."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from slices.domain.accounts import AccountBook
from slices.domain.backtests import StrategyChoice
from slices.domain.orders import Fill, OrderRecord, OrderState, ShareAction, Side
from slices.domain.results import FlowResult


@dataclass(frozen=True, kw_only=True)
class SessionOrder:
    """An order of the newest session, with what the gate and the broker said.

    Attributes:
        quantity: Positive shares; of an order to a weight, what is expected at the mark.
        target_weight: Fraction of equity; None where `quantity` says it all.
        state: None where the order was only looked at.
        reasons: Why it was denied or ended early; empty where nothing speaks against it.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    target_weight: float | None
    state: OrderState | None
    reasons: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the gate or the broker said no."""
        looked_at = self.state is None and bool(self.reasons)
        return looked_at or self.state in (OrderState.DENIED, OrderState.REJECTED)


@dataclass(frozen=True, kw_only=True)
class SessionsTraded:
    """What one run did to an account.

    Attributes:
        session: The newest session, at whose close was decided.
        first_session: The first session that was decided at in this run.
        decided: Sessions decided at for the first time.
        placed: Orders sent for the first time.
        denied: Orders the gate kept back, likewise.
        orders: Those of the newest session.
        is_repeated: Whether everything had been done before, so that nothing was written.
        stopped: Why a replay ended before its last session; empty where it did not.
    """

    account: str
    session: dt.date
    first_session: dt.date
    decided: int
    placed: int
    denied: int
    orders: tuple[SessionOrder, ...]
    is_repeated: bool
    stopped: str = ""


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """Why an account made another profit than its backtest, in money.

    Positive parts are in the account's favour; they add up to the whole difference.

    Attributes:
        symbol: Or `all`; `cash` is interest, dividends and borrow fees.
        timing: It traded in another session.
        price: It traded at another price than the bars of that session had.
        fee: It was charged otherwise.
        size: It traded another quantity; orders that were denied are among it.
        data: The bars are not what they were when it traded.
    """

    symbol: str
    timing: float = 0.0
    price: float = 0.0
    fee: float = 0.0
    size: float = 0.0
    data: float = 0.0

    @property
    def total(self) -> float:
        """The whole difference."""
        return self.timing + self.price + self.fee + self.size + self.data


@dataclass(frozen=True, kw_only=True)
class Parity:
    """An account beside a backtest of the same rule over the same sessions.

    Attributes:
        sessions: T sessions of both.
        equity: T account values; `tested` are the backtest's, `holding` of buying the symbols once.
        fills: How many the account had; `tested_fills`, the backtest.
        matched: Fills of both in the same session, of the same symbol and quantity.
        denied: Orders the gate kept back over the account's life.
        parts: The difference by symbol, those with one; largest first.
        total: All of it.
    """

    sessions: tuple[dt.date, ...]
    equity: tuple[float, ...]
    tested: tuple[float, ...]
    holding: tuple[float, ...]
    fills: int
    tested_fills: int
    matched: int
    denied: int
    parts: tuple[Divergence, ...]
    total: Divergence

    @property
    def largest_gap(self) -> float:
        """Largest difference of the account values at any close, in money."""
        return max((abs(a - b) for a, b in zip(self.equity, self.tested, strict=True)), default=0.0)

    @property
    def is_equal(self) -> bool:
        """Whether every fill has its like and no close differs by more than a cent."""
        return self.fills == self.tested_fills == self.matched and self.largest_gap <= CENT


CENT = 0.01
"""Money: what rounding to the units of the books may add up to."""


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """What the ledger has to say of an account at its newest session.

    Attributes:
        book: The account with its curve.
        waiting: Orders that may still be filled.
        fills: Of the newest session, in the order in which they happened.
        ended: Orders of earlier sessions that ended in the newest without being filled in full.
        actions: Shares restated in the newest session.
        unattended: Sessions lived through since the account began at which nobody decided.
        costs: Commission, spread and impact of all fills; then interest, dividends and fees.
            Money, positive where paid.
        parity: Beside a backtest, where history was replayed.
        no_parity: Why there is none although it was; else empty.
        newest_fills: Of its whole life, the newest first, as many as a report shows.
        fill_count: How many fills it has had.
        denied_sessions: At how many sessions it ordered, where every order of its life was denied
            for one and the same limit; else 0.
    """

    book: AccountBook
    waiting: tuple[OrderRecord, ...]
    fills: tuple[Fill, ...]
    ended: tuple[OrderRecord, ...]
    actions: tuple[ShareAction, ...]
    unattended: tuple[dt.date, ...]
    costs: tuple[tuple[str, Decimal], ...]
    parity: Parity | None = None
    no_parity: str = ""
    newest_fills: tuple[Fill, ...] = ()
    fill_count: int = 0
    denied_sessions: int = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class PaperTrading(FlowResult):
    """What a strategy did with play money.

    Attributes:
        choice: Which strategy, and how it was chosen.
        traded: What this run did.
        view: The account afterwards.
    """

    choice: StrategyChoice
    traded: SessionsTraded
    view: AccountView
