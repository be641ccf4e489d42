"""Whether an order is one at all: its numbers, its kind, its price against the mark."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.calendar import missed_sessions
from slices.domain.exact import MOST_UNITS, PRICE_UNIT, QUANTITY_UNIT
from slices.domain.limits import Breach, ReasonCode
from slices.domain.orders import OrderKind
from slices.quant.limits.exposure import dearest_price
from slices.quant.limits.numbers import exact, in_money, in_shares

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from slices.domain.accounts import Mark
    from slices.domain.limits import RiskLimits
    from slices.domain.orders import Bracket, Order
    from slices.quant.limits.facts import GateFacts

LARGEST_WEIGHT = 20.0
LIMITED = (OrderKind.LIMIT, OrderKind.STOP_LIMIT)
STOPPED = (OrderKind.STOP, OrderKind.STOP_LIMIT)


def form_breaches(order: Order, facts: GateFacts) -> Iterator[Breach]:
    """Yield what keeps an order from being judged at all: its numbers and its kind."""
    yield from _quantity(order)
    yield from _prices(order)
    yield from _kind(order, takes_weights=facts.takes_weights)


def size_breaches(
    order: Order, shares: Decimal, mark: Decimal, limits: RiskLimits
) -> Iterator[Breach]:
    """Yield whether an order is larger than one order may be."""
    largest, most = max(order.quantity, abs(shares)), limits.max_order_quantity
    if most is not None and largest > exact(most):
        yield _breach(ReasonCode.QUANTITY_TOO_LARGE, in_shares(largest), in_shares(exact(most)))
    value, most = largest * dearest_price(order, mark), limits.max_order_notional
    if most is not None and value > exact(most):
        yield _breach(ReasonCode.NOTIONAL_TOO_LARGE, in_money(value), in_money(exact(most)))


def collar_breaches(order: Order, mark: Decimal, limits: RiskLimits) -> Iterator[Breach]:
    """Yield whether a limit or stop price is too far from the mark."""
    room = exact(limits.price_collar) * mark
    allowed = f"{in_money(mark - room)} to {in_money(mark + room)}"
    for price in (order.limit_price, order.stop_price):
        if price is not None and abs(price - mark) > room:
            yield _breach(ReasonCode.PRICE_OUTSIDE_COLLAR, in_money(price), allowed)


def age_breaches(mark: Mark, facts: GateFacts, limits: RiskLimits) -> Iterator[Breach]:
    """Yield whether the price to judge by is too old."""
    age = missed_sessions(mark.session, facts.session, calendar=facts.calendar)
    if age > limits.stale_mark_sessions:
        found = f"a mark of {mark.session}, {age} sessions old"
        allowed = f"{limits.stale_mark_sessions} sessions"
        yield _breach(ReasonCode.MARK_STALE, found, allowed)


def _quantity(order: Order) -> Iterator[Breach]:
    weight = order.target_weight
    if not _is_whole(order.quantity, QUANTITY_UNIT, zero_too=weight is not None):
        allowed = f"shares above 0, in steps of {QUANTITY_UNIT}"
        yield _breach(ReasonCode.QUANTITY_INVALID, str(order.quantity), allowed)
    if weight is not None and not abs(weight) <= LARGEST_WEIGHT:
        allowed = f"a weight from -{LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}"
        yield _breach(ReasonCode.QUANTITY_INVALID, str(weight), allowed)


def _prices(order: Order) -> Iterator[Breach]:
    for name, price, kinds in (
        ("limit price", order.limit_price, LIMITED),
        ("stop price", order.stop_price, STOPPED),
    ):
        if (price is not None) != (order.kind in kinds):
            allowed = f"a {name}" if order.kind in kinds else f"no {name}"
            yield _breach(ReasonCode.PRICE_INVALID, f"{order.kind} with {price}", allowed)
        elif price is not None and not _is_whole(price, PRICE_UNIT):
            yield _breach(ReasonCode.PRICE_INVALID, str(price), f"a {name} above 0")
    yield from _distances(order)


def _distances(order: Order) -> Iterator[Breach]:
    trails = order.kind is OrderKind.TRAILING_STOP
    if (order.trail is not None) != trails or not _is_distance(order.trail, below=1.0):
        allowed = "a trail above 0 and below 1" if trails else "no trail"
        yield _breach(ReasonCode.PRICE_INVALID, f"{order.kind} with {order.trail}", allowed)
    if order.bracket is not None and not _is_bracket(order.bracket):
        yield _breach(ReasonCode.PRICE_INVALID, str(order.bracket), "distances above 0")


def _kind(order: Order, *, takes_weights: bool) -> Iterator[Breach]:
    weighs = order.target_weight is not None
    if weighs and not takes_weights:
        yield _breach(ReasonCode.KIND_NOT_SUPPORTED, "an order to a weight", "a quantity")
    if weighs and (order.reduce_only or order.kind is OrderKind.TRAILING_STOP):
        found = "a weight in an order that only reduces, or trails"
        yield _breach(ReasonCode.KIND_NOT_SUPPORTED, found, "a quantity")
    if order.valid_sessions is not None and order.valid_sessions < 1:
        found = f"an order for {order.valid_sessions} sessions"
        yield _breach(ReasonCode.KIND_NOT_SUPPORTED, found, "at least 1")


def _is_whole(number: Decimal, unit: Decimal, *, zero_too: bool = False) -> bool:
    if not number.is_finite() or not 0 <= number <= MOST_UNITS * unit:
        return False
    return number % unit == 0 and (zero_too or number > 0)


def _is_distance(value: float | None, *, below: float = math.inf) -> bool:
    return value is None or 0 < value < below


def _is_bracket(bracket: Bracket) -> bool:
    distances = (
        bracket.stop_loss,
        bracket.take_profit,
        bracket.stop_loss_price,
        bracket.take_profit_price,
        bracket.most_sessions,
    )
    return _is_distance(bracket.trail, below=1.0) and all(_is_distance(each) for each in distances)


def _breach(code: ReasonCode, found: str, allowed: str) -> Breach:
    return Breach(code=code, found=found, allowed=allowed)
