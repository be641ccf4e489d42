"""Recording the stops that a plan brings with its orders."""

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
    """Record the stops of every order that was let through, each once.

    Args:
        ledger: The books.
        plan: What was wanted.
        placement: What became of it.
        at: Instant of the decision.
    """
    states = {each.order.client_order_id: each.state for each in placement.records}
    named = zip(plan.named(placement.account), plan.orders, strict=True)
    for order, planned in named:
        if states.get(order.client_order_id, OrderState.DENIED) not in REFUSED:
            for place, rule in enumerate(planned.stops):
                stop = armed(
                    rule,
                    order.client_order_id,
                    place=place,
                    plan=plan,
                    account=placement.account,
                    symbol=order.symbol,
                )
                arm_stop(ledger, stop, at=at)


def armed(
    rule: StopRule,
    client_order_id: str,
    *,
    place: int,
    plan: OrderPlan,
    account: str,
    symbol: str,
) -> Stop:
    """Make a stop of a rule; it has the same name however often the plan is handed in."""
    return Stop(
        stop_id=f"{client_order_id}:{rule.kind}:{place}",
        account=account,
        symbol=symbol,
        armed=plan.session,
        **{each.name: getattr(rule, each.name) for each in fields(StopRule)},
    )
