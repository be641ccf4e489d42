"""The stops that a plan brings with its orders."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from slices.domain.orders import OrderState
from slices.domain.stops import Stop, StopStatus
from slices.domain.trading import StopRule
from slices.ledger.stops import end_stop

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.trading import OrderPlan, Placement
    from slices.ledger.opening import Ledger

OrderStop = tuple[str, Stop]
"""Name of an order, and a stop that is recorded where the gate lets it through."""


def planned_stops(plan: OrderPlan, account: str) -> tuple[OrderStop, ...]:
    """List the stops of a plan; each has the same name however often the plan is handed in."""
    named = zip(plan.named(account), plan.orders, strict=True)
    return tuple(
        (
            order.client_order_id,
            Stop(
                stop_id=f"{order.client_order_id}:{rule.kind}:{place}",
                account=account,
                symbol=order.symbol,
                armed=plan.session,
                **{each.name: getattr(rule, each.name) for each in fields(StopRule)},
            ),
        )
        for order, planned in named
        for place, rule in enumerate(planned.stops)
    )


def drop_refused(
    ledger: Ledger, stops: tuple[OrderStop, ...], placement: Placement, *, at: dt.datetime
) -> None:
    """End the stops of orders that the broker refused."""
    refused = {
        each.order.client_order_id
        for each in placement.records
        if each.state is OrderState.REJECTED
    }
    for name, stop in stops:
        if name in refused:
            end_stop(ledger, stop.stop_id, StopStatus.CANCELLED, at=at)
