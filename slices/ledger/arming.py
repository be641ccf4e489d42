"""Recording the stops that a plan brings with the orders that were let through."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from slices.domain.orders import OrderState
from slices.domain.stops import Stop
from slices.domain.trading import StopRule
from slices.ledger.stops import arm_stop

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.trading import OrderPlan, Placement
    from slices.ledger.opening import Ledger

REFUSED = (OrderState.DENIED, OrderState.REJECTED)


def arm_stops(ledger: Ledger, plan: OrderPlan, placement: Placement, *, at: dt.datetime) -> None:
    """Record the stops of every order that was let through, each once."""
    passed = {each.order.client_order_id for each in placement.records if each.state not in REFUSED}
    for order, planned in zip(plan.named(placement.account), plan.orders, strict=True):
        for place, rule in enumerate(planned.stops if order.client_order_id in passed else ()):
            stop = Stop(
                stop_id=f"{order.client_order_id}:{rule.kind}:{place}",
                account=placement.account,
                symbol=order.symbol,
                armed=plan.session,
                **{each.name: getattr(rule, each.name) for each in fields(StopRule)},
            )
            arm_stop(ledger, stop, at=at)
