"""What a person is asked before orders leave, and what is made of the answer.

Silence is a refusal. A refused plan has no orders and is no decision, so that a later run may ask
again; an approval holds for exactly these orders, however often the run is repeated.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slices.domain.clock import SystemClock
from slices.domain.errors import ParameterError, counted
from slices.domain.fingerprint import fingerprint
from slices.domain.trading import REFUSED as REFUSAL
from slices.ledger.journal import append, entries
from slices.ledger.opening import books_of
from slices.live_trade.beginning import live_ledger
from slices.live_trade.wire_orders import plain
from slices.runtime.asking import ask_for_approval

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from slices.domain.accounts import Execution
    from slices.domain.trading import OrderPlan, PlannedOrder
    from slices.ledger.opening import Ledger
    from slices.runtime.asking import Approval

APPROVED = "orders_approved"
REFUSED = "orders_refused"


def check_approval(parameters: dict[str, Any]) -> None:
    """Check a flow's `approval`: only what is sent can be approved.

    Raises:
        ParameterError: Where nothing would be sent.
    """
    if parameters["approval"] and parameters["execution"] == "plan":
        raise ParameterError(
            parameter="approval",
            found="wanted, with execution 'plan', which sends nothing",
            allowed="with execution 'paper' or 'live'",
        )


def approve(
    account: str,
    plan: OrderPlan,
    *,
    execution: Execution = "live",
    timeout_seconds: int = 3600,
    poll_seconds: int = 5,
) -> OrderPlan:
    """Pause the run until a person has approved or refused the orders; called in a flow's body.

    The answer is written into the journal of the account. Exactly these orders are not asked
    about again once they are approved.

    Args:
        account: Whose orders.
        plan: What is wanted.
        execution: Whether it is a live account or a paper one.
        timeout_seconds: How long to wait; after it the orders count as refused.
        poll_seconds: How often to look for the answer.

    Returns:
        The plan, or the same without orders where it is refused or nobody answers.
    """
    if not plan.orders or is_approved(account, plan, execution=execution):
        return plan
    answer = ask_for_approval(
        question(account, plan), timeout_seconds=timeout_seconds, poll_seconds=poll_seconds
    )
    record_answer(account, plan, answer, execution=execution, at=SystemClock().now())
    return plan if answer.is_approved else refused_plan(plan, answer)


def question(account: str, plan: OrderPlan) -> str:
    """Write what is asked, in Markdown: every order on a line of its own."""
    head = f"**{account}**, session {plan.session}, {plan.workflow} by {plan.strategy or 'no rule'}"
    lines = (f"- {order_line(each)}" for each in plan.orders)
    return "\n".join((f"{head}: {counted(len(plan.orders), 'order')} wait for approval.", *lines))


def order_line(order: PlannedOrder) -> str:
    """Say an order in words.

    >>> from decimal import Decimal
    >>> from slices.domain.orders import Side
    >>> from slices.domain.trading import PlannedOrder
    >>> order_line(PlannedOrder(symbol="AAPL", side=Side.BUY, quantity=Decimal("10.500000000")))
    'buy 10.5 AAPL at market'
    """
    wanted = plain(order.quantity)
    if order.target_weight is not None:
        wanted = f"to {order.target_weight:.2%} of equity (about {wanted})"
    prices = (("limit", order.limit_price), ("stop", order.stop_price))
    bounds = "".join(f", {name} {plain(price)}" for name, price in prices if price is not None)
    kind = order.kind.value.replace("_", " ")
    why = f": {order.purpose}" if order.purpose else ""
    return f"{order.side} {wanted} {order.symbol} at {kind}{bounds}{why}"


def refused_plan(plan: OrderPlan, answer: Approval) -> OrderPlan:
    """Return the plan without its orders, with the refusal among its details."""
    return replace(
        plan,
        strategy=f"{plan.strategy} (refused)",
        orders=(),
        targets=(),
        details=(*plan.details, (REFUSAL, answer.note or "without a note")),
    )


def plan_digest(account: str, plan: OrderPlan) -> str:
    """Name exactly these orders of this account."""
    return fingerprint("approval", account, plan)


def is_approved(account: str, plan: OrderPlan, *, execution: Execution = "live") -> bool:
    """Tell whether these orders were approved before."""
    with _books(execution) as ledger:
        found = entries(ledger, account=account, subject=plan_digest(account, plan))
    return any(each.kind == APPROVED for each in found)


def record_answer(
    account: str,
    plan: OrderPlan,
    answer: Approval,
    *,
    execution: Execution = "live",
    at: dt.datetime,
) -> None:
    """Write an answer into the journal of the account."""
    payload = (
        ("session", plan.session.isoformat()),
        ("workflow", plan.workflow),
        ("note", answer.note),
        ("by", answer.by),
        *((f"order {place}", order_line(each)) for place, each in enumerate(plan.orders, 1)),
    )
    kind = APPROVED if answer.is_approved else REFUSED
    with _books(execution) as ledger, ledger.writing() as connection:
        append(
            connection,
            account,
            kind=kind,
            subject=plan_digest(account, plan),
            payload=payload,
            at=at,
        )


@contextmanager
def _books(execution: Execution) -> Iterator[Ledger]:
    if execution == "live":
        with live_ledger() as ledger:
            yield ledger
        return
    with books_of(execution) as ledger:
        yield ledger
