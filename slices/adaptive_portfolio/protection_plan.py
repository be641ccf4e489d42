"""The orders that bring an account down to what its state and tier allow."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.errors import counted
from slices.domain.exact import QUANTITY_UNIT
from slices.domain.numbers import written
from slices.domain.orders import Side
from slices.domain.report import Unit
from slices.domain.trading import OrderPlan, PlannedOrder

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Position
    from slices.domain.protection import Protection

WORKFLOW = "drawdown_protection"
WHOLE_SHARE = Decimal(1)


def plan_reduction(book: AccountBook, protection: Protection, *, whole_shares: bool) -> OrderPlan:
    """Plan orders that only reduce: what a tier has too many of, then everything in proportion.

    Args:
        book: The account.
        protection: What its losses ask for.
        whole_shares: Whether sales are rounded up to whole shares.

    Returns:
        No orders where nothing has to be reduced, and for an account that was halted before: it
        takes none.
    """
    is_shut = protection.before is TradingState.HALTED
    return OrderPlan(
        workflow=WORKFLOW,
        strategy=_strategy(protection),
        session=book.session or book.opened,
        orders=() if is_shut else _orders(book, protection, whole_shares=whole_shares),
        details=(
            ("state", protection.state.value),
            ("gross_exposure", f"{protection.gross_exposure:.6f}"),
            ("allowed_exposure", f"{protection.allowed_exposure:.6f}"),
            ("tier", protection.tier.tier.value),
            *(("reason", each) for each in protection.reasons),
        ),
    )


def _strategy(protection: Protection) -> str:
    """Name the rule, so that a severer decision of the same session is another decision."""
    if protection.allowed_exposure == 0:
        return "liquidate"
    return "reduce" if protection.allowed_exposure < math.inf else "tier"


def _orders(
    book: AccountBook, protection: Protection, *, whole_shares: bool
) -> tuple[PlannedOrder, ...]:
    if protection.state is TradingState.HALTED and protection.allowed_exposure > 0:
        return ()
    beyond = protection.tier.excess
    kept = tuple(each for each in book.positions if each.symbol not in beyond)
    cut = 1 - kept_share(book, kept, protection.allowed_exposure)
    unit = WHOLE_SHARE if whole_shares else QUANTITY_UNIT
    closed = tuple(
        _order(each, abs(each.quantity), _too_many(protection))
        for each in book.positions
        if each.symbol in beyond
    )
    reduced = tuple(
        _order(each, _rounded_up(abs(each.quantity) * cut, unit, most=abs(each.quantity)),
               _too_much(protection))
        for each in kept
        if cut > 0
    )  # fmt: skip
    return closed + reduced


def kept_share(
    book: AccountBook, positions: tuple[Position, ...], allowed_exposure: float
) -> Decimal:
    """Return which share of these positions fits into a gross exposure, between 0 and 1."""
    gross = sum((abs(each.value) for each in positions), Decimal(0))
    if allowed_exposure == math.inf or gross == 0:
        return Decimal(1)
    room = max(Decimal(0), book.equity) * Decimal(repr(allowed_exposure))
    return min(Decimal(1), room / gross)


def _rounded_up(shares: Decimal, unit: Decimal, *, most: Decimal) -> Decimal:
    steps = (shares / unit).to_integral_value(rounding=ROUND_CEILING)
    return min(most, steps * unit)


def _order(position: Position, shares: Decimal, purpose: str) -> PlannedOrder:
    return PlannedOrder(
        symbol=position.symbol,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        quantity=shares,
        valid_sessions=1,
        reduce_only=True,
        purpose=purpose,
    )


def _too_many(protection: Protection) -> str:
    tier = protection.tier
    return (
        f"A {tier.tier.value} account keeps {counted(tier.rules.positions, 'position')}; this is "
        f"among the smallest of {tier.positions}."
    )


def _too_much(protection: Protection) -> str:
    gross = written(protection.gross_exposure, Unit.FRACTION)
    allowed = written(protection.allowed_exposure, Unit.FRACTION)
    return f"Gross exposure {gross}; {protection.state.value} allows {allowed}."
