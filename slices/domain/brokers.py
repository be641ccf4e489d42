"""The broker port: what the order path asks of a venue, simulated or real."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from slices.domain.exact import ZERO
from slices.domain.orders import OrderState

if TYPE_CHECKING:
    from slices.domain.accounts import TradingMode
    from slices.domain.orders import CashFlow, Fill, Order, ShareAction


@dataclass(frozen=True, kw_only=True)
class BrokerAccount:
    """What the broker says of the account.

    Attributes:
        equity: Money, as the broker values it.
        is_blocked: Whether it refuses to trade for this account.
    """

    cash: Decimal
    equity: Decimal
    is_blocked: bool = False


@dataclass(frozen=True, kw_only=True)
class BrokerPosition:
    """What the broker says is held; signed shares and their average price."""

    symbol: str
    quantity: Decimal
    average_price: Decimal


@dataclass(frozen=True, kw_only=True)
class BrokerOrder:
    """What the broker says of an order.

    Attributes:
        state: One of ACCEPTED, PARTLY_FILLED, FILLED, CANCELLED, REJECTED, EXPIRED.
        symbol: Of the order.
        filled_quantity: Positive shares.
        average_price: Of its fills; None without any.
        reason: Why it ended early, in the broker's words.
    """

    client_order_id: str
    broker_order_id: str
    state: OrderState
    symbol: str
    filled_quantity: Decimal = ZERO
    average_price: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class BrokerClock:
    """The venue's time, and whether it trades now."""

    now: dt.datetime
    is_open: bool
    session: dt.date


class Broker(Protocol):
    """A venue that trades for one account.

    Every method may raise `BrokerUnavailableError` (it could not be asked; ask again) and
    `MalformedAnswerError`.
    """

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def mode(self) -> TradingMode:
        """Whose money it trades."""
        ...

    @property
    def takes_weights(self) -> bool:
        """Whether it takes orders to a weight."""
        ...

    def account(self) -> BrokerAccount:
        """Return cash and equity."""
        ...

    def positions(self) -> tuple[BrokerPosition, ...]:
        """List everything held, by symbol."""
        ...

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """List orders that may still be filled, whoever placed them."""
        ...

    def fills(self, since: dt.date | None) -> tuple[Fill, ...]:
        """List fills of sessions from `since` on in the order in which they happened."""
        ...

    def cash_flows(self, since: dt.date | None) -> tuple[CashFlow, ...]:
        """List dividends, interest, fees and deposits of sessions from `since` on."""
        ...

    def share_actions(self, since: dt.date | None) -> tuple[ShareAction, ...]:
        """List splits of what was held, of sessions from `since` on."""
        ...

    def submit(self, order: Order) -> BrokerOrder:
        """Place an order once; a second order of that name is the first one.

        Raises:
            OrderRejectedError: The broker said no; nothing was placed.
            AmbiguousOrderError: Nobody can tell; ask `get_by_client_id` before anything else.
        """
        ...

    def get_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Return an order by our name for it, or None where the broker has none."""
        ...

    def cancel(self, client_order_id: str) -> None:
        """Ask for an order to be cancelled; nothing where it has ended already."""
        ...

    def cancel_all(self) -> int:
        """Cancel every open order and return how many there were."""
        ...

    def close_all(self) -> int:
        """Sell everything at market, cancel every order, return how many positions there were."""
        ...

    def clock(self) -> BrokerClock:
        """Return the venue's time."""
        ...
