"""What flows hand to whoever trades, and what they get back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from slices.domain.limits import GateDecision
from slices.domain.orders import Bracket, Order, OrderKind, OrderRecord, Side, client_order_id
from slices.domain.stops import StopKind

REFUSED = "refused"
"""Name of the detail in which a plan says why a person refused its orders."""


@dataclass(frozen=True, kw_only=True)
class StopRule:
    """A stop to be recorded with the position an order opens; see `stops.Stop`."""

    kind: StopKind
    level: Decimal | None = None
    trail: float | None = None
    multiple: float | None = None
    most_sessions: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedOrder:
    """An order before it has a name; see `orders.Order` for the fields.

    Attributes:
        stops: Stops to record once the gate has accepted the order.
    """

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
    stops: tuple[StopRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OrderPlan:
    """Everything one decision wants traded.

    Attributes:
        workflow: The flow that decided.
        strategy: By what rule.
        session: At whose close, or in which, it was decided.
        orders: Sales and purchases; the gate judges them together.
        details: Name and value of what the decision stood on, for the journal.
        targets: Weight wanted of every symbol, where the plan is one for the whole account. A
            workflow decides that once in a session, by whatever strategy.
    """

    workflow: str
    strategy: str
    session: dt.date
    orders: tuple[PlannedOrder, ...]
    details: tuple[tuple[str, str], ...] = ()
    targets: tuple[tuple[str, float], ...] = ()

    @property
    def decided_by(self) -> str:
        """What tells decisions of a workflow apart within a session: empty for a whole account."""
        return "" if self.targets else self.strategy

    @property
    def refusal(self) -> str:
        """Why a person did not let the orders leave; empty where nobody refused them."""
        return dict(self.details).get(REFUSED, "")

    def named(self, account: str) -> tuple[Order, ...]:
        """Give every order its name, the same one whenever the same decision is taken again."""
        return tuple(self._named(account, each) for each in self.orders)

    def _named(self, account: str, planned: PlannedOrder) -> Order:
        return Order(
            client_order_id=client_order_id(
                account=account,
                workflow=self.workflow,
                strategy=self.strategy,
                session=self.session,
                symbol=planned.symbol,
                side=planned.side,
                sequence=planned.sequence,
            ),
            account=account,
            workflow=self.workflow,
            strategy=self.strategy,
            session=self.session,
            symbol=planned.symbol,
            side=planned.side,
            quantity=planned.quantity,
            target_weight=planned.target_weight,
            kind=planned.kind,
            limit_price=planned.limit_price,
            stop_price=planned.stop_price,
            trail=planned.trail,
            valid_sessions=planned.valid_sessions,
            reduce_only=planned.reduce_only,
            bracket=planned.bracket,
            sequence=planned.sequence,
            purpose=planned.purpose,
        )


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What became of a plan.

    Attributes:
        account: Whose.
        session: Of the decision.
        decisions: What the gate says, order by order.
        records: The orders as the ledger has them; empty where the plan was only looked at.
        is_repeated: Whether this decision had been taken before, so that nothing was sent.
    """

    account: str
    session: dt.date
    decisions: tuple[GateDecision, ...]
    records: tuple[OrderRecord, ...]
    is_repeated: bool = False
