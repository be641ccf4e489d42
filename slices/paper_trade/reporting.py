"""What the simulation says of a session, told as a broker tells it: in exact numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.exact import ZERO, money, quantity
from slices.domain.orders import CashFlow, Fill, FlowKind, OrderState, ShareAction
from slices.paper_trade.venue_state import VenueBook, VenueOrder
from slices.quant.simulation.intents import OrderOutcome, OrderStatus
from slices.quant.simulation.orders import CANCELLED_BY_HAND, REASONS
from slices.quant.simulation.stepping import Account, Step
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from slices.quant.simulation.account import Fills

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

    def restated_holdings(self) -> tuple[tuple[str, Decimal], ...]:
        """List every symbol with what is held of it before anything fills, in exact numbers."""
        return tuple(
            (symbol, self.book.quantity_of(symbol) if ratio == 1.0 else quantity(shares * ratio))
            for symbol, shares, ratio in zip(
                self.symbols, self.shares.tolist(), self.ratios.tolist(), strict=True
            )
        )

    @property
    def account(self) -> str:
        """Whose session it is."""
        return self.book.terms.account


def actions_of(session: Session) -> tuple[ShareAction, ...]:
    """List holdings restated because prices were."""
    before = session.book
    return tuple(
        ShareAction(
            action_id=f"{session.account}-{session.name}-{symbol}",
            account=session.account,
            symbol=symbol,
            old_quantity=before.quantity_of(symbol),
            new_quantity=shares,
            session=session.name,
            at=session.at,
            reason=RESTATED,
        )
        for symbol, shares in session.restated_holdings()
        if shares != before.quantity_of(symbol)
    )


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
