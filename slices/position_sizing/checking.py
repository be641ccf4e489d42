"""The first look at a trade that was handed over: its orders, its stops, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.orders import OrderState
from slices.domain.position_sizing import FirstCheck
from slices.domain.stops import StopStatus
from slices.domain.trading import Placement
from slices.ledger.opening import books_of
from slices.ledger.orders import find_order
from slices.ledger.stops import stops_of

if TYPE_CHECKING:
    from slices.domain.accounts import Execution
    from slices.domain.orders import OrderRecord
    from slices.domain.stops import Stop
    from slices.domain.trading import OrderPlan

REFUSED = frozenset({OrderState.DENIED, OrderState.REJECTED})


def nothing_placed(account: str, plan: OrderPlan) -> Placement:
    """Describe a trade that was not made: nobody was asked."""
    return Placement(account=account, session=plan.session, decisions=(), records=())


def first_check(
    placement: Placement, plan: OrderPlan, *, execution: Execution = "paper"
) -> FirstCheck:
    """Read the books right after a trade was handed over, and say what is not as it should be.

    Args:
        placement: What became of the plan.
        plan: What was wanted.
        execution: Whose books to read; a plan has none.
    """
    if execution == "plan" or not plan.orders:
        return FirstCheck(orders=(), stops=(), problems=denied(placement))
    with books_of(execution) as ledger:
        names = [each.client_order_id for each in plan.named(placement.account)]
        found = [find_order(ledger, name) for name in names]
        stops = tuple(
            each
            for each in stops_of(ledger, placement.account)
            if any(each.stop_id.startswith(name) for name in names)
        )
    orders = tuple(each for each in found if each is not None)
    return FirstCheck(orders=orders, stops=stops, problems=problems_of(plan, orders, stops))


def denied(placement: Placement) -> tuple[str, ...]:
    """Say why the gate would deny an order that was only looked at."""
    return tuple(
        f"the risk gate would deny the order: {'; '.join(map(str, each.breaches))}"
        for each in placement.decisions
        if not each.is_accepted
    )


def problems_of(
    plan: OrderPlan, orders: tuple[OrderRecord, ...], stops: tuple[Stop, ...]
) -> tuple[str, ...]:
    """List orders that were not written or not let through, and stops that do not wait."""
    symbols = ", ".join(each.symbol for each in plan.orders)
    if not orders:
        return (f"the books have no order for {symbols}: this decision was taken before without",)
    refused = [each for each in orders if each.state in REFUSED]
    found = [
        f"the order for {each.order.symbol} was {each.state.value}: {'; '.join(each.reasons)}"
        for each in refused
    ]
    found += [
        f"nobody can tell yet whether the broker took the order for {each.order.symbol}"
        for each in orders
        if each.state is OrderState.UNKNOWN
    ]
    armed = {(each.symbol, each.kind) for each in stops if each.status is StopStatus.ARMED}
    guarded = {each.order.symbol for each in orders if each.state.is_open}
    found += [
        f"no {rule.kind.value} stop waits for {planned.symbol}"
        for planned in plan.orders
        if planned.symbol in guarded
        for rule in planned.stops
        if (planned.symbol, rule.kind) not in armed
    ]
    return tuple(found)
