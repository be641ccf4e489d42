"""Taking back orders that are still open, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.calendar import session_close
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.orders import OrderState
from slices.ledger.locking import account_lock
from slices.ledger.withdrawing import take_back
from slices.paper_trade.beginning import paper_ledger
from slices.paper_trade.venue import PaperBroker

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits


def withdraw(
    account: str,
    bars: DatasetRef,
    names: tuple[str, ...],
    *,
    session: dt.date,
    execution: Execution = "paper",
    limits: RiskLimits = DEFAULT_LIMITS,  # noqa: ARG001 - none keeps an order from being cancelled
) -> int:
    """Cancel some open orders; allowed in every state, and nothing where they have ended.

    Args:
        account: Whose.
        bars: In whose calendar.
        names: Our names of the orders.
        session: At whose close.
        execution: `plan` cancels nothing.
        limits: Not looked at.

    Returns:
        How many were cancelled.
    """
    if execution == "plan" or not names:
        return 0
    at = session_close(session, calendar=bars.calendar)
    with paper_ledger() as ledger, account_lock(ledger, account):
        broker = PaperBroker(ledger, account)
        taken = [take_back(ledger, broker, each, at=at) for each in names]
        return sum(each.state is OrderState.CANCELLED for each in taken)
