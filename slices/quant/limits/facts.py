"""What the gate knows when it judges orders; whoever asks it puts these together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from slices.domain.accounts import AccountBook, Mark
from slices.domain.calendar import session_close, sessions_between
from slices.domain.exact import ZERO
from slices.domain.orders import Fill, OrderRecord

SESSIONS_LOOKED_AT = 5
"""Sessions within which day trades are counted (FINRA Rule 4210(f)(8)(B))."""

LONGEST_CLOSURE_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class GateFacts:
    """An account and its market at the instant of a decision.

    Attributes:
        book: Positions, cash, open orders, state.
        session: At whose close, or in which, it is decided.
        at: Instant (UTC) of the decision.
        marks: Newest price of every symbol; a held symbol without one keeps its position's.
        recent_orders: All orders of this session and of the longest time looked back.
        recent_fills: Fills of the newest 5 sessions, this one included.
        unsettled_cash: Money from sales that are not settled yet (T+1).
        calendar: Exchange calendar of the sessions.
        cost_rate: What a fill costs, as a fraction of its notional.
        takes_weights: Whether the broker takes orders to a weight.
    """

    book: AccountBook
    session: dt.date
    at: dt.datetime
    marks: tuple[Mark, ...]
    recent_orders: tuple[OrderRecord, ...] = ()
    recent_fills: tuple[Fill, ...] = ()
    unsettled_cash: Decimal = ZERO
    calendar: str = "XNYS"
    cost_rate: Decimal = ZERO
    takes_weights: bool = True

    @property
    def fill_session(self) -> dt.date:
        """Session in which an order could fill first: the next one once this one is closed."""
        if self.at < session_close(self.session, calendar=self.calendar):
            return self.session
        return next_session(self.session, calendar=self.calendar)


def next_session(session: dt.date, *, calendar: str) -> dt.date:
    """Return the session after this one."""
    last = session + dt.timedelta(days=LONGEST_CLOSURE_DAYS)
    return sessions_between(session + dt.timedelta(days=1), last, calendar=calendar)[0]
