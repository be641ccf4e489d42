"""Taking back orders that are still open, at the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.orders import OrderState
from slices.ledger.locking import account_lock
from slices.ledger.withdrawing import take_back
from slices.live_trade.beginning import bound, live_ledger, unbound_broker
from slices.live_trade.optin import check_opt_in

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits


def withdraw(
    account: str,
    bars: DatasetRef,  # noqa: ARG001 - time is the broker's
    names: tuple[str, ...],
    *,
    session: dt.date,  # noqa: ARG001 - time is the broker's
    execution: Execution = "live",
    limits: RiskLimits = DEFAULT_LIMITS,
) -> int:
    """Cancel some open orders; allowed in every state, and nothing where they have ended.

    Args:
        account: Whose.
        bars: Not looked at.
        names: Our names of the orders.
        session: Not looked at: everything is recorded at the broker's time.
        execution: Only `live`.
        limits: Part of the confirmation.

    Returns:
        How many the broker calls cancelled by now; one it has yet to confirm is not among them,
        and the next time the account is brought up to the broker tells.

    Raises:
        LiveTradingRefusedError: A switch is missing; nothing was cancelled.
        BrokerError: The broker cannot be asked, or refuses; the remaining orders may be open.
    """
    credentials = check_opt_in(account, execution=execution, limits=limits)
    if not names:
        return 0
    broker = unbound_broker(account, credentials)
    at = broker.clock().now
    with live_ledger() as ledger, account_lock(ledger, account):
        broker = bound(ledger, broker, account)
        taken = [take_back(ledger, broker, each, at=at) for each in names]
        return sum(each.state is OrderState.CANCELLED for each in taken)
