"""What the simulated exchange keeps of an account between two sessions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.brokers import BrokerOrder
from slices.domain.calendar import session_close
from slices.domain.errors import ParameterError
from slices.domain.exact import ZERO, notional, price
from slices.domain.orders import CashFlow, Fill, Order, OrderState, ShareAction
from slices.domain.parameters import Costs, TradingRules
from slices.ledger.positions import Event, Holding, after
from slices.paper_trade.restating import KnownCloses
from slices.quant.simulation.stepping import Account

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class VenueTerms:
    """What an account was opened with, for good.

    Attributes:
        capital: Money at the beginning.
        opened: First session it lives through.
        calendar: Exchange calendar that says when sessions close.
    """

    account: str
    capital: Decimal
    opened: dt.date
    calendar: str
    costs: Costs
    rules: TradingRules


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineState:
    """What is kept as one text.

    Attributes:
        account: As the simulation sees it, in floats.
        known: The newest closes seen.
    """

    account: Account
    known: KnownCloses


@dataclass(frozen=True, kw_only=True)
class VenueOrder:
    """An order the venue has accepted.

    Attributes:
        place: Its place among the orders accepted; from 0.
        number: Its number in the simulation; None before it was handed in.
        filled: Positive shares, exits of a bracket apart.
        paid: What they cost, or brought in, before costs; positive too.
        reason: Why it ended early.
    """

    order: Order
    place: int
    number: int | None = None
    state: OrderState = OrderState.ACCEPTED
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    reason: str = ""

    def with_fill(self, fill: Fill) -> VenueOrder:
        """Count a fill."""
        return replace(
            self,
            state=OrderState.PARTLY_FILLED,
            filled=self.filled + abs(fill.quantity),
            paid=self.paid + notional(abs(fill.quantity), fill.price),
        )

    def told(self) -> BrokerOrder:
        """Say what a broker says of an order."""
        return BrokerOrder(
            client_order_id=self.order.client_order_id,
            broker_order_id=f"paper-{self.order.account}-{self.place}",
            state=self.state,
            symbol=self.order.symbol,
            filled_quantity=self.filled,
            average_price=price(self.paid / self.filled) if self.filled else None,
            reason=self.reason,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class VenueBook:
    """What the venue tells of an account: exact numbers, and the state they are made of.

    Attributes:
        session: Newest session lived through; None before the first.
        cash: Capital plus everything reported since, added up exactly.
        holdings: Shares reported, by symbol; only what is not 0.
        marks: Symbol and price positions are valued at.
    """

    terms: VenueTerms
    session: dt.date | None
    cash: Decimal
    engine: EngineState
    holdings: tuple[Holding, ...] = ()
    marks: tuple[tuple[str, Decimal], ...] = ()

    @property
    def now(self) -> dt.datetime:
        """Instant (UTC) of the newest close; of the opening session's before the first."""
        return session_close(self.session or self.terms.opened, calendar=self.terms.calendar)

    @property
    def equity(self) -> Decimal:
        """Cash plus positions at their marks; at what was paid where there is none."""
        marks = dict(self.marks)
        return self.cash + sum(
            (
                notional(each.quantity, marks[each.symbol]) if each.symbol in marks else each.basis
                for each in self.holdings
            ),
            ZERO,
        )

    def quantity_of(self, symbol: str) -> Decimal:
        """Return signed shares of a symbol; 0 where there are none."""
        held = [each.quantity for each in self.holdings if each.symbol == symbol]
        return held[0] if held else ZERO


def booked(
    book: VenueBook,
    *,
    fills: Sequence[Fill],
    flows: Sequence[CashFlow],
    actions: Sequence[ShareAction],
) -> VenueBook:
    """Add up what is reported: share actions first, then fills in their order."""
    held = {each.symbol: each for each in book.holdings}
    events: tuple[Event, ...] = (*actions, *fills)
    for event in events:
        held[event.symbol] = after(held.get(event.symbol) or Holding(symbol=event.symbol), event)
    cash = sum((each.cash for each in fills), book.cash)
    return replace(
        book,
        cash=sum((each.amount for each in flows), cash),
        holdings=tuple(held[symbol] for symbol in sorted(held) if held[symbol].quantity),
    )


def check_same(known: VenueTerms, asked: VenueTerms) -> None:
    """Check that an account is opened with what it was opened with before.

    Raises:
        ParameterError: Saying what differs, and both.
    """
    for name in ("capital", "costs", "rules", "calendar", "opened"):
        found, allowed = getattr(asked, name), getattr(known, name)
        if found != allowed:
            raise ParameterError(
                parameter=name,
                found=str(found),
                allowed=f"{allowed}, which account '{known.account}' was opened with",
            )
