"""A broker in memory, or in one file, that does what it is told wrong."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from slices.domain.accounts import TradingMode
from slices.domain.brokers import BrokerAccount, BrokerClock, BrokerOrder, BrokerPosition
from slices.domain.exact import ZERO, money, price, quantity
from slices.domain.orders import CashFlow, Fill, Order, OrderState, ShareAction
from slices.domain.trading_errors import (
    AmbiguousOrderError,
    BrokerUnavailableError,
    OrderRejectedError,
)
from slices.runtime.codec import decode, encode


class Fault(StrEnum):
    """What goes wrong."""

    LOSES_ORDERS = "the order never arrives, and no answer comes"
    DROPS_ACKS = "the order is taken, and no answer comes"
    FAILS_AFTER = "the order is taken, and the answer is a server error"
    REJECTS = "orders are refused"
    UNAVAILABLE = "nothing answers"
    HIDES_ORDERS = "it cannot find orders by our name for them"
    DUPLICATES_FILLS = "every fill is listed twice"
    REVERSES_FILLS = "fills are listed newest first"
    OMITS_POSITION = "the first position is not listed"
    INVENTS_POSITION = "a position is listed that nobody bought"
    INVENTS_ORDER = "an order is listed that nobody placed"
    INVENTS_CASH = "there is a cent more than there should be"


@dataclass
class FaultyBroker:
    """Holds orders until a test fills them; `submissions` says how often each name was taken."""

    account_name: str = "main"
    session: dt.date = dt.date(2024, 3, 4)
    capital: Decimal = Decimal("100000.000000")
    file: Path | None = None
    name: str = "faulty"
    mode: TradingMode = TradingMode.PAPER
    takes_weights: bool = True
    faults: set[Fault] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    _orders: tuple[tuple[Order, BrokerOrder], ...] = ()
    _fills: tuple[Fill, ...] = ()
    _flows: tuple[CashFlow, ...] = ()
    _actions: tuple[ShareAction, ...] = ()
    _submissions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.file is not None and self.file.exists():
            self._orders, self._fills, self._submissions = decode(self.file.read_bytes())

    def _keep(self) -> None:
        if self.file is None:
            return
        written = self.file.with_suffix(f".{os.getpid()}")
        written.write_bytes(encode((self._orders, self._fills, self._submissions)))
        written.replace(self.file)

    def _answer(self, call: str) -> None:
        self.asked.append(call)
        if Fault.UNAVAILABLE in self.faults:
            raise BrokerUnavailableError(broker=self.name, problem="connection refused")

    @property
    def submissions(self) -> dict[str, int]:
        """How often each name was accepted."""
        return {each: self._submissions.count(each) for each in self._submissions}

    def account(self) -> BrokerAccount:
        """Return cash and equity; positions count as paid."""
        self._answer("account")
        moved = sum((each.cash for each in self._fills), ZERO)
        moved += sum((each.amount for each in self._flows), ZERO)
        extra = Decimal("0.01") if Fault.INVENTS_CASH in self.faults else ZERO
        cash = money(self.capital + moved + extra)
        paid = sum((each.quantity * each.average_price for each in self._held()), ZERO)
        return BrokerAccount(cash=cash, equity=money(cash + paid))

    def _held(self) -> list[BrokerPosition]:
        symbols = sorted({each.symbol for each in (*self._fills, *self._actions)})
        return [held for each in symbols if (held := self._position(each)) is not None]

    def _position(self, symbol: str) -> BrokerPosition | None:
        """Replay a symbol: adding adds what was paid, reducing keeps the mean."""
        shares, paid = ZERO, ZERO
        events = [each for each in (*self._fills, *self._actions) if each.symbol == symbol]
        for each in sorted(events, key=lambda event: event.at):
            if isinstance(each, ShareAction):
                shares = each.new_quantity
                continue
            after = shares + each.quantity
            if shares * each.quantity >= 0:
                paid += money(each.quantity * each.price)
            elif shares * after <= 0:
                paid = money(after * each.price)
            else:
                paid += money(paid * each.quantity / shares)
            shares = after
        if not shares:
            return None
        return BrokerPosition(
            symbol=symbol, quantity=quantity(shares), average_price=price(paid / shares)
        )

    def positions(self) -> tuple[BrokerPosition, ...]:
        """List what the fills add up to."""
        self._answer("positions")
        held = self._held()
        if Fault.OMITS_POSITION in self.faults:
            held = held[1:]
        if Fault.INVENTS_POSITION in self.faults:
            ghost = BrokerPosition(symbol="GHOST", quantity=quantity(3), average_price=price("10"))
            held = [*held, ghost]
        return tuple(held)

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """List orders that wait."""
        self._answer("open_orders")
        waiting = tuple(told for _, told in self._orders if told.state.is_open)
        if Fault.INVENTS_ORDER not in self.faults:
            return waiting
        ghost = BrokerOrder(
            client_order_id="not-ours",
            broker_order_id="77",
            state=OrderState.ACCEPTED,
            symbol="GHOST",
        )
        return (*waiting, ghost)

    def fills(self, since: dt.date | None) -> tuple[Fill, ...]:
        """List fills, as often and in the order the faults say."""
        self._answer("fills")
        found = [each for each in self._fills if since is None or each.session >= since]
        if Fault.DUPLICATES_FILLS in self.faults:
            found = [each for each in found for _ in range(2)]
        if Fault.REVERSES_FILLS in self.faults:
            found.reverse()
        return tuple(found)

    def cash_flows(self, since: dt.date | None) -> tuple[CashFlow, ...]:
        """List what came and went without a fill."""
        self._answer("cash_flows")
        return tuple(each for each in self._flows if since is None or each.session >= since)

    def share_actions(self, since: dt.date | None) -> tuple[ShareAction, ...]:
        """List splits."""
        self._answer("share_actions")
        return tuple(each for each in self._actions if since is None or each.session >= since)

    def submit(self, order: Order) -> BrokerOrder:
        """Take an order, or do what the faults say."""
        name = order.client_order_id
        self._answer(f"submit {name}")
        if Fault.REJECTS in self.faults:
            raise OrderRejectedError(broker=self.name, client_order_id=name, problem="not tradable")
        if Fault.LOSES_ORDERS in self.faults:
            raise AmbiguousOrderError(broker=self.name, client_order_id=name, problem="timeout")
        self._submissions = (*self._submissions, name)
        known = self._find(name)
        if known is None:
            known = BrokerOrder(
                client_order_id=name,
                broker_order_id=str(len(self._orders) + 1),
                state=OrderState.ACCEPTED,
                symbol=order.symbol,
            )
            self._orders = (*self._orders, (order, known))
        self._keep()
        if self.faults & {Fault.DROPS_ACKS, Fault.FAILS_AFTER}:
            problem = "timeout" if Fault.DROPS_ACKS in self.faults else "504"
            raise AmbiguousOrderError(broker=self.name, client_order_id=name, problem=problem)
        return known

    def _find(self, name: str) -> BrokerOrder | None:
        return next((told for order, told in self._orders if order.client_order_id == name), None)

    def get_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Find an order by our name for it."""
        self._answer(f"query {client_order_id}")
        return None if Fault.HIDES_ORDERS in self.faults else self._find(client_order_id)

    def _told(self, name: str, **changes: object) -> None:
        self._orders = tuple(
            (order, replace(told, **changes) if order.client_order_id == name else told)  # type: ignore[arg-type]
            for order, told in self._orders
        )
        self._keep()

    def cancel(self, client_order_id: str) -> None:
        """Cancel one order where it waits."""
        self._answer(f"cancel {client_order_id}")
        found = self._find(client_order_id)
        if found is not None and found.state.is_open:
            self._told(client_order_id, state=OrderState.CANCELLED, reason="cancelled by request")

    def cancel_all(self) -> int:
        """Cancel whatever waits."""
        self._answer("cancel_all")
        waiting = [told.client_order_id for _, told in self._orders if told.state.is_open]
        for each in waiting:
            self.cancel(each)
        return len(waiting)

    def close_all(self) -> int:
        """Cancel everything; tests sell by themselves."""
        self.cancel_all()
        return len(self._held())

    def clock(self) -> BrokerClock:
        """Return noon of the session."""
        self._answer("clock")
        now = dt.datetime.combine(self.session, dt.time(17), tzinfo=dt.UTC)
        return BrokerClock(now=now, is_open=True, session=self.session)

    def fill(
        self,
        client_order_id: str,
        *,
        shares: Decimal | float | str,
        at_price: Decimal | float | str,
        fill_id: str = "",
        commission: Decimal | str = ZERO,
    ) -> Fill:
        """Fill some or all of an order that waits; shares are positive."""
        order, told = next(
            each for each in self._orders if each[0].client_order_id == client_order_id
        )
        is_over = not told.state.is_open
        number = len(self._fills)
        moment = dt.datetime.combine(self.session, dt.time(14, 30), tzinfo=dt.UTC)
        done = Fill(
            fill_id=fill_id or f"f{number:04d}",
            account=self.account_name,
            client_order_id=client_order_id,
            symbol=order.symbol,
            quantity=quantity(order.side.sign * quantity(shares)),
            price=price(at_price),
            commission=money(commission),
            session=self.session,
            at=moment + dt.timedelta(seconds=number),
            reason="market",
        )
        self._fills = (*self._fills, done)
        mine = [each for each in self._fills if each.client_order_id == client_order_id]
        filled = sum((abs(each.quantity) for each in mine), ZERO)
        paid = sum((abs(each.quantity) * each.price for each in mine), ZERO)
        state = OrderState.FILLED if filled >= order.quantity else OrderState.PARTLY_FILLED
        self._told(
            client_order_id,
            state=told.state if is_over else state,
            filled_quantity=quantity(filled),
            average_price=price(paid / filled),
        )
        return done

    def restate(self, action: ShareAction) -> None:
        """Split what is held."""
        self._actions = (*self._actions, action)

    def pay(self, flows: Iterable[CashFlow]) -> None:
        """Let cash come or go."""
        self._flows = (*self._flows, *flows)
