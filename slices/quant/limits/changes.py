"""What one order would change, and the exposure after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from slices.domain.exact import QUANTITY_UNIT, ZERO
from slices.domain.orders import Order, OrderKind
from slices.quant.limits.exposure import dearest_price
from slices.quant.limits.numbers import exact

if TYPE_CHECKING:
    from slices.quant.limits.exposure import Exposure, Range

WEIGHT_UNIT = Decimal("1e-12")
"""Weights are cut to whole units, so that float noise in a sum of weights breaks no limit."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """An order as a change of one position.

    Attributes:
        shares: Signed; of an order to a weight, what is missing at the mark, not scaled yet.
        price: Highest price it may have to be paid at.
        is_certain: Whether it fills at once: an order at market.
        is_smaller: Whether the absolute position gets smaller, without turning over, however
            the orders before it end.
        is_nearer: Whether the absolute position gets smaller, turning over or not.
        is_reducing: Whether it is sure to get smaller at whatever price: of orders to a weight,
            only those to 0.
    """

    order: Order
    shares: Decimal
    price: Decimal
    is_certain: bool
    is_smaller: bool
    is_nearer: bool
    is_reducing: bool

    @property
    def is_weight(self) -> bool:
        """Whether it is an order to a weight."""
        return self.order.target_weight is not None

    @property
    def is_purchase(self) -> bool:
        """Whether it buys shares."""
        return self.shares > 0

    def scaled(self, share: Decimal) -> Change:
        """Return the change with what the venue leaves of a purchase towards a weight."""
        if not (self.is_weight and self.is_purchase):
            return self
        return replace(self, shares=self.shares * share)


def change_of(order: Order, exposure: Exposure, *, worth: Decimal) -> Change:
    """Return what an order would change.

    Args:
        order: Of a form the gate has checked.
        exposure: After what was accepted before it.
        worth: Equity that weights are fractions of, in money.
    """
    mark = exposure.marks[order.symbol].price
    before = replaced(exposure.range_of(order.symbol), order)
    shares = _shares(order, before, worth / mark)
    closes = order.target_weight == 0
    is_certain = order.kind is OrderKind.MARKET
    met = before.without_exits if is_certain else before
    smaller = closes or _is_smaller(order, met, shares)
    return Change(
        order=order,
        shares=shares,
        price=dearest_price(order, mark),
        is_certain=is_certain,
        is_smaller=smaller,
        is_nearer=smaller or _is_nearer(met, shares),
        is_reducing=smaller and (closes or order.target_weight is None),
    )


def replaced(before: Range, order: Order) -> Range:
    """Return a range without the older weight that an order to a weight takes the place of."""
    return before if order.target_weight is None else replace(before, pending=ZERO)


def exposure_after(exposure: Exposure, change: Change, *, cost_rate: Decimal) -> Exposure:
    """Return the exposure once a change is accepted.

    What is at market counts as filled; anything else may fill or not.
    """
    order, shares = change.order, change.shares
    notional = abs(shares) * change.price
    costs = notional * cost_rate
    sold = change.is_certain and not change.is_purchase
    proceeds = abs(shares) * exposure.marks[order.symbol].price - costs if sold else ZERO
    spent = notional + costs if change.is_purchase else ZERO
    charged = exposure.with_money(
        cash=proceeds - spent, settled=-spent, costs=ZERO if change.is_weight else costs
    )
    before = replaced(exposure.range_of(order.symbol), order)
    return charged.with_range(order.symbol, _range_after(before, change))


def _range_after(before: Range, change: Change) -> Range:
    if change.is_certain:
        return before.with_certain(change.shares)
    if change.order.reduce_only:
        return before.with_exit(change.shares)
    return before.with_possible(change.shares)


def _shares(order: Order, before: Range, shares_worth: Decimal) -> Decimal:
    if order.target_weight is None:
        return order.signed_quantity
    weight = exact(order.target_weight).quantize(WEIGHT_UNIT, rounding=ROUND_DOWN)
    wanted = (weight * shares_worth).quantize(QUANTITY_UNIT, rounding=ROUND_DOWN)
    return wanted - before.certain


def _is_smaller(order: Order, before: Range, shares: Decimal) -> bool:
    if order.reduce_only:
        # What the batch itself opens may not be there yet.
        left = min(abs(before.held), abs(before.certain))
        return shares * before.held < 0 and shares * before.certain < 0 and abs(shares) <= left
    return before.lowest + shares >= 0 if shares < 0 else before.highest + shares <= 0


def _is_nearer(before: Range, shares: Decimal) -> bool:
    return 2 * before.lowest > -shares if shares < 0 else 2 * before.highest < -shares
