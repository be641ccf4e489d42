"""From weights to shares: a real broker takes quantities and prices on the exchange's grid."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from slices.domain.errors import SymbolNotFoundError
from slices.domain.exact import ZERO, price, quantity
from slices.domain.orders import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slices.domain.accounts import AccountBook
    from slices.domain.trading import OrderPlan, PlannedOrder

CENT = Decimal("0.01")
SUBCENT = Decimal("0.0001")
WHOLE = Decimal(1)
SUBCENT_BELOW = Decimal(1)
"""Below this price the exchange's grid is a hundredth of a cent."""


def in_shares(plan: OrderPlan, book: AccountBook, marks: Mapping[str, Decimal]) -> OrderPlan:
    """Turn every order to a weight into one in shares, at the mark.

    What is held and what open orders may still bring count. Shares are whole, rounded towards
    nothing, so that what they cost is exact in the books and at the broker, which rounds parts of
    a share in its own way; only what closes a position may hold a part. A position is never turned
    over by one order: the first one closes it. An order that comes to nothing is left out, which
    the plan's details say.

    Args:
        plan: What is wanted.
        book: The account it is wanted for.
        marks: Newest price of each symbol.

    Raises:
        SymbolNotFoundError: There is no price of a symbol.
    """
    turned = [_turned(each, book, marks) for each in plan.orders]
    nothing = tuple(
        (each.symbol, "at its weight already, to the smallest share that can be traded")
        for each, order in zip(plan.orders, turned, strict=True)
        if order is None
    )
    orders = tuple(each for each in turned if each is not None)
    return replace(plan, orders=orders, details=(*plan.details, *nothing))


def on_grid(limit: Decimal | None, side: Side, *, is_limit: bool) -> Decimal | None:
    """Round a price to the exchange's grid; a limit never becomes worse for the account.

    >>> on_grid(Decimal("10.017"), Side.BUY, is_limit=True)
    Decimal('10.010000000')
    """
    if limit is None:
        return None
    passive = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    grid = SUBCENT if limit < SUBCENT_BELOW else CENT
    return price(limit.quantize(grid, rounding=passive if is_limit else ROUND_HALF_EVEN))


def _turned(
    planned: PlannedOrder, book: AccountBook, marks: Mapping[str, Decimal]
) -> PlannedOrder | None:
    gridded = replace(
        planned,
        limit_price=on_grid(planned.limit_price, planned.side, is_limit=True),
        stop_price=on_grid(planned.stop_price, planned.side, is_limit=False),
    )
    if planned.target_weight is None:
        return gridded
    if planned.symbol not in marks:
        raise SymbolNotFoundError(symbols=(planned.symbol,), source="the bars of this plan")
    held = book.held(planned.symbol)
    waiting = sum(
        (r.open_quantity for r in book.open_orders if r.order.symbol == planned.symbol), ZERO
    )
    wanted = Decimal(repr(float(planned.target_weight))) * book.equity / marks[planned.symbol]
    change = _one_step(held, wanted - waiting)
    closes = change == -held
    shares = quantity(abs(change) if closes else abs(change).quantize(WHOLE, rounding=ROUND_DOWN))
    if not shares:
        return None
    side = Side.BUY if change > 0 else Side.SELL
    return replace(gridded, side=side, quantity=shares, target_weight=None)


def _one_step(held: Decimal, wanted: Decimal) -> Decimal:
    """Return the change from what is held, which stops at nothing where it would turn over."""
    return -held if held * wanted < ZERO else wanted - held
