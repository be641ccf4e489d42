"""Judging orders and writing them down, in one transaction with what they were judged by."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from slices.ledger.arming import OrderStop
from slices.ledger.decisions import write_decision
from slices.ledger.fingerprints import TradedWith, record_traded_with
from slices.ledger.orders import write_intents
from slices.ledger.states import state_within
from slices.ledger.stops import arm_within
from slices.quant.limits.gate import judge_orders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from slices.domain.limits import GateDecision, RiskLimits
    from slices.domain.orders import Order
    from slices.ledger.opening import Ledger
    from slices.quant.limits.facts import GateFacts

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Who decided what and when, apart from the orders.

    Attributes:
        workflow: The flow that decided.
        strategy: By what rule; empty for a decision on the whole account.
        session: At whose close, or in which.
        at: Instant (UTC), with which everything is recorded.
        targets: What is wanted of every symbol, as fractions of equity.
        details: Name and value of what it stood on.
        stops: Recorded for the orders that are let through.
    """

    account: str
    workflow: str
    strategy: str
    session: dt.date
    at: dt.datetime
    targets: tuple[tuple[str, float], ...] = ()
    details: Pairs = ()
    stops: tuple[OrderStop, ...] = ()


def write_judged(
    ledger: Ledger,
    decided: Decided,
    judged: Sequence[tuple[Order, GateDecision]],
    *,
    facts: GateFacts,
    limits: RiskLimits,
    own: TradedWith | None,
    is_new: bool,
) -> tuple[tuple[Order, GateDecision], ...]:
    """Write orders, decision and journal at once, judged anew where the trading state has changed.

    Args:
        ledger: Where the account is.
        decided: Who decided.
        judged: Orders and what the gate said of them.
        facts: What it judged by.
        limits: Likewise.
        own: Code and limits to write down; None where this session has them already.
        is_new: Whether the decision is to be written down.

    Returns:
        Orders and decisions as written.
    """
    account, at = decided.account, decided.at
    with ledger.writing() as connection:
        judged = _under_the_state_now(connection, ledger, judged, facts=facts, limits=limits)
        if own is not None:
            record_traded_with(connection, account, decided.session, own, at=at)
        if is_new:
            write_decision(
                connection,
                account,
                workflow=decided.workflow,
                strategy=decided.strategy,
                session=decided.session,
                targets=decided.targets,
                details=decided.details,
                at=at,
            )
        write_intents(connection, account, judged, at=at)
        accepted = {order.client_order_id for order, each in judged if each.is_accepted}
        for name, stop in decided.stops:
            if name in accepted:
                arm_within(connection, stop, at=at)
    return tuple(judged)


def _under_the_state_now(
    connection: Connection,
    ledger: Ledger,
    judged: Sequence[tuple[Order, GateDecision]],
    *,
    facts: GateFacts,
    limits: RiskLimits,
) -> Sequence[tuple[Order, GateDecision]]:
    state, reason = state_within(connection, ledger, facts.book.name)
    if state is facts.book.state:
        return judged
    book = replace(facts.book, state=state, state_reason=reason)
    orders = [order for order, _ in judged]
    return paired(orders, judge_orders(orders, replace(facts, book=book), limits))


def paired(
    orders: Sequence[Order], decisions: Sequence[GateDecision]
) -> tuple[tuple[Order, GateDecision], ...]:
    """Put orders and decisions side by side."""
    return tuple(zip(orders, decisions, strict=True))
