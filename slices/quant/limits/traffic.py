"""How many orders there were of late, and whether one of them was the same."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slices.domain.limits import Breach, ReasonCode
from slices.domain.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from slices.domain.limits import RiskLimits
    from slices.domain.orders import Order, OrderRecord
    from slices.quant.limits.facts import GateFacts

MINUTE = dt.timedelta(seconds=60)

Likeness = tuple[str, str, "Decimal", "Decimal | None", "Decimal | None", float | None]
"""What makes two orders equal: symbol, side, quantity, limit price, stop price and trail."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Orders that left, or are about to; denied ones never did.

    Attributes:
        in_minute: Orders of the last 60 seconds.
        in_session: Orders of the session, by symbol.
        alike: Name of the newest order of every likeness within the time for repetitions.
        names: Orders accepted of this batch.
        weighed: Symbols with an accepted order to a weight in this batch.
    """

    in_minute: int
    in_session: Mapping[str, int]
    alike: Mapping[Likeness, str]
    names: frozenset[str] = frozenset()
    weighed: frozenset[str] = frozenset()

    def with_order(self, order: Order) -> Traffic:
        """Return the traffic with one more order that leaves now."""
        sent = self.in_session.get(order.symbol, 0) + 1
        return replace(
            self,
            in_minute=self.in_minute + 1,
            in_session={**self.in_session, order.symbol: sent},
            alike={**self.alike, likeness(order): order.client_order_id},
            names=self.names | {order.client_order_id},
            weighed=self.weighed | ({order.symbol} if order.target_weight is not None else set()),
        )


def traffic_of(orders: Iterable[Order], facts: GateFacts, limits: RiskLimits) -> Traffic:
    """Count the orders before a batch.

    An order of the batch that is known already is not counted: it is the same order.
    """
    names = {each.client_order_id for each in orders}
    left = [
        each
        for each in facts.recent_orders
        if each.state is not OrderState.DENIED and each.order.client_order_id not in names
    ]
    window = dt.timedelta(seconds=limits.duplicate_seconds)
    return Traffic(
        in_minute=sum(facts.at - each.decided_at < MINUTE for each in left),
        in_session=_by_symbol(left, facts.session),
        alike={
            likeness(each.order): each.order.client_order_id
            for each in left
            if facts.at - each.decided_at < window
        },
    )


def likeness(order: Order) -> Likeness:
    """Return what makes an order equal to another one of another name."""
    prices = (order.limit_price, order.stop_price, order.trail)
    return (order.symbol, order.side.value, order.quantity, *prices)


def traffic_breaches(order: Order, traffic: Traffic, limits: RiskLimits) -> Iterator[Breach]:
    """Yield whether an order repeats another one, or is one too many."""
    twin = _twin(order, traffic, limits)
    if twin:
        yield Breach(
            code=ReasonCode.DUPLICATE_ORDER,
            found=f"the same as {twin}",
            allowed=f"one within {limits.duplicate_seconds:g} seconds",
        )
    if traffic.in_minute >= limits.max_orders_per_minute:
        yield Breach(
            code=ReasonCode.ORDER_RATE,
            found=f"{traffic.in_minute + 1} orders within a minute",
            allowed=f"{limits.max_orders_per_minute}",
        )
    sent = traffic.in_session.get(order.symbol, 0)
    if sent >= limits.max_executions_per_symbol:
        yield Breach(
            code=ReasonCode.REPEATED_EXECUTION,
            found=f"{sent + 1} orders for {order.symbol} within the session",
            allowed=f"{limits.max_executions_per_symbol}",
        )


def _twin(order: Order, traffic: Traffic, limits: RiskLimits) -> str:
    if order.client_order_id in traffic.names:
        return f"{order.client_order_id} of this batch"
    if order.target_weight is not None and order.symbol in traffic.weighed:
        return f"another order to a weight of {order.symbol} in this batch"
    return traffic.alike.get(likeness(order), "") if limits.duplicate_seconds > 0 else ""


def _by_symbol(records: Iterable[OrderRecord], session: dt.date) -> dict[str, int]:
    return dict(Counter(each.order.symbol for each in records if each.order.session == session))
