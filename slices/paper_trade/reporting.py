"""What the simulation says of a session, told as a broker tells it: in exact numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.exact import ZERO, money, price, quantity
from slices.domain.orders import CashFlow, Fill, FlowKind, OrderKind, OrderState, ShareAction
from slices.paper_trade.venue_state import VenueBook, VenueOrder
from slices.quant.simulation.account import FillReason, Fills
from slices.quant.simulation.intents import OrderOutcome, OrderStatus
from slices.quant.simulation.orders import CANCELLED_BY_HAND, REASONS
from slices.quant.simulation.stepping import Account, Step
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

EXITS = {
    FillReason.STOP_LOSS: "stop loss",
    FillReason.TAKE_PROFIT: "take profit",
    FillReason.TRAILING_STOP: "trailing exit",
    FillReason.TIME_LIMIT: "time limit",
}
WORDS = {
    FillReason.TARGET: "target weight",
    FillReason.MARKET: "market",
    FillReason.LIMIT: "limit",
    FillReason.STOP: "stop",
    FillReason.TRAILING_STOP: "trailing stop",
    FillReason.DELISTING: "delisting",
    FillReason.RUIN: "ruin",
}
RESTATED = "prices restated"
TIME_IS_OVER = "its time was over"
BY_HAND = REASONS[CANCELLED_BY_HAND]


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """A session that the simulation has lived through.

    Attributes:
        name: Its date.
        at: Its close (UTC).
        book: The account before.
        symbols: N names.
        orders: Every order that waited, or whose bracket did, by its number.
        ratios: N new shares for one old.
        shares: N float shares before.
        stepped: What the simulation says.
    """

    name: dt.date
    at: dt.datetime
    book: VenueBook
    symbols: tuple[str, ...]
    orders: tuple[VenueOrder, ...]
    ratios: FloatArray
    shares: FloatArray
    stepped: Step

    @property
    def account(self) -> str:
        """Whose session it is."""
        return self.book.terms.account


def actions_of(session: Session) -> tuple[ShareAction, ...]:
    """List holdings restated because prices were."""
    found = []
    for symbol, shares, ratio in zip(
        session.symbols, session.shares.tolist(), session.ratios.tolist(), strict=True
    ):
        old, new = quantity(shares), quantity(shares * ratio)
        if old != new:
            found.append(
                ShareAction(
                    action_id=f"{session.account}-{session.name}-{symbol}",
                    account=session.account,
                    symbol=symbol,
                    old_quantity=old,
                    new_quantity=new,
                    session=session.name,
                    at=session.at,
                    reason=RESTATED,
                )
            )
    return tuple(found)


def fills_of(session: Session) -> tuple[Fill, ...]:
    """List fills in their order; their names sort in it."""
    lines, found = session.stepped.session.fills, []
    held = session.shares * session.ratios
    orders = {each.number: each for each in session.orders}
    for place in range(lines.rows.size):
        column = int(lines.columns[place])
        before = float(held[column])
        held[column] += lines.quantities[place]
        changed = quantity(float(held[column])) - quantity(before)
        if changed:
            order = orders.get(int(lines.orders[place]))
            found.append(_fill(session, place, changed, order))
    return tuple(found)


def _fill(session: Session, place: int, changed: Decimal, order: VenueOrder | None) -> Fill:
    lines = session.stepped.session.fills
    return Fill(
        fill_id=f"{session.account}-{session.name}-{place:05d}",
        account=session.account,
        client_order_id="" if order is None else order.order.client_order_id,
        symbol=session.symbols[int(lines.columns[place])],
        quantity=changed,
        price=price(float(lines.prices[place])),
        commission=money(float(lines.commissions[place])),
        spread=money(float(lines.spreads[place])),
        impact=money(float(lines.impacts[place])),
        session=session.name,
        at=session.at,
        reason=_reason(FillReason(lines.reasons[place]), changed, order),
    )


def _reason(reason: FillReason, changed: Decimal, order: VenueOrder | None) -> str:
    """Tell the fills of orders from those of their brackets."""
    if order is None:
        return WORDS[reason]
    wanted = order.order
    is_own = wanted.kind is OrderKind.TRAILING_STOP and wanted.signed_quantity * changed > 0
    if reason in EXITS and not (reason is FillReason.TRAILING_STOP and is_own):
        return EXITS[reason]
    return WORDS[FillReason.TARGET if wanted.target_weight is not None else reason]


def flows_of(session: Session, fills: Sequence[Fill]) -> tuple[CashFlow, ...]:
    """List what came and went without a fill.

    Costs of fills too small to be told as one are a fee, and at ruin what is owed is written off,
    to the last unit.
    """
    lived = session.stepped.session
    untold = _costs(lived.fills) - sum((each.costs for each in fills), ZERO)
    amounts = [
        (FlowKind.INTEREST, money(float(lived.interest[0]))),
        (FlowKind.DIVIDEND, money(float(lived.dividends[0]))),
        (FlowKind.BORROW_FEE, money(-float(lived.borrow_fees[0]))),
        (FlowKind.FEE, -untold),
    ]
    if lived.ruined_row == session.stepped.account.sessions - 1:
        cash = session.book.cash + sum((each.cash for each in fills), ZERO)
        amounts.append((FlowKind.WRITE_OFF, -cash - sum((each for _, each in amounts), ZERO)))
    return tuple(_flow(session, kind, amount) for kind, amount in amounts if amount)


def _costs(lines: Fills) -> Decimal:
    columns = (lines.commissions, lines.spreads, lines.impacts)
    return sum((money(each) for column in columns for each in column.tolist()), ZERO)


def _flow(session: Session, kind: FlowKind, amount: Decimal) -> CashFlow:
    return CashFlow(
        flow_id=f"{session.account}-{session.name}-{kind}",
        account=session.account,
        kind=kind,
        amount=amount,
        session=session.name,
        at=session.at,
    )


def updated_orders(session: Session, fills: Sequence[Fill]) -> tuple[VenueOrder, ...]:
    """Return every order after the session, fills counted and endings told."""
    outcomes = dict(session.stepped.outcomes)
    return tuple(_updated(each, fills, outcomes.get(each.number or 0)) for each in session.orders)


def _updated(order: VenueOrder, fills: Sequence[Fill], outcome: OrderOutcome | None) -> VenueOrder:
    for each in fills:
        if each.client_order_id == order.order.client_order_id and not each.is_exit:
            order = order.with_fill(each)
    return order if outcome is None else _ended(order, outcome)


def _ended(order: VenueOrder, outcome: OrderOutcome) -> VenueOrder:
    """Give an order its final state; one that was filled in part says why it ended."""
    if outcome.status is OrderStatus.FILLED:
        return replace(order, state=OrderState.FILLED)
    is_over = outcome.reason == TIME_IS_OVER
    state = OrderState.EXPIRED if is_over else OrderState.CANCELLED
    return replace(order, state=state, reason=outcome.reason)


def without_dust(account: Account) -> Account:
    """Forget what is left of a position where that is less than half the smallest part of a share.

    The books know nothing of it.
    """
    is_dust = np.array([shares != 0 and not quantity(shares) for shares in account.shares.tolist()])
    if not is_dust.any():
        return account
    positions = account.positions.copy()
    positions["shares"][is_dust] = 0.0
    return replace(account, positions=positions)
