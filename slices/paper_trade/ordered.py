"""The orders of one session, told in one way whether they were sent or only looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.paper_trading import SessionOrder
from slices.ledger.orders import orders_of
from slices.paper_trade.deciding import WORKFLOW

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.domain.limits import GateDecision
    from slices.domain.orders import Order, OrderRecord, OrderState
    from slices.domain.trading import OrderPlan, Placement
    from slices.ledger.opening import Ledger


def standing_orders(ledger: Ledger, account: str, session: dt.date) -> tuple[OrderRecord, ...]:
    """List what this workflow ordered at a close, by whatever strategy."""
    found = orders_of(ledger, account, session=session)
    return tuple(each for each in found if each.order.workflow == WORKFLOW)


def session_orders(records: Sequence[OrderRecord]) -> tuple[SessionOrder, ...]:
    """Tell of orders the ledger has."""
    return tuple(_told(each.order, state=each.state, reasons=each.reasons) for each in records)


def looked_orders(plan: OrderPlan, placed: Placement) -> tuple[SessionOrder, ...]:
    """Tell of orders that were only looked at."""
    said = {each.client_order_id: each for each in placed.decisions}
    return tuple(
        _told(each, state=None, reasons=_breaches(said.get(each.client_order_id)))
        for each in plan.named(placed.account)
    )


def _breaches(decision: GateDecision | None) -> tuple[str, ...]:
    return () if decision is None else tuple(str(each) for each in decision.breaches)


def _told(order: Order, *, state: OrderState | None, reasons: tuple[str, ...]) -> SessionOrder:
    return SessionOrder(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        target_weight=order.target_weight,
        state=state,
        reasons=reasons,
    )
