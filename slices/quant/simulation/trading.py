"""Compiled: what a fill costs, the fill itself, and what volume and cash leave room for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.quant.compiled import compiled
from slices.quant.simulation.plain import ROUNDING
from slices.quant.ties import TIE

if TYPE_CHECKING:
    from slices.quant.simulation.records import Bar, Position, Terms, World
    from slices.quant.types import FloatArray

STEPS = 200
"""Newton and bisection steps; both end far earlier."""


@compiled
def impact_factor(bar: Bar, price: float, terms: Terms) -> float:
    """Return k of an impact of k * notional^1.5.

    Impact grows with the square root of the share of the session's volume: Almgren et al. (2005),
    Toth et al. (2011).
    """
    if terms.impact == 0.0:
        return 0.0
    return terms.impact * bar.volatility / math.sqrt(price * bar.volume)


@compiled
def priced(
    quantity: float, price: float, factor: float, terms: Terms
) -> tuple[float, float, float]:
    """Return commission, spread and impact of a fill that is not empty, in money."""
    notional = abs(quantity) * price
    commission = notional * terms.commission + abs(quantity) * terms.per_share
    impact = factor * notional * math.sqrt(notional)
    return max(terms.minimum, commission), notional * terms.spread, impact


@compiled
def total_costs(quantity: float, price: float, factor: float, terms: Terms) -> float:
    """Return what a fill costs in all."""
    commission, spread, impact = priced(quantity, price, factor, terms)
    return commission + spread + impact


@compiled
def marginal_cost(notional: float, price: float, factor: float, terms: Terms) -> float:
    """Return what one more unit of money traded costs."""
    proportional = terms.commission + terms.per_share / price
    commission = proportional if notional * proportional >= terms.minimum else 0.0
    return commission + terms.spread + 1.5 * factor * math.sqrt(notional)


@compiled
def value_price(t: int, i: int, world: World) -> float:
    """Return the fill price of a symbol with a bar, else its last mark."""
    bar = world.bars[t, i]
    return world.positions[i].mark if math.isnan(bar.close) else bar.fill_price


@compiled
def account_value(t: int, world: World) -> float:
    """Value the account at the fill prices of a session."""
    value = world.purse[0].cash
    for i in range(world.positions.size):
        shares = world.positions[i].shares
        if shares != 0.0:
            value += shares * value_price(t, i, world)
    return value


@compiled
def gross_value(t: int, world: World) -> float:
    """Return the sum of absolute position values at the fill prices of a session."""
    value = 0.0
    for i in range(world.positions.size):
        shares = world.positions[i].shares
        if shares != 0.0:
            value += abs(shares) * value_price(t, i, world)
    return value


@compiled
def allowed(quantity: float, position: Position, terms: Terms) -> float:
    """Cut a quantity to what volume leaves room for, and to whole shares where these are asked.

    A position is closed whole, whatever a split has left of it.
    """
    cut = min(abs(quantity), position.room)
    closes = quantity == -position.shares and cut == abs(quantity)
    if terms.whole and not closes:
        cut = float(math.floor(cut * (1.0 + TIE)))
    return cut if quantity > 0.0 else -cut


@compiled
def scaled(quantity: float, share: float, terms: Terms) -> float:
    """Return a share of a quantity, in whole shares where these are asked."""
    if share == 1.0:
        return quantity
    return float(math.floor(quantity * share)) if terms.whole else quantity * share


@compiled
def purchase_money(
    share: float, quantities: FloatArray, prices: FloatArray, factors: FloatArray, terms: Terms
) -> float:
    """Return the money that a share of all purchases takes, costs included."""
    money = 0.0
    for i in range(quantities.size):
        if quantities[i] > 0.0:
            quantity = scaled(quantities[i], share, terms)
            if quantity > 0.0:
                money += quantity * prices[i]
                money += total_costs(quantity, prices[i], factors[i], terms)
    return money


@compiled
def affordable_share(
    quantities: FloatArray,
    prices: FloatArray,
    factors: FloatArray,
    left: float,
    world: World,
) -> float:
    """Return the largest share of all purchases that cash, and what may be owed, pays for.

    An account that costs and losses left nothing is closed, whatever it then owes.
    """
    terms = world.terms
    available = world.purse[0].cash + terms.borrowed * left
    money = purchase_money(1.0, quantities, prices, factors, terms)
    if left <= 0.0 or money == 0.0 or money <= available + ROUNDING * left:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if purchase_money(middle, quantities, prices, factors, terms) <= available:
            low = middle
        else:
            high = middle
    return low


@compiled
def close_free(now: int, i: int, price: float, reason: int, world: World) -> None:
    """Close what there is of a position at a price, free of costs: nobody trades there."""
    purse, position = world.purse[0], world.positions[i]
    if position.shares == 0.0:
        return
    line = world.tape[purse.fills]
    line.row, line.column, line.reason = now, i, reason
    line.quantity, line.price = -position.shares, price
    line.commission, line.spread, line.impact = 0.0, 0.0, 0.0
    line.order, line.decided = -1, now - 1
    purse.fills += 1
    purse.cash += position.shares * price
    position.shares = 0.0


@compiled
def fill(
    t: int, i: int, quantity: float, price: float, why: tuple[int, int, int, int], world: World
) -> None:
    """Trade: change cash and shares and write a line of the tape.

    Args:
        t: Row of the bars.
        i: Symbol.
        quantity: Signed shares, not 0.
        price: Market price.
        why: Session, reason, order intent and session of the decision.
        world: Changed.
    """
    purse, position = world.purse[0], world.positions[i]
    factor = impact_factor(world.bars[t, i], price, world.terms)
    commission, spread, impact = priced(quantity, price, factor, world.terms)
    purse.cash -= quantity * price + (commission + spread + impact)
    position.shares += quantity
    position.room -= abs(quantity)
    line = world.tape[purse.fills]
    line.column, line.quantity, line.price = i, quantity, price
    line.commission, line.spread, line.impact = commission, spread, impact
    line.row, line.reason, line.order, line.decided = why
    purse.fills += 1
