"""The one way in which orders reach a broker.

Judged by the gate, written down as intended, and only then sent; what the broker answers is
written down too. Whoever is killed on the way and starts again finds what stands written, asks the
broker about everything unclear, and sends what never left. So there is one order for each name,
however often and by how many processes a plan is placed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.exact import ZERO
from slices.domain.orders import OrderState, Side
from slices.domain.trading import Placement
from slices.ledger.decisions import read_decision
from slices.ledger.facts import gate_facts
from slices.ledger.fingerprints import check_traded_with, traded_with
from slices.ledger.judging import Decided, paired, write_judged
from slices.ledger.orders import orders_of, write_ended
from slices.ledger.sending import (
    FAILED,
    Reached,
    Step,
    cancel_open,
    nothing,
    records_by_name,
    resolve,
    send_all,
)
from slices.quant.limits.gate import judge_orders

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from slices.domain.brokers import Broker
    from slices.domain.limits import GateDecision, RiskLimits
    from slices.domain.orders import Order, OrderRecord
    from slices.ledger.arming import OrderStop
    from slices.ledger.opening import Ledger
    from slices.quant.limits.facts import GateFacts

__all__ = ["Reached", "Step", "cancel_open", "look", "nothing", "place", "resolve"]


def place(
    ledger: Ledger,
    broker: Broker,
    account: str,
    orders: Sequence[Order],
    *,
    limits: RiskLimits,
    session: dt.date,
    at: dt.datetime,
    targets: Sequence[tuple[str, float]] = (),
    workflow: str = "",
    strategy: str = "",
    details: Sequence[tuple[str, str]] = (),
    stops: Sequence[OrderStop] = (),
    calendar: str = "XNYS",
    cost_rate: Decimal = ZERO,
    code: str = "",
    reached: Reached = nothing,
) -> Placement:
    """Judge orders, write them down, send them, each once; the caller holds the account's lock.

    A decision of this workflow, strategy and session that is written already stands: nothing is
    judged again, what never left is sent, and of further orders only those pass that make a
    position smaller.

    Args:
        ledger: Where the account is.
        broker: Who trades for it.
        account: Whose orders they are.
        orders: All that one decision wants.
        limits: What they are judged by.
        session: At whose close, or in which, it was decided.
        at: Instant (UTC) of the decision, with which everything is recorded.
        targets: What it wants of every symbol, as fractions of equity.
        workflow: The flow that decided.
        strategy: By what rule; empty for a decision on the whole account.
        details: Name and value of what it stood on.
        stops: Written with the orders that are let through.
        calendar: Exchange calendar of the sessions.
        cost_rate: Costs of a purchase to expect, as a fraction of its notional.
        code: Digest of the trading code; that of the sources where empty.
        reached: Called after each step.

    Returns:
        What became of every order; denied ones with their reasons.

    Raises:
        LedgerError: Another process with other code or limits trades this account in this session.
        BrokerUnavailableError: Orders of before are unclear and the broker cannot be asked.
    """
    decided = Decided(
        account=account,
        workflow=workflow,
        strategy=strategy,
        session=session,
        at=at,
        targets=tuple(targets),
        details=tuple(details),
        stops=tuple(stops),
    )
    is_new = _is_new(ledger, decided)
    fresh = _fresh(ledger, decided, orders, is_new=is_new)
    if not is_new and not fresh:
        return _standing(ledger, broker, decided)
    own = traded_with(limits, code=code)
    is_known = check_traded_with(
        ledger, account, session, own, only_reduces=all(each.reduce_only for each in fresh)
    )
    facts = gate_facts(
        ledger,
        account,
        session=session,
        at=at,
        calendar=calendar,
        cost_rate=cost_rate,
        takes_weights=broker.takes_weights,
    )
    judged = paired(fresh, judge_orders(fresh, facts, limits))
    reached(Step.JUDGED)
    judged = write_judged(
        ledger,
        decided,
        judged,
        facts=facts,
        limits=limits,
        own=None if is_known else own,
        is_new=is_new,
    )
    reached(Step.INTENDED)
    _send(ledger, broker, judged, facts=facts, limits=limits, reached=reached)
    reached(Step.PLACED)
    return Placement(
        account=account,
        session=session,
        decisions=tuple(decision for _, decision in judged),
        records=_records(ledger, decided, orders),
    )


def _fresh(
    ledger: Ledger, decided: Decided, orders: Sequence[Order], *, is_new: bool
) -> list[Order]:
    """Return the orders nobody has written; of a decision that stands only those that reduce."""
    known = records_by_name(ledger, decided.account, decided.session)
    unknown = (each for each in orders if each.client_order_id not in known)
    return [each for each in unknown if is_new or each.reduce_only]


def _send(
    ledger: Ledger,
    broker: Broker,
    judged: Sequence[tuple[Order, GateDecision]],
    *,
    facts: GateFacts,
    limits: RiskLimits,
    reached: Reached,
) -> None:
    """Send what was accepted: sales, and then what they may have paid for."""
    account, at = facts.book.name, facts.at
    accepted = [order for order, decision in judged if decision.is_accepted]
    sales = [each for each in accepted if each.side is Side.SELL]
    if send_all(ledger, broker, account, sales, at=at, reached=reached):
        purchases = _purchases(ledger, accepted, facts=facts, limits=limits)
        send_all(ledger, broker, account, purchases, at=at, reached=reached)


def _purchases(
    ledger: Ledger, accepted: Sequence[Order], *, facts: GateFacts, limits: RiskLimits
) -> list[Order]:
    """Return the purchases to send, judged once more where a sale was refused."""
    account, session, at = facts.book.name, facts.session, facts.at
    known = records_by_name(ledger, account, session)
    ended = {name for name, each in known.items() if each.state in FAILED}
    left = [each for each in accepted if each.client_order_id not in ended]
    if len(left) < len(accepted):
        for order, decision in paired(left, judge_orders(left, facts, limits)):
            if order.side is Side.BUY and not decision.is_accepted:
                why = f"not sent after a sale was refused: {'; '.join(map(str, decision.breaches))}"
                ended.add(order.client_order_id)
                write_ended(ledger, order.client_order_id, OrderState.CANCELLED, why, at=at)
    return [each for each in left if each.side is Side.BUY and each.client_order_id not in ended]


def _records(ledger: Ledger, decided: Decided, orders: Sequence[Order]) -> tuple[OrderRecord, ...]:
    known = records_by_name(ledger, decided.account, decided.session)
    names = (each.client_order_id for each in orders)
    return tuple(known[name] for name in names if name in known)


def _is_new(ledger: Ledger, decided: Decided) -> bool:
    known = read_decision(
        ledger,
        decided.account,
        workflow=decided.workflow,
        strategy=decided.strategy,
        session=decided.session,
    )
    return known is None


def look(
    ledger: Ledger,
    account: str,
    orders: Sequence[Order],
    *,
    limits: RiskLimits,
    session: dt.date,
    at: dt.datetime,
    calendar: str = "XNYS",
    cost_rate: Decimal = ZERO,
    takes_weights: bool = True,
) -> tuple[GateDecision, ...]:
    """Return what the gate would say; nothing is written. See `place`."""
    facts = gate_facts(
        ledger,
        account,
        session=session,
        at=at,
        calendar=calendar,
        cost_rate=cost_rate,
        takes_weights=takes_weights,
    )
    return judge_orders(orders, facts, limits)


def _standing(ledger: Ledger, broker: Broker, decided: Decided) -> Placement:
    """Finish a decision taken before, and tell what became of it."""
    account, session = decided.account, decided.session
    resolve(ledger, broker, account, at=decided.at)
    records = tuple(
        each
        for each in orders_of(ledger, account, session=session)
        if each.order.workflow == decided.workflow and decided.strategy in {"", each.order.strategy}
    )
    return Placement(
        account=account, session=session, decisions=(), records=records, is_repeated=True
    )
