"""The live trading flows can order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from pydantic import Field

from slices.domain.clock import SystemClock
from slices.live_trade import approval, desk
from slices.runtime.kinds import act

if TYPE_CHECKING:
    from slices.domain.trading import OrderPlan

settle = act(desk.settle)
submit = act(desk.submit)


class OrderApproval(RunInput):
    """The form a person fills in before orders leave."""

    approve: bool = Field(default=False, description="Whether these orders may leave.")
    note: str = Field(default="", max_length=500, description="Why, for the journal.")
    by: str = Field(default="", max_length=100, description="Who decides.")


def approve(
    account: str, plan: OrderPlan, *, timeout_seconds: int = 3600, poll_seconds: int = 5
) -> OrderPlan:
    """Pause the run until a person has approved or refused the orders; called in a flow's body.

    The answer is written into the journal of the live account. Exactly these orders are not asked
    about again once they are approved.

    Args:
        account: Whose orders.
        plan: What is wanted.
        timeout_seconds: How long to wait; after it the orders count as refused.
        poll_seconds: How often to look for the answer.

    Returns:
        The plan, or the same without orders where it is refused or nobody answers.
    """
    if not plan.orders or approval.is_approved(account, plan):
        return plan
    answer = _asked(account, plan, timeout_seconds=timeout_seconds, poll_seconds=poll_seconds)
    approval.record_answer(account, plan, answer, at=SystemClock().now())
    return plan if answer.is_approved else approval.refused_plan(plan, answer)


def _asked(
    account: str, plan: OrderPlan, *, timeout_seconds: int, poll_seconds: int
) -> approval.Answer:
    form = OrderApproval.with_initial_data(description=approval.question(account, plan))
    try:
        filled = pause_flow_run(
            wait_for_input=form, timeout=timeout_seconds, poll_interval=poll_seconds
        )
    except FlowPauseTimeout:
        note = f"nobody answered within {timeout_seconds} seconds"
        return approval.Answer(is_approved=False, note=note)
    return approval.Answer(is_approved=filled.approve, note=filled.note, by=filled.by)
