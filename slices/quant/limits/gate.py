"""The gate: what speaks against an order, looked at before it leaves.

A batch is judged in one order, whatever order it comes in: what makes positions smaller first,
then sales, then purchases, those towards weights last. Each order is held against the exposure
that open orders and the accepted ones before it may lead to: orders at market of the batch count
as filled, every other order as filled or not, whichever is worse. Longs less shorts are looked at
after the whole batch, so that both legs of a pair may come in at once; only where that is too
much are they looked at order by order.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.exact import ZERO
from slices.domain.limits import Breach, GateDecision, ReasonCode, RiskLimits
from slices.domain.orders import Order
from slices.quant.limits.changes import change_of, exposure_after
from slices.quant.limits.day_trades import Traded, day_trade_breach
from slices.quant.limits.exposure import Exposure, exposure_of
from slices.quant.limits.facts import GateFacts
from slices.quant.limits.form import (
    collar_breaches,
    form_breaches,
    mark_breaches,
    size_breaches,
)
from slices.quant.limits.loss import daily_loss_breach, drawdown_breach
from slices.quant.limits.numbers import exact
from slices.quant.limits.projected import (
    Projection,
    cash_breaches,
    exposure_breaches,
    net_breaches,
    permission_breaches,
)
from slices.quant.limits.traffic import Traffic, traffic_breaches, traffic_of

if TYPE_CHECKING:
    from collections.abc import Iterator


PRECISION = 80
"""Digits that hold every product of two booked numbers and a ratio."""

MOST_ROUNDS = 8
"""How often purchases towards weights are shared out anew after some were denied."""

ONE = Decimal(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    """A batch, what it is judged by, and what is known before the first order."""

    orders: Sequence[Order]
    facts: GateFacts
    limits: RiskLimits
    start: Exposure
    worth: Decimal
    each_net: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Course:
    """How far the judging of a batch has come.

    Attributes:
        share: What the venue is expected to leave of purchases towards weights.
        decisions: By place in the batch.
        shares_of: By symbol, what accepted orders would trade.
    """

    exposure: Exposure
    traffic: Traffic
    share: Decimal = ONE
    decisions: Mapping[int, GateDecision] = field(default_factory=dict)
    shares_of: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)


def judge_orders(
    orders: Sequence[Order], facts: GateFacts, limits: RiskLimits
) -> tuple[GateDecision, ...]:
    """Say of every order of a batch what speaks against it.

    Args:
        orders: Decided together.
        facts: The account and its market at that instant.
        limits: What the account may not go beyond. A limit passes, the smallest unit beyond it
            does not; a limit that is exceeded already does not stop an order that brings the
            account nearer to it.

    Returns:
        One decision for each order, in the order given; accepted where it has no breaches.
    """
    with localcontext(Context(prec=PRECISION)):
        start = exposure_of(facts)
        worth = start_worth(facts, start)
        bench = _Bench(orders=orders, facts=facts, limits=limits, start=start, worth=worth)
        course = _settled(bench)
        if any(net_breaches(start, course.exposure, limits)):
            course = _settled(replace(bench, each_net=True))
        return tuple(course.decisions[place] for place in range(len(orders)))


def start_worth(facts: GateFacts, start: Exposure) -> Decimal:
    """Return equity at the newest marks, in money."""
    held = (each.quantity * start.marks[each.symbol].price for each in facts.book.positions)
    return facts.book.cash + sum(held, ZERO)


def _settled(bench: _Bench) -> _Course:
    """Judge until nobody's share of the cash changes any more: a denied order leaves it."""
    denied: dict[int, GateDecision] = {}
    for turn in range(MOST_ROUNDS):
        course = _judged(bench, denied, is_last=turn == MOST_ROUNDS - 1)
        found = {key: each for key, each in course.decisions.items() if not each.is_accepted}
        if len(found) == len(denied) or course.share == ONE:
            break
        denied = found
    return course


def _judged(bench: _Bench, denied: Mapping[int, GateDecision], *, is_last: bool) -> _Course:
    places = [each for each in _in_turn(bench) if each not in denied]
    course = _Course(
        exposure=bench.start,
        traffic=traffic_of(bench.orders, bench.facts, bench.limits),
        share=ONE if is_last else _share(bench, places),
        decisions=denied,
    )
    for place in places:
        course = _with_judgement(bench, course, place)
    return course


def _with_judgement(bench: _Bench, course: _Course, place: int) -> _Course:
    order = bench.orders[place]
    invalid = tuple(_unjudgeable(order, bench, course.exposure))
    if invalid:
        decision = GateDecision(
            client_order_id=order.client_order_id,
            breaches=invalid,
            projected_quantity=math.nan,
            projected_gross=math.nan,
            projected_cash=math.nan,
        )
        return replace(course, decisions={**course.decisions, place: decision})
    change = change_of(order, course.exposure, worth=bench.worth)
    after = exposure_after(
        course.exposure, change.scaled(course.share), cost_rate=bench.facts.cost_rate
    )
    case = Projection(change=change, before=course.exposure, after=after, limits=bench.limits)
    decision = _decision(case, tuple(_breaches(case, bench, course)))
    decided = {**course.decisions, place: decision}
    if not decision.is_accepted:
        return replace(course, decisions=decided)
    traded = (*course.shares_of.get(order.symbol, ()), change.shares)
    return replace(
        course,
        decisions=decided,
        exposure=after,
        traffic=course.traffic.with_order(order),
        shares_of={**course.shares_of, order.symbol: traded},
    )


def _unjudgeable(order: Order, bench: _Bench, exposure: Exposure) -> Iterator[Breach]:
    """Yield what keeps an order from being projected at all."""
    facts = bench.facts
    if facts.book.state is TradingState.HALTED:
        reason = facts.book.state_reason or "no reason given"
        yield Breach(code=ReasonCode.HALTED, found=reason, allowed="an account not halted")
    yield from form_breaches(order, facts)
    mark = exposure.marks.get(order.symbol)
    if mark is None or not (mark.price.is_finite() and mark.price > 0):
        yield from mark_breaches(None, facts, bench.limits)


def _breaches(case: Projection, bench: _Bench, course: _Course) -> Iterator[Breach]:
    order, facts, limits = case.change.order, bench.facts, bench.limits
    mark = case.before.marks[order.symbol]
    yield from _of_state(case, bench)
    yield from size_breaches(order, case.change.shares, mark.price, limits)
    yield from collar_breaches(order, mark.price, limits)
    yield from _of_marks(case, bench)
    yield from traffic_breaches(order, course.traffic, limits)
    yield from permission_breaches(case)
    yield from exposure_breaches(case)
    if bench.each_net:
        yield from net_breaches(case.before, case.after, limits)
    yield from cash_breaches(case)
    day_trade = day_trade_breach(facts, limits, _wanted(case, bench, course))
    if day_trade is not None:
        yield day_trade


def _of_state(case: Projection, bench: _Bench) -> Iterator[Breach]:
    """Yield what the state of the account and its losses forbid."""
    facts, limits = bench.facts, bench.limits
    drawdown = drawdown_breach(facts.book, bench.worth, limits)
    if drawdown is not None:
        yield drawdown
    if case.change.is_reducing:
        return
    if facts.book.state is TradingState.REDUCING:
        reason = facts.book.state_reason or "no reason given"
        yield Breach(
            code=ReasonCode.REDUCING_ONLY, found=reason, allowed="orders that reduce a position"
        )
    loss = daily_loss_breach(facts.book, bench.worth, limits)
    if loss is not None:
        yield loss


def _of_marks(case: Projection, bench: _Bench) -> Iterator[Breach]:
    """Yield what is wrong with the marks; an exit at market waits for none."""
    order = case.change.order
    if case.change.is_reducing and case.change.is_certain:
        return
    yield from mark_breaches(case.before.marks[order.symbol], bench.facts, bench.limits)
    if case.before.unpriced and not case.change.is_reducing:
        yield Breach(
            code=ReasonCode.MARK_MISSING,
            found=f"open orders for {', '.join(case.before.unpriced)} without a mark",
            allowed="a mark for every open order",
        )


def _decision(case: Projection, breaches: tuple[Breach, ...]) -> GateDecision:
    after = case.after
    sold_too = after.range_of(case.symbol)
    is_sale = case.change.shares < 0
    return GateDecision(
        client_order_id=case.change.order.client_order_id,
        breaches=breaches,
        projected_quantity=float(sold_too.lowest if is_sale else sold_too.highest),
        projected_gross=float(after.gross / after.equity) if after.equity > 0 else math.nan,
        projected_cash=float(after.cash),
    )


def _wanted(case: Projection, bench: _Bench, course: _Course) -> list[Traded]:
    waiting = [
        each.open_quantity
        for each in bench.facts.book.open_orders
        if each.order.symbol == case.symbol
    ]
    accepted = course.shares_of.get(case.symbol, ())
    session = bench.facts.fill_session
    return [
        Traded(symbol=case.symbol, session=session, shares=each)
        for each in (*waiting, *accepted, case.change.shares)
        if each
    ]


def _in_turn(bench: _Bench) -> list[int]:
    """Return the places of a batch in the order in which they are judged."""
    keys: dict[int, tuple[bool, bool, bool]] = {}
    for place, order in enumerate(bench.orders):
        if any(_unjudgeable(order, bench, bench.start)):
            keys[place] = (False, False, False)
        else:
            change = change_of(order, bench.start, worth=bench.worth)
            keys[place] = (not change.is_smaller, change.is_purchase, change.is_weight)
    return sorted(keys, key=lambda place: keys[place])


def _share(bench: _Bench, places: Sequence[int]) -> Decimal:
    """Return what cash leaves of purchases towards weights, after everything else of a batch."""
    spent: defaultdict[bool, Decimal] = defaultdict(Decimal)
    for place in places:
        order = bench.orders[place]
        if any(_unjudgeable(order, bench, bench.start)):
            continue
        change = change_of(order, bench.start, worth=bench.worth)
        after = exposure_after(bench.start, change, cost_rate=bench.facts.cost_rate)
        spent[change.is_weight and change.is_purchase] += bench.start.cash - after.cash
    borrowed = max(ZERO, exact(bench.limits.max_leverage) - 1) * max(ZERO, bench.worth)
    available = max(ZERO, bench.start.cash + borrowed - spent[False])
    return ONE if spent[True] <= available else available / spent[True]
