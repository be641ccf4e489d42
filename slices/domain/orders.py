"""Orders and fills: what was wanted, what has become of it, and what happened."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from slices.domain.exact import ZERO, notional


class Side(StrEnum):
    """Whether an order buys or sells."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """1 for a purchase, -1 for a sale."""
        return 1 if self is Side.BUY else -1


class OrderKind(StrEnum):
    """How an order wants to be filled; a stop becomes an order at market once it is reached."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class OrderState(StrEnum):
    """Where an order is on its way from an intention to its end.

    ::

        DENIED                                     the gate said no; it never left
        INTENDED -> ACCEPTED -> PARTLY_FILLED -> FILLED
            |          |             |-> CANCELLED, EXPIRED
            |          |-> CANCELLED, EXPIRED
            |-> REJECTED                           the broker said no
            |-> UNKNOWN -> any of the above        no clear answer yet; the broker is asked
            |-> CANCELLED                          withdrawn before it left
    """

    DENIED = "denied"
    INTENDED = "intended"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        """Whether it may still be filled."""
        return self in OPEN_STATES


OPEN_STATES = frozenset(
    {OrderState.INTENDED, OrderState.UNKNOWN, OrderState.ACCEPTED, OrderState.PARTLY_FILLED}
)


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """Exits that an entry brings with it; each is optional.

    They hold from the entry bar on and for the shares that their order opened. What another
    order sells first no longer needs them.

    Attributes:
        stop_loss: Fraction of the entry price that may be lost, above 0.
        take_profit: Fraction of the entry price to be gained, above 0.
        stop_loss_price: The same as a price.
        take_profit_price: The same as a price.
        trail: Fraction below the highest price since the entry, above it for a short position.
        most_sessions: Sessions after the entry's at whose fill price the position is closed.
    """

    stop_loss: float | None = None
    take_profit: float | None = None
    stop_loss_price: float | None = None
    take_profit_price: float | None = None
    trail: float | None = None
    most_sessions: int | None = None


def client_order_id(
    *,
    account: str,
    workflow: str,
    strategy: str,
    session: dt.date,
    symbol: str,
    side: Side,
    sequence: int = 0,
) -> str:
    """Name an order by what it is for, so that whoever tries again names the same order.

    Never random: it is what keeps an order from being placed twice.

    Returns:
        `tf-` and 32 hexadecimal digits.
    """
    words = (account, workflow, strategy, session.isoformat(), symbol, side.value, str(sequence))
    digest = hashlib.sha256("\x1f".join(words).encode()).hexdigest()
    return f"tf-{digest[:32]}"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted of a broker, and who wants it.

    Attributes:
        client_order_id: See `client_order_id`; the broker refuses a second order of that name.
        session: At whose close, or in which, it was decided.
        quantity: Positive shares. Of an order to a weight, what is expected at the newest mark,
            which may be 0.
        target_weight: Fraction of equity that the position is to become, worked out when it is
            filled with costs reserved; None where `quantity` says it all. Only a simulated
            broker takes it.
        limit_price: Worst price to accept.
        stop_price: Price at which a stop is set off.
        trail: Distance of a trailing stop from the best price, as a fraction of it.
        valid_sessions: Sessions it lives; None until it is cancelled. Orders at market: 1.
        reduce_only: Whether it may only make a position smaller.
        bracket: Exits for what it opens.
        sequence: Tells orders apart that are alike in everything else.
        purpose: Why, for people: one sentence.
    """

    client_order_id: str
    account: str
    workflow: str
    strategy: str
    session: dt.date
    symbol: str
    side: Side
    quantity: Decimal
    target_weight: float | None = None
    kind: OrderKind = OrderKind.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: float | None = None
    valid_sessions: int | None = None
    reduce_only: bool = False
    bracket: Bracket | None = None
    sequence: int = 0
    purpose: str = ""

    @property
    def signed_quantity(self) -> Decimal:
        """Shares, negative where sold."""
        return self.side.sign * self.quantity


@dataclass(frozen=True, kw_only=True)
class OrderRecord:
    """An order and what has become of it.

    Attributes:
        broker_order_id: The broker's name for it; empty until it answered.
        filled_quantity: Positive shares.
        average_price: Of the fills, before costs; None without any.
        reasons: Why it was denied, rejected or ended early: codes first, in words after.
        decided_at: Instant (UTC) of the decision.
        updated_at: Instant (UTC) of the newest change.
    """

    order: Order
    state: OrderState
    broker_order_id: str = ""
    filled_quantity: Decimal = ZERO
    average_price: Decimal | None = None
    reasons: tuple[str, ...] = ()
    decided_at: dt.datetime
    updated_at: dt.datetime

    @property
    def open_quantity(self) -> Decimal:
        """Signed shares that may still be filled."""
        if not self.state.is_open:
            return ZERO
        return self.order.side.sign * max(ZERO, self.order.quantity - self.filled_quantity)


EXIT_REASONS = frozenset({"stop loss", "take profit", "trailing exit", "time limit"})
"""Reasons of the fills by which a bracket closes what its order has opened."""


@dataclass(frozen=True, kw_only=True)
class Fill:
    """What happened: shares changed hands at a price.

    Attributes:
        fill_id: The broker's own, or one made from the order and its place among its fills; a
            second fill of that name is the same fill.
        client_order_id: The order it belongs to; empty where nobody ordered it, such as at a
            delisting.
        quantity: Signed shares, negative where sold.
        price: Market price, before costs.
        commission: Money, at least 0; so are spread and impact. A real broker's price holds
            spread and impact already.
        reason: Why: `target weight`, `stop loss`, ...; one of `EXIT_REASONS` where a bracket
            closes what its order, which then is `client_order_id`, has opened.
    """

    fill_id: str
    account: str
    client_order_id: str
    symbol: str
    quantity: Decimal
    price: Decimal
    commission: Decimal = ZERO
    spread: Decimal = ZERO
    impact: Decimal = ZERO
    session: dt.date
    at: dt.datetime
    reason: str = ""

    @property
    def is_exit(self) -> bool:
        """Whether a bracket leaves: it does not count towards what its order wanted."""
        return self.reason in EXIT_REASONS

    @property
    def costs(self) -> Decimal:
        """Commission, spread and impact."""
        return self.commission + self.spread + self.impact

    @property
    def cash(self) -> Decimal:
        """What it adds to the account's cash; negative for a purchase."""
        return -notional(self.quantity, self.price) - self.costs


class FlowKind(StrEnum):
    """Why cash moved without a fill."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    BORROW_FEE = "borrow_fee"
    FEE = "fee"
    WRITE_OFF = "write_off"


@dataclass(frozen=True, kw_only=True)
class CashFlow:
    """Money that came or went without a fill; negative where it went."""

    flow_id: str
    account: str
    kind: FlowKind
    amount: Decimal
    session: dt.date
    at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class ShareAction:
    """Shares restated: by a split, or because prices were adjusted anew.

    Attributes:
        action_id: A second action of that name is the same action.
        old_quantity: Signed shares before the session.
        new_quantity: Signed shares that take their place; what was paid for them stays.
    """

    action_id: str
    account: str
    symbol: str
    old_quantity: Decimal
    new_quantity: Decimal
    session: dt.date
    at: dt.datetime
    reason: str = ""
