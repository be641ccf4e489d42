"""Looking at a plan of a live account: what the gate would say, with nothing sent or written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.trading import Placement
from slices.ledger import path
from slices.ledger.accounts import read_book
from slices.live_trade.beginning import live_ledger, unbound_broker
from slices.live_trade.desk import marks_at
from slices.live_trade.optin import check_opt_in
from slices.live_trade.quantities import in_shares

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits
    from slices.domain.trading import OrderPlan


def look(
    account: str,
    bars: DatasetRef,
    plan: OrderPlan,
    *,
    limits: RiskLimits = DEFAULT_LIMITS,
    book: AccountBook | None = None,  # noqa: ARG001 - the books are read anew
) -> Placement:
    """Show what the gate would say of a plan; nothing is sent or written.

    Args:
        account: Whose orders; it has been brought up to the plan's session.
        bars: What the plan was made on; orders to a weight become shares at their closes.
        plan: What is wanted.
        limits: What the gate lets through; part of the confirmation.
        book: Not looked at.

    Raises:
        LiveTradingRefusedError: A switch is missing.
        BrokerError: The broker cannot be asked for its time.
    """
    credentials = check_opt_in(account, execution="live", limits=limits)
    at = unbound_broker(account, credentials).clock().now
    with live_ledger() as ledger:
        known = read_book(ledger, account, curve=False)
        prices = {each.symbol: each.price for each in marks_at(bars, plan.session)}
        decisions = path.look(
            ledger,
            account,
            in_shares(plan, known, prices).named(account),
            limits=limits,
            session=plan.session,
            at=at,
            calendar=bars.calendar,
            takes_weights=False,
        )
    return Placement(account=account, session=plan.session, decisions=decisions, records=())
